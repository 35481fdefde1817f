"""A telephone number as it is dialled, however it was written."""

import re
from dataclasses import dataclass

from app.domain.typed_text import one_line

_FEWEST_DIGITS = 7  # a number with its area code; a shorter one cannot be dialled: "-", "0", an extension
_MOST_DIGITS = 13  # of a mobile number, with its 0
_COUNTRY = "62"
LONGEST_WRITTEN = 40
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
_WRITTEN = re.compile(r"\+?[0-9(][0-9 ().\-]*")
# An office says it on the phone; a tap dials the number before it
_EXTENSION = re.compile(r"[ ,;]*(?:ext|ekst|pes|pesawat|psw)[.:]? ?[0-9]{1,6}", re.IGNORECASE)
_OF_THE_WHOLE_COUNTRY = re.compile(r"1[0-9]{2,7}")  # 112, 14045, 1500123: dialled as it is, from anywhere
_ZERO_AFTER_THE_COUNTRY = re.compile(r"^(\+?62[ .\-]*)\(0\)|^(\+62[ .\-]*)0")
_CHAT_LINK = re.compile(r"(?:https?://)?(?:www\.)?wa\.me/\+?([0-9]+)/?", re.IGNORECASE)

_HOW = "Tulis satu nomor dengan angka, misalnya 0411-555017 atau 0812-3456-7890."
_HOW_TO_BEGIN = "Awali nomor ini dengan kode wilayah atau 08, misalnya 0411-555017 atau 0812-3456-7890."


@dataclass(frozen=True)
class PhoneNumber:
    """One number in Indonesia."""

    written: str  # as people write it
    target: str  # as any telephone dials it: +62411555017. A number of the whole country: 1500123

    @property
    def link(self) -> str:
        """What a tap on the number opens (RFC 3966)."""
        return f"tel:{self.target}"

    @property
    def chat(self) -> str:
        """The address of a talk on WhatsApp: digits only, with the country."""
        return f"https://wa.me/{self.target.removeprefix('+')}"


@dataclass(frozen=True)
class NotAPhone:
    """Why a text is no number, as a sentence that says what to do."""

    sentence: str


def dialled(written: str | None) -> str | None:
    """The digits to dial inside the country. None if the text holds no number that can be dialled."""
    digits = _digits(written or "")
    if digits.startswith(_COUNTRY):
        digits = "0" + digits.removeprefix(_COUNTRY)
    return digits if len(digits) >= _FEWEST_DIGITS and digits.strip("0") else None


def read_phone_number(typed: str) -> PhoneNumber | NotAPhone:
    """One number, as offices write it: (0411) 555-017 ext. 12, +62 411 555017, 0812 3456 7890, 1500123."""
    text = one_line(typed).translate(_DASHES).removeprefix("tel:")
    extension = _EXTENSION.search(text)
    number = text[: extension.start()] if extension and extension.end() == len(text) else text
    if not _WRITTEN.fullmatch(number):
        return NotAPhone(_HOW)
    if len(text) > LONGEST_WRITTEN:
        return NotAPhone(f"Nomor ini terlalu panjang. {_HOW}")
    digits = _digits(_ZERO_AFTER_THE_COUNTRY.sub(_without_zero, number))
    if not number.startswith("+") and is_of_the_whole_country(digits):
        return PhoneNumber(text, digits)
    if digits.startswith(_COUNTRY) and (number.startswith("+") or len(digits) > _FEWEST_DIGITS + 2):
        in_country = digits.removeprefix(_COUNTRY)
    elif digits.startswith("0"):
        in_country = digits[1:]
    else:
        is_foreign = number.startswith("+")
        return NotAPhone("Isi nomor Indonesia, misalnya +62 411 555017." if is_foreign else _HOW_TO_BEGIN)
    if in_country.startswith("0"):
        return NotAPhone(_HOW_TO_BEGIN)
    if not _FEWEST_DIGITS <= len(in_country) < _MOST_DIGITS:
        fault = "pendek" if len(in_country) < _FEWEST_DIGITS else "panjang"
        return NotAPhone(f"Nomor ini terlalu {fault}. {_HOW}")
    return PhoneNumber(text, f"+{_COUNTRY}{in_country}")


def read_chat_number(typed: str) -> PhoneNumber | NotAPhone:
    """A number with WhatsApp, or the link to it. It has no extension, and is no number of the whole
    country."""
    link = _CHAT_LINK.fullmatch(one_line(typed))
    match read_phone_number(f"+{link[1]}" if link else typed):
        case PhoneNumber(written, target) if not target.startswith("+") or _EXTENSION.search(written):
            return NotAPhone("Isi nomor WhatsApp yang lengkap, misalnya 0812-3456-7890.")
        case read:
            return read


def is_of_the_whole_country(digits: str) -> bool:
    return _OF_THE_WHOLE_COUNTRY.fullmatch(digits) is not None


def _digits(written: str) -> str:
    return "".join(letter for letter in written if letter.isascii() and letter.isdigit())


def _without_zero(found: re.Match[str]) -> str:
    return found[1] or found[2]
