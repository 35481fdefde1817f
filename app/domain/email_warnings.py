"""The reasons against an email on record: the kinds of warning, the weight of each, and its words.

Whoever approves must acknowledge each heavy warning, one by one; a light one is only shown. **No stranger can
cause a heavy warning on somebody else's correction**: a heavy warning follows from what the correction itself
says, from a mailbox that was proven, from the account's own past, or from an act of the desk. What anybody
can send (another correction for the same NIP, a link to an address) is light. Otherwise one evening of false
requests would stop the desk from answering several rightful corrections at once.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from app.domain.email_address import EmailAddress
from app.domain.labelled import Labelled


class Weight(StrEnum):
    HEAVY = "berat"
    LIGHT = "ringan"


class WarningKind(Labelled):
    """The worst first, because they are shown in this order. The labels are those of the trail."""

    ADDRESS_TAKEN = "alamat_terpakai", "alamat dipakai akun lain"
    MAILBOX_OF_ANOTHER = "kotak_surat_orang_lain", "kotak surat milik akun lain"
    STOPPED_ELSEWHERE = "alamat_pernah_dihentikan", "alamat pernah dihentikan pemilik akun lain"
    STOPPED_BEFORE = "pernah_dihentikan_pemilik", "pemilik pernah menghentikan perubahan email"
    ENDED_BEFORE = "pernah_tidak_jadi", "perubahan email pernah tidak jadi"
    REJECTED_BEFORE = "pernah_ditolak", "alamat pernah ditolak"
    ASKED_FOR_OTHERS = "alamat_untuk_nip_lain", "alamat diminta untuk NIP lain"
    MISTYPED_DOMAIN = "domain_salah_ketik", "domain salah ketik"
    LOOKALIKE_DOMAIN = "domain_mirip", "domain mirip"
    FOREIGN_LETTERS = "huruf_menyerupai", "huruf yang menyerupai huruf lain"
    OTHER_NAME = "nama_lain", "nama berbeda"
    OTHER_NIP = "nip_sudah_berganti", "NIP sudah berganti"
    DEACTIVATED = "akun_nonaktif", "akun dinonaktifkan"
    RIVALS = "permintaan_lain_terbuka", "ada permintaan lain yang terbuka"
    NAME_IN_PART = "nama_sebagian", "nama hanya sebagian"
    NO_PHONE = "tanpa_telepon", "tanpa telepon di data"
    OTHER_PHONE = "telepon_lain", "telepon berbeda"

    @property
    def weight(self) -> Weight:
        return _WEIGHTS[self]

    @property
    def is_final(self) -> bool:
        """Whether the act itself refuses, so that acknowledging does not help."""
        return self is WarningKind.ADDRESS_TAKEN

    @property
    def must_be_acknowledged(self) -> bool:
        return self.weight is Weight.HEAVY and not self.is_final


_LIGHT = (WarningKind.RIVALS, WarningKind.NAME_IN_PART, WarningKind.NO_PHONE, WarningKind.OTHER_PHONE)
_WEIGHTS = {kind: Weight.LIGHT if kind in _LIGHT else Weight.HEAVY for kind in WarningKind}
# `warn` fills in what stands in braces.
_SENTENCES = {
    WarningKind.ADDRESS_TAKEN: "Alamat baru sudah dipakai {owner}, jadi tidak dapat disetujui. Minta "
    "alamat lain.",
    WarningKind.MAILBOX_OF_ANOTHER: (
        "Email ke alamat baru masuk ke kotak surat yang sama dengan alamat {owner}. Pastikan siapa pemilik "
        "kotak surat itu."
    ),
    WarningKind.STOPPED_ELSEWHERE: "Alamat baru pernah diputuskan untuk akun lain, lalu dihentikan oleh "
    "pemilik akun itu.",
    WarningKind.STOPPED_BEFORE: (
        "Perubahan email akun ini pernah dihentikan pemiliknya, jadi tidak jadi berlaku ({when}). {because}"
    ),
    WarningKind.ENDED_BEFORE: "Perubahan email akun ini pernah diputuskan, lalu tidak jadi berlaku "
    "({when}). {because}",
    WarningKind.REJECTED_BEFORE: "Permintaan untuk alamat ini pernah ditolak ({when}). {because}",
    WarningKind.ASKED_FOR_OTHERS: "Alamat baru ini dalam 90 hari terakhir juga diminta untuk {count} NIP "
    "lain.",
    WarningKind.MISTYPED_DOMAIN: "Alamat baru mungkin salah ketik. Mungkin maksudnya {meant}.",
    WarningKind.LOOKALIKE_DOMAIN: "Domain alamat baru mirip, tetapi tidak sama, dengan {known}.",
    WarningKind.FOREIGN_LETTERS: "Domain alamat baru memakai huruf yang dapat menyerupai huruf lain.",
    WarningKind.OTHER_NAME: "Nama yang ditulis tidak sama dengan nama di data kepegawaian.",
    WarningKind.OTHER_NIP: "NIP pada permintaan ini bukan NIP pegawai ini lagi. Pastikan siapa yang meminta.",
    WarningKind.DEACTIVATED: "Akun ini dinonaktifkan. Menyetujui email baru tidak membuka akunnya.",
    WarningKind.RIVALS: (
        "Masih ada {count} permintaan lain untuk pegawai ini ke alamat lain. Paling banyak satu yang "
        "benar: bandingkan dahulu."
    ),
    WarningKind.NAME_IN_PART: "Nama yang ditulis hanya sebagian dari nama di data kepegawaian.",
    WarningKind.NO_PHONE: "Tidak ada telepon di data, jadi pegawai ini tidak dapat dihubungi lewat telepon.",
    WarningKind.OTHER_PHONE: "Telepon yang ditulis bukan nomor di data. Hubungi hanya nomor di data.",
}


@dataclass(frozen=True)
class EmailWarning:
    """One warning about one address, as a sentence. A form carries `mark` when its reader has acknowledged
    the warning."""

    kind: WarningKind
    sentence: str
    mark: str

    @property
    def must_be_acknowledged(self) -> bool:
        return self.kind.must_be_acknowledged

    def __str__(self) -> str:
        return self.sentence


def warn(kind: WarningKind, address: EmailAddress, **about: str | int) -> EmailWarning:
    """A warning in its words. Its mark holds for this address and these words alone: if the warning says more
    by the time the form comes back, it has not been acknowledged."""
    sentence = _SENTENCES[kind].format(**about)
    return EmailWarning(
        kind, sentence, f"{kind}.{sha256(f'{address.key} {sentence}'.encode()).hexdigest()[:16]}"
    )


def unacknowledged(warnings: list[EmailWarning], marks: frozenset[str]) -> tuple[EmailWarning, ...]:
    """The warnings that must be acknowledged for an approval and were not. Marks that belong to no warning
    are ignored."""
    return tuple(one for one in warnings if one.must_be_acknowledged and one.mark not in marks)


def acknowledged_kinds(warnings: list[EmailWarning]) -> str | None:
    """For the trail of an approval: all kinds that had to be acknowledged."""
    return ",".join(sorted({one.kind.value for one in warnings if one.must_be_acknowledged})) or None
