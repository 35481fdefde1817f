"""Whether the NIPs of one file were numbers of 64 bits at some time, in a data frame or a script, and so are
not the true ones.

Such a number has 53 bits for its digits: of 32 NIPs one stays as it was, and the others become nearby numbers
that look right. One such NIP proves nothing. Five such NIPs that are at least half of all prove it: with ten
true NIPs, chance does this about once in a hundred thousand files.
"""

import re
from decimal import Decimal

_FEWEST = 5
_IN_TEXT = re.compile(r"(?<![0-9])[0-9]{18}(?![0-9])")
_IN_BYTES = re.compile(rb"(?<![0-9])[0-9]{18}(?![0-9])")


class NipsOfFile:
    """Looks at a file once from beginning to end, and keeps three counts."""

    def __init__(self) -> None:
        self._count = self._exact = self._shortest = 0

    def look_at(self, some: str | bytes) -> None:
        found = _IN_BYTES.findall(some) if isinstance(some, bytes) else _IN_TEXT.findall(some)
        for digits in found:
            nip = int(digits)
            has_sequence = nip % 1000 != 0
            self._count += 1
            self._exact += not has_sequence or _is_exact(nip)
            self._shortest += not has_sequence or _is_shortest(nip)

    @property
    def are_rounded(self) -> bool:
        most = max(self._exact, self._shortest)
        return most >= _FEWEST and most * 2 >= self._count


def may_be_rounded(cell: str) -> bool:
    """Whether a cell may be rounded, in a file whose NIPs are rounded. A NIP that ends in 000 is recognised
    by itself, and has its own sentence."""
    return any(
        nip % 1000 and (_is_exact(nip) or _is_shortest(nip)) for nip in map(int, _IN_TEXT.findall(cell))
    )


def _is_exact(nip: int) -> bool:
    """Whether the NIP looks like the number that most programs write out."""
    return int(float(nip)) == nip


def _is_shortest(nip: int) -> bool:
    """Whether the NIP looks like the number that JavaScript writes out: the fewest digits that tell the
    number from its neighbours, and zeros after them."""
    return nip % 10 == 0 and int(Decimal(repr(float(nip)))) == nip
