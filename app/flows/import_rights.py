"""What an admin may change by a file: less than the operator at the command line, and less than on a person's page.

A page of a person asks for a reason, a second admin or a day of patience; a file asks for nothing, so whatever needs
one of these is refused here and done there.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.categories import Category
from app.domain.email_address import EmailAddress
from app.domain.staff_file import Fault, StaffRow
from app.flows.change_email import is_in_use
from app.models.admin_mandate import AdminMandate
from app.models.instansi import Instansi
from app.models.user import User
from app.security.authority import Authority

_OTHER_INSTANSI = Fault(
    "kode_instansi",
    "Kode instansi pada baris ini bukan instansi impor ini. Perbaiki kodenya, atau hapus baris ini. "
    "Pindah instansi lewat file hanya oleh admin pusat.",
)
# One sentence for both, without a column: it must not tell which of the two is known elsewhere, nor where.
_OUT_OF_REACH = Fault(
    None,
    "NIP atau email pada baris ini tidak dapat dipakai oleh instansi Anda. Periksa keduanya; "
    "bila sudah benar, minta bantuan admin pusat.",
)
_ONESELF = Fault(None, "Baris ini mengubah data Anda sendiri. Minta admin lain mengubahnya pada halaman pegawai.")
_HOLDS_A_MANDATE = Fault(
    None, "Pegawai ini memegang mandat admin, jadi datanya tidak diubah lewat file. Ubah pada halaman pegawai tersebut."
)
_EMAIL_NEEDS_ITS_PAGE = Fault(
    "email",
    "Email akun yang sudah dipakai dan email PPT Non ASN tidak diubah lewat file. "
    "Ubah pada halaman pegawai tersebut, atau kosongkan sel email agar baris ini dapat diimpor.",
)
_CATEGORY_NEEDS_ITS_PAGE = Fault("kategori", "Kategori PPT Non ASN tidak diubah lewat file. Minta admin pusat mengubahnya.")


@dataclass(frozen=True)
class Uploader:
    """Who has a file imported, and for which instansi; None is any, which only the centre may."""

    authority: Authority
    instansi: Instansi | None
    batch_id: int


@dataclass(frozen=True)
class FileRights:
    """What an uploader may do about the people that some rows name."""

    uploader: Uploader
    mandate_holders: frozenset[int]
    addresses_elsewhere: frozenset[str]

    @classmethod
    def over(
        cls, session: Session, uploader: Uploader, people: Iterable[User], addresses: Collection[EmailAddress], today: date
    ) -> "FileRights":
        ids = [person.id for person in people]
        holders = select(AdminMandate.user_id).where(AdminMandate.user_id.in_(ids), AdminMandate.holds_on(today))
        elsewhere: frozenset[str] = frozenset()
        if uploader.instansi is not None:
            elsewhere = User.taken_addresses(session, addresses, but_in=uploader.instansi.id)
        return cls(uploader, frozenset(session.scalars(holders)) if ids else frozenset(), elsewhere)

    def objection(self, person: User | None, row: StaffRow, columns: Collection[str]) -> Fault | None:
        """Why this row is not for this uploader. `person` is who has the NIP, `columns` what the row would change."""
        own = self.uploader.instansi
        if own is not None and row.instansi_code != own.code:
            return _OTHER_INSTANSI
        if own is not None and person is not None and person.instansi_id != own.id:
            return _OUT_OF_REACH
        if row.email is not None and "email" in columns and row.email.key in self.addresses_elsewhere:
            return _OUT_OF_REACH
        return self._of_the_person(person, columns) if person is not None and columns else None

    def _of_the_person(self, person: User, columns: Collection[str]) -> Fault | None:
        if person.id == self.uploader.authority.admin.id:
            return _ONESELF
        if person.id in self.mandate_holders:
            return _HOLDS_A_MANDATE
        if "email" in columns and (is_in_use(person) or person.category is Category.PPT_NON_ASN):
            return _EMAIL_NEEDS_ITS_PAGE
        if "category" in columns and person.category is Category.PPT_NON_ASN:
            return _CATEGORY_NEEDS_ITS_PAGE  # or two files in a row would change the address after all
        return None
