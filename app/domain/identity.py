"""What identifies a person, and by which course a change of it goes."""

from datetime import timedelta
from enum import StrEnum

# Somebody's appointee is not that admin's second, and what somebody was still counts, for so long.
LOOKS_BACK = timedelta(days=30)


class ChangeKind(StrEnum):
    """What a change is about. Whoever may change one of these may come to own the account."""

    EMAIL = "email"
    NIP = "nip"
    INSTANSI = "instansi"
    CATEGORY = "kategori"
    MANDATE = "mandat"

    @property
    def label(self) -> str:
        """Within a sentence."""
        return _KIND_LABELS[self]

    @property
    def heading(self) -> str:
        return self.label[0].upper() + self.label[1:]

    @property
    def column(self) -> str:
        """As the trail names what has changed."""
        return _COLUMNS[self]


_KIND_LABELS = {
    ChangeKind.EMAIL: "email",
    ChangeKind.NIP: "NIP",
    ChangeKind.INSTANSI: "instansi",
    ChangeKind.CATEGORY: "kategori",
    ChangeKind.MANDATE: "mandat admin",
}
_COLUMNS = {
    ChangeKind.EMAIL: "email",
    ChangeKind.NIP: "nip",
    ChangeKind.INSTANSI: "instansi",
    ChangeKind.CATEGORY: "category",
    ChangeKind.MANDATE: "mandate",
}


class ChangeState(StrEnum):
    """Where a decided change stands."""

    NEEDS_SECOND = "menunggu_konfirmasi"  # a second admin has to confirm it
    SCHEDULED = "dijadwalkan"  # takes effect later, unless the owner stops it
    DONE = "berlaku"
    FROZEN = (
        "dibekukan"  # the owner said: not me. The account is contested until a second admin has settled it.
    )
    CANCELLED = "dibatalkan"

    @property
    def label(self) -> str:
        return _STATE_LABELS[self]


_STATE_LABELS = {
    ChangeState.NEEDS_SECOND: "Menunggu admin kedua",
    ChangeState.SCHEDULED: "Dijadwalkan",
    ChangeState.DONE: "Berlaku",
    ChangeState.FROZEN: "Dibekukan pemilik",
    ChangeState.CANCELLED: "Dibatalkan",
}


class Course(StrEnum):
    """How a decision comes into effect."""

    AT_ONCE = "sekarang"
    AFTER_WAIT = "setelah_masa_tunggu"
    WITH_SECOND = "dengan_admin_kedua"
