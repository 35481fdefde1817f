"""What identifies a person, and which course a change of it takes."""

from datetime import timedelta
from enum import StrEnum

from app.domain.labelled import Labelled

# For this long, an admin's appointee cannot be that admin's second, and what somebody was before still
# counts.
LOOKS_BACK = timedelta(days=30)


class ChangeKind(Labelled):
    """What a change is about. Anyone who may change one of these may come to own the account. The labels fit
    into a sentence."""

    EMAIL = "email", "email"
    NIP = "nip", "NIP"
    INSTANSI = "instansi", "instansi"
    CATEGORY = "kategori", "kategori"
    MANDATE = "mandat", "mandat admin"

    @property
    def heading(self) -> str:
        """The label as the beginning of a sentence."""
        return self.label[0].upper() + self.label[1:]

    @property
    def column(self) -> str:
        """The word that the trail uses for what has changed."""
        return _COLUMNS[self]


_COLUMNS = {
    ChangeKind.EMAIL: "email",
    ChangeKind.NIP: "nip",
    ChangeKind.INSTANSI: "instansi",
    ChangeKind.CATEGORY: "category",
    ChangeKind.MANDATE: "mandate",
}


class ChangeState(Labelled):
    """Where a decided change stands."""

    NEEDS_SECOND = "menunggu_konfirmasi", "Menunggu admin kedua"  # a second admin has to confirm it
    SCHEDULED = "dijadwalkan", "Dijadwalkan"  # takes effect later, unless the owner stops it
    DONE = "berlaku", "Berlaku"
    # The owner said that it was not them. The account is contested until a second admin has settled the
    # change.
    FROZEN = "dibekukan", "Dibekukan pemilik"
    CANCELLED = "dibatalkan", "Dibatalkan"


class Course(StrEnum):
    """How a decision comes into effect."""

    AT_ONCE = "sekarang"
    AFTER_WAIT = "setelah_masa_tunggu"
    WITH_SECOND = "dengan_admin_kedua"
