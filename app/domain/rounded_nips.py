"""Whether the NIPs of one file went through a number of 64 bits, in a data frame or a script, and are not the
true ones.

Such a number has 53 bits: of 32 NIPs one passes unharmed, and the others become neighbours of theirs that
look right. One such NIP tells nothing. Five, and half of all, do: of ten true ones, it comes about once in a
hundred thousand files.
"""

import re
from decimal import Decimal

_FEWEST = 5
_IN_TEXT = re.compile(r"(?<![0-9])[0-9]{18}(?![0-9])")
_IN_BYTES = re.compile(rb"(?<![0-9])[0-9]{18}(?![0-9])")


class NipsOfFile:
    """Looks at a file once from end to end, and keeps three counts."""

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
    """Of a cell in a file whose NIPs are. One that ends in 000 is known by itself, and told in its own
    words."""
    return any(
        nip % 1000 and (_is_exact(nip) or _is_shortest(nip)) for nip in map(int, _IN_TEXT.findall(cell))
    )


def _is_exact(nip: int) -> bool:
    """As most programs write the number out."""
    return int(float(nip)) == nip


def _is_shortest(nip: int) -> bool:
    """As JavaScript writes it out: the fewest digits that tell the number from its neighbours, and zeros
    behind them."""
    return nip % 10 == 0 and int(Decimal(repr(float(nip)))) == nip
