"""The words of an email correction: where a correction stands, and how an identity was checked."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from app.domain.labelled import Labelled
from app.domain.phone_number import dialled
from app.domain.reset_secret import ALPHABET

PROMISE = timedelta(hours=24)  # a correction is answered within this time, counted from its submission
TAKEN_FOR = timedelta(hours=2)  # how long an admin has a correction in hand; after that it is free again
MOST_QUESTIONS = 3  # to one person about one correction
LONGEST_QUESTION = LONGEST_NOTE = 500  # letters
LONGEST_ANSWER = 1000
MOST_NOTES = 20  # about one correction
# The usual reason of an admin to say no, and the portal's own reason for a NIP that nobody has. The words are
# the same, because different words would tell whether somebody has the NIP.
DATA_DO_NOT_MATCH = (
    "Data yang ditulis tidak cocok dengan data kepegawaian. Periksa NIP dan nama, lalu "
    "hubungi kepegawaian instansi Anda."
)
USUAL_REASONS_TO_REJECT = (
    DATA_DO_NOT_MATCH,
    "Identitas Anda belum dapat dipastikan. Datang ke kepegawaian instansi Anda dengan kartu pegawai, lalu "
    "ajukan lagi.",
    "Alamat email baru mungkin salah ketik. Ajukan lagi dengan alamat yang benar.",
    "Alamat email baru sudah dipakai akun lain. Ajukan lagi dengan alamat milik Anda sendiri.",
)


class CorrectionField(Labelled):
    """What a correction asks to change. Strangers can only ask for another email; everything else can only be
    asked for by its owner, who is logged in. The values are the columns. The labels fit into a sentence."""

    EMAIL = "email", "email"
    NAME = "name", "nama"
    WORK_UNIT = "work_unit", "unit kerja"
    PHONE = "phone", "nomor telepon"
    NIP = "nip", "NIP"

    @property
    def heading(self) -> str:
        """The label as the beginning of a sentence."""
        return self.label[0].upper() + self.label[1:]

    @property
    def is_of_record(self) -> bool:
        return self is not CorrectionField.EMAIL


class CorrectionState(Labelled):
    """Where a person's correction stands. The owner reads the same word."""

    ASKED = "diminta", "diminta"  # a link was mailed; nobody has shown yet that the mailbox is theirs
    NEW = "baru", "baru"
    IN_HAND = "diproses", "diproses"  # an admin has opened it
    APPROVED = "disetujui", "disetujui"
    REJECTED = "ditolak", "ditolak"

    @property
    def is_open(self) -> bool:
        return self in OPEN_STATES

    @property
    def is_decided(self) -> bool:
        return self in (CorrectionState.APPROVED, CorrectionState.REJECTED)


OPEN_STATES = (CorrectionState.NEW, CorrectionState.IN_HAND)


@dataclass(frozen=True)
class FilledForm:
    """What is kept of the form: what somebody wrote, and whether a file that was sent had no place."""

    name: str
    work_unit: str
    reason: str
    phone: str
    file_not_kept: bool


class Age(Labelled):
    """For how long a correction has waited, as the overview and the queue count it."""

    FRESH = "0-4", "0-4 jam"
    SOME_HOURS = "4-12", "4-12 jam"
    NEARLY_LATE = "12-24", "12-24 jam"
    LATE = "lewat", "lewat 24 jam"

    @property
    def over(self) -> timedelta:
        """It has waited longer than this, or just as long."""
        return _AGES[self][0]

    @property
    def under(self) -> timedelta | None:
        """It has not waited as long as this; None if there is no end."""
        return _AGES[self][1]

    @classmethod
    def of(cls, waited: timedelta) -> "Age":
        return next(one for one in reversed(cls) if waited >= one.over or one is cls.FRESH)


_AGES = {
    Age.FRESH: (timedelta(), timedelta(hours=4)),
    Age.SOME_HOURS: (timedelta(hours=4), timedelta(hours=12)),
    Age.NEARLY_LATE: (timedelta(hours=12), PROMISE),
    Age.LATE: (PROMISE, None),
}


class IdentityCheck(Labelled):
    """How an admin made sure that the person who asks is the owner of the account. What was typed into the
    form proves nothing."""

    IN_PERSON = "tatap_muka", "Tatap muka dengan kartu pegawai atau KTP"
    CALL_ON_RECORD = "telepon_tercatat", "Telepon ke nomor di data kepegawaian"
    LETTER = "surat_atasan", "Surat dari atasan atau kepala unit kerja"
    VIDEO = "panggilan_video", "Panggilan video dengan kartu pegawai"
    # No check at all: the address came with a file. Nobody can choose this value.
    BY_FILE = "file_impor", "Tidak diperiksa, karena datang lewat file impor"

    def is_possible(self, phone_on_record: str | None) -> bool:
        """Whether the record has what this check needs; otherwise the admin would only ask the person who
        wrote the form. A video call begins with a call by the admin. The person brings a card or a letter
        along, so that needs nothing on record."""
        match self:
            case IdentityCheck.IN_PERSON | IdentityCheck.LETTER:
                return True
            case IdentityCheck.CALL_ON_RECORD | IdentityCheck.VIDEO:
                return dialled(phone_on_record) is not None
            case IdentityCheck.BY_FILE:
                return False


def new_ticket() -> str:
    """A number to tell on the phone: PE- and eight letters without vowels, in two groups."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"PE-{letters[:4]}-{letters[4:]}"


def read_ticket(typed: str) -> str:
    """A ticket number as it is kept, from what somebody reads out on the phone: case, dashes and PE do not
    matter."""
    letters = "".join(letter for letter in typed.upper() if letter in ALPHABET)
    eight = letters[-8:]
    return f"PE-{eight[:4]}-{eight[4:]}"
