"""Where mails that do not arrive come back to: a separate address for each mail.

Only letters and digits stand after the plus, and case does not matter, because gateways change that. Only the
signature is trusted, and nothing that a report says about itself, because anybody can write a report.
"""

import binascii
import re
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass

_PART = 20  # letters of base32: 96 bits of a reference, 100 of a signature
# RFC 5321 leaves this much for the name before the plus
LONGEST_BOX = 64 - len("+") - _PART - len("-") - _PART
_MARK = re.compile(rf"(?:^|\+)([a-z2-7]{{{_PART}}})-([a-z2-7]{{{_PART}}})(?=@|>|$)", re.IGNORECASE)


@dataclass(frozen=True)
class ReturnPathMark:
    """What stands after the plus: which mail it is, and the signature that proves it."""

    letter: str
    signature: str

    @classmethod
    def of(cls, reference: str, digest: bytes) -> "ReturnPathMark":
        """`reference` is one that `new_reference` has made; `digest` is a keyed hash over it."""
        return cls(_base32(urlsafe_b64decode(reference)), _base32(digest)[:_PART])

    @property
    def reference(self) -> str | None:
        """The name that the mail has for itself; None if the text there is no such name."""
        try:
            return urlsafe_b64encode(b32decode(self.letter.upper() + "====")).decode()
        except binascii.Error:
            return None

    def put_on(self, address: str) -> str:
        """bounce@contoh.go.id becomes bounce+...-...@contoh.go.id."""
        box, _, domain = address.rpartition("@")
        return f"{box}+{self.letter}-{self.signature}@{domain}"


def marks_in(text: str) -> Iterator[ReturnPathMark]:
    """All texts that could be marks, in an address or a header of addresses, or in the bare part after a
    plus."""
    return (ReturnPathMark(found[1].lower(), found[2].lower()) for found in _MARK.finditer(text))


def _base32(raw: bytes) -> str:
    return b32encode(raw).decode().rstrip("=").lower()
