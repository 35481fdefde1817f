"""The token people type: eight letters cut from a keyed hash, and its spellings."""

import re
import secrets
from dataclasses import dataclass

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels (no words), no Y; 20^8 = 25.6 thousand million codes
CODE_LENGTH = 8
_LONGEST_INPUT = 2000
_REFERENCE = r"[A-Za-z0-9_-]{16}"
_LINK = re.compile(rf"({_REFERENCE}\.[A-Za-z0-9_-]{{43}})/?")


@dataclass(frozen=True)
class Code:
    """Eight letters of ALPHABET, upper case."""

    letters: str

    @property
    def shown(self) -> str:
        """As the mail shows it: WDJB-MJHT."""
        return f"{self.letters[:4]}-{self.letters[4:]}"


@dataclass(frozen=True)
class Link:
    """What stands behind the last slash of a mailed link: the request's reference, a dot, the signature."""

    text: str

    @property
    def reference(self) -> str:
        return self.text.split(".")[0]


def new_reference() -> str:
    """16 URL-safe characters, 96 random bits: names a row outside without telling how many there are."""
    return secrets.token_urlsafe(12)


def new_row_key() -> bytes:
    """32 random bytes. Alone they open nothing."""
    return secrets.token_bytes(32)


def code_from(digest: bytes) -> Code:
    """Cut the code from a keyed hash of 32 bytes. The bias of the division is below 2^-200."""
    number = int.from_bytes(digest, "big")
    letters = []
    for _ in range(CODE_LENGTH):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return Code("".join(letters))


def read_secret(typed: str) -> Code | Link | None:
    """Read what was typed or pasted as a token: the code in any case and spacing, or the whole mailed link.

    None when it can be neither. Nothing is guessed: a letter outside the alphabet makes it no code.
    """
    if len(typed) > _LONGEST_INPUT:
        return None
    text = typed.strip()
    if link := _LINK.fullmatch(text.rsplit("/konfirmasi-reset-password/", 1)[-1]):
        return Link(link[1])
    letters = re.sub(r"[\s\-\u00ad\u200b-\u200f\u2010-\u2015\u2060\u2212\ufeff]+", "", text)
    code = letters.upper()
    # isascii before capitals: some letters of other alphabets become ours there
    if letters.isascii() and len(code) == CODE_LENGTH and all(letter in ALPHABET for letter in code):
        return Code(code)
    return None
