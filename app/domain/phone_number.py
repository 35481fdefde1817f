"""A telephone number as it is dialled, however it was written."""

_FEWEST_DIGITS = 7  # a number with its area code; a shorter one cannot be dialled: "-", "0", an extension
_COUNTRY = "62"


def dialled(written: str | None) -> str | None:
    """The digits to dial inside the country. None if the text holds no number that can be dialled."""
    digits = "".join(letter for letter in written or "" if letter.isascii() and letter.isdigit())
    if digits.startswith(_COUNTRY):
        digits = "0" + digits.removeprefix(_COUNTRY)
    return digits if len(digits) >= _FEWEST_DIGITS and digits.strip("0") else None
