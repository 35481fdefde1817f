"""What a file may change. An admin may change less than the operator, and both may change less by a file than
on a person's page.

If the gate would let a change wait, or would ask a second admin about it, it is refused here and has to be
done on the page. The operator's decision needs no second admin. Yet a file settles no contested account, and
without a reason it gives nobody a NIP that was somebody else's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.categories import Category
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import today_in_jakarta
from app.domain.staff_file import CODE_WITHOUT_ITS_ZEROS, CellFault, StaffRow
from app.flows.identity.identity_gate import protected_among
from app.flows.imports.on_record import OnRecord
from app.models.admin_mandate import AdminMandate
from app.models.former_nip import FormerNip
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi
from app.models.user import User
from app.security.authority import Authority

_OTHER_INSTANSI = CellFault(
    "kode_instansi",
    "Kode instansi pada baris ini bukan instansi impor ini. Perbaiki kodenya, atau hapus baris ini. "
    "Pindah instansi lewat file hanya oleh admin pusat.",
)
# One sentence for both, without a column. It must not tell which of the two is known in another instansi, or
# in which one.
_OUT_OF_REACH = CellFault(
    None,
    "NIP atau email pada baris ini tidak dapat dipakai oleh instansi Anda. Periksa keduanya; "
    "bila sudah benar, minta bantuan admin pusat.",
)
_ONESELF = CellFault(
    None, "Baris ini mengubah data Anda sendiri. Minta admin lain mengubahnya pada halaman pegawai."
)
_HOLDS_A_MANDATE = CellFault(
    None,
    "Pegawai ini memegang mandat admin, jadi datanya tidak diubah lewat file. Ubah pada halaman pegawai "
    "tersebut.",
)
_EMAIL_NEEDS_ITS_PAGE = CellFault(
    "email",
    "Email akun yang sudah dipakai dan email PPT Non ASN tidak diubah lewat file. "
    "Ubah pada halaman pegawai tersebut, atau kosongkan sel email agar baris ini dapat diimpor.",
)
_INSTANSI_NEEDS_ITS_PAGE = CellFault(
    "kode_instansi",
    "Instansi PPT Non ASN, dan pegawai yang belum lama ini memegang mandat admin, tidak diubah lewat file. "
    "Pindahkan pada halaman pegawai tersebut.",
)
_CATEGORY_NEEDS_ITS_PAGE = CellFault(
    "kategori", "Kategori PPT Non ASN tidak diubah lewat file. Minta admin pusat mengubahnya."
)


_CONTESTED = CellFault(
    None,
    "Pemilik akun ini menghentikan suatu perubahan, jadi email, instansi, dan kategorinya tidak diubah "
    "lewat file. Selesaikan dahulu sengketanya pada halaman pegawai tersebut.",
)
_NIP_WAS_ANOTHERS = CellFault(
    "nip",
    "NIP ini pernah dipakai pegawai lain, jadi hanya dapat diberikan dengan alasan. "
    "Periksa angkanya; bila sudah benar, unggah lagi dengan mengisi dasar impor.",
)
IDENTIFYING = frozenset(("email", "instansi", "category"))


@dataclass(frozen=True)
class Uploader:
    """The admin who imports a file, and the instansi for which they do. None means every instansi, which only
    pusat may choose. `reason` is what the admin typed."""

    authority: Authority
    instansi: Instansi | None
    batch_id: int
    reason: str


@dataclass(frozen=True)
class Named:
    """Whom some rows name: people whom the rows change, NIPs that nobody has, and addresses that are to be
    written."""

    people: Collection[OnRecord]
    new_nips: Collection[str]
    addresses: Collection[EmailAddress]


@dataclass(frozen=True)
class FileRights:
    """What may be done to the people that some rows name. If `uploader` is None, the operator imports the
    file."""

    uploader: Uploader | None
    has_reason: bool
    mandate_holders: frozenset[int]
    protected: frozenset[int]
    contested: frozenset[int]
    former_nips: frozenset[str]
    addresses_elsewhere: frozenset[str]

    @classmethod
    def over(
        cls,
        session: Session,
        uploader: Uploader | None,
        named: Named,
        now: datetime,
        *,
        has_reason: bool,
    ) -> "FileRights":
        ids = [person.id for person in named.people]
        holders = select(AdminMandate.user_id).where(
            AdminMandate.user_id.in_(ids), AdminMandate.holds_on(today_in_jakarta(now))
        )
        elsewhere: frozenset[str] = frozenset()
        if uploader is not None and uploader.instansi is not None:
            elsewhere = User.taken_addresses(session, named.addresses, but_in=uploader.instansi.id)
        return cls(
            uploader,
            has_reason,
            frozenset(session.scalars(holders)) if ids and uploader else frozenset(),
            protected_among(session, named.people, now) if uploader else frozenset(),
            IdentityChange.contested_among(session, ids),
            FormerNip.among(session, named.new_nips),
            elsewhere,
        )

    def objection(self, person: OnRecord | None, row: StaffRow, columns: Collection[str]) -> CellFault | None:
        """Why this row may not be taken over. `person` has the NIP of the row, `columns` are what the row
        would change."""
        if self.uploader is not None and (fault := self._out_of_reach(self.uploader, person, row, columns)):
            return fault
        if person is None:
            return self._of_a_new_nip(row)
        if person.id in self.contested and IDENTIFYING.intersection(columns):
            return _CONTESTED
        return self._of_the_person(self.uploader, person, columns) if self.uploader and columns else None

    def _out_of_reach(
        self, uploader: Uploader, person: OnRecord | None, row: StaffRow, columns: Collection[str]
    ) -> CellFault | None:
        own = uploader.instansi
        if own is not None and row.instansi_code != own.code:
            has_lost_zeros = row.instansi_code.lstrip("0") == own.code.lstrip("0")
            return CODE_WITHOUT_ITS_ZEROS if has_lost_zeros else _OTHER_INSTANSI
        if own is not None and person is not None and person.instansi_id != own.id:
            return _OUT_OF_REACH
        if row.email is not None and "email" in columns and row.email.key in self.addresses_elsewhere:
            return _OUT_OF_REACH
        return None

    def _of_a_new_nip(self, row: StaffRow) -> CellFault | None:
        if row.nip.digits not in self.former_nips:
            return None
        if self.uploader is not None and not self.uploader.authority.is_pusat:
            return _OUT_OF_REACH
        return None if self.has_reason else _NIP_WAS_ANOTHERS

    def _of_the_person(
        self, uploader: Uploader, person: OnRecord, columns: Collection[str]
    ) -> CellFault | None:
        if person.id == uploader.authority.admin.id:
            return _ONESELF
        if person.id in self.mandate_holders:
            return _HOLDS_A_MANDATE
        if "category" in columns and person.category is Category.PPT_NON_ASN:
            # Otherwise two files, one after the other, could change the address
            return _CATEGORY_NEEDS_ITS_PAGE
        if "email" in columns and (person.is_in_use or person.id in self.protected):
            return _EMAIL_NEEDS_ITS_PAGE
        if "instansi" in columns and person.id in self.protected:
            return _INSTANSI_NEEDS_ITS_PAGE
        return None
