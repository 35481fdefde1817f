"""What identifies a person, and by which course a change of it goes."""

from datetime import timedelta
from enum import StrEnum

from app.domain.labelled import Labelled

# Somebody's appointee is not that admin's second, and what somebody was still counts, for so long.
LOOKS_BACK = timedelta(days=30)


class ChangeKind(Labelled):
    """What a change is about. Whoever may change one of these may come to own the account. The labels fit
    into a sentence."""

    EMAIL = "email", "email"
    NIP = "nip", "NIP"
    INSTANSI = "instansi", "instansi"
    CATEGORY = "kategori", "kategori"
    MANDATE = "mandat", "mandat admin"

    @property
    def heading(self) -> str:
        """At the beginning of a sentence."""
        return self.label[0].upper() + self.label[1:]

    @property
    def column(self) -> str:
        """As the trail names what has changed."""
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
    # the owner said: not me. The account is contested until a second admin has settled it.
    FROZEN = "dibekukan", "Dibekukan pemilik"
    CANCELLED = "dibatalkan", "Dibatalkan"


class Course(StrEnum):
    """How a decision comes into effect."""

    AT_ONCE = "sekarang"
    AFTER_WAIT = "setelah_masa_tunggu"
    WITH_SECOND = "dengan_admin_kedua"
