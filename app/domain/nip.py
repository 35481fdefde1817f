"""The number by which the state knows a civil servant, read as people type it."""

import re
from dataclasses import dataclass
from datetime import date

# What people paste between the digits: spaces of every width, dots, dashes of every kind, zero-width and
# direction marks.
BETWEEN_DIGITS = (
    r"[\s.\-_\u00ad\u180e\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2064\u2066-\u2069\u2212\ufeff]"
)
# Pasted together with the number: `NIP. 1986...`, `NIP: 1986...`
_LABEL = re.compile(r"^\s*NIP(?![A-Z])[\s.:=/]*", re.IGNORECASE)
_SEPARATORS = re.compile(f"{BETWEEN_DIGITS}+")
_DIGITS = re.compile(r"[0-9]+")
_LONGEST_INPUT = 100
NIP_LENGTH = 18


@dataclass(frozen=True)
class Nip:
    """18 ASCII digits. The parts of the number are a hint, never a rule: the account table decides (real NIPs
    hold mistyped digits)."""

    digits: str

    @property
    def grouped(self) -> str:
        """As printed on letters of appointment: 19860926 201505 1 001."""
        return f"{self.digits[:8]} {self.digits[8:14]} {self.digits[14]} {self.digits[15:]}"

    @property
    def masked(self) -> str:
        """For logs, and for screens of other people: the start of service and the sequence cannot be read."""
        return f"{self.digits[:8]}******{self.digits[14]}***"

    @property
    def birth_date(self) -> date | None:
        """The date in the first eight digits, if they are one."""
        try:
            return date(int(self.digits[:4]), int(self.digits[4:6]), int(self.digits[6:8]))
        except ValueError:
            return None

    @property
    def has_sequence(self) -> bool:
        """Sequences are counted from 001. A NIP that ends in 000 was rounded: a spreadsheet keeps 15 digits
        of a number."""
        return not self.digits.endswith("000")

    def __str__(self) -> str:
        return self.digits


@dataclass(frozen=True)
class NotANip:
    """What was typed instead, as a sentence that says what to do."""

    sentence: str


def read_nip(typed: str) -> Nip | NotANip:
    """Read a NIP in any spelling that people use. Look-alike and non-ASCII digits are refused, not
    converted."""
    if len(typed) > _LONGEST_INPUT:
        return NotANip("NIP terlalu panjang. Ketik 18 angka NIP Anda saja.")
    bare = _bare(typed)
    if not bare:
        return NotANip("Isi NIP Anda, 18 angka.")
    if not _DIGITS.fullmatch(bare):
        return NotANip(
            "NIP hanya berisi angka 0 sampai 9. Hapus huruf atau tanda lain, atau ketik ulang angkanya."
        )
    match len(bare):
        case 18:
            return Nip(bare)
        case 16:
            return NotANip(
                "Ini tampaknya NIK (16 angka pada KTP). Isi NIP, 18 angka pada SK atau kartu pegawai Anda."
            )
        case 9:
            return NotANip("Ini tampaknya NIP lama (9 angka). Isi NIP, 18 angka pada SK terakhir Anda.")
        case count if count < 18:
            return NotANip(f"Baru {count} angka yang terisi. NIP terdiri dari 18 angka; periksa lagi.")
        case count:
            return NotANip(
                f"Terisi {count} angka, padahal NIP terdiri dari 18 angka. Mungkin ada angka yang "
                "terketik dua kali."
            )


def read_nip_beginning(typed: str) -> str | NotANip:
    """The first digits of a NIP, for finding people: in any spelling, and perhaps all 18."""
    bare = _bare(typed[:_LONGEST_INPUT])
    if bare and not _DIGITS.fullmatch(bare):
        return NotANip(
            "NIP hanya berisi angka 0 sampai 9. Hapus huruf atau tanda lain, atau ketik ulang angkanya."
        )
    if len(bare) > NIP_LENGTH:
        return NotANip(
            f"Terisi {len(bare)} angka, padahal NIP terdiri dari 18 angka. Mungkin ada angka yang "
            "terketik dua kali."
        )
    return bare


def nips_beginning_with(digits: str) -> tuple[str, str]:
    """The first and the last NIP that may begin so."""
    return digits.ljust(NIP_LENGTH, "0"), digits.ljust(NIP_LENGTH, "9")


def _bare(typed: str) -> str:
    """The text without the word NIP in front, and without what stands between the digits."""
    return _SEPARATORS.sub("", _LABEL.sub("", typed))
