"""One line of delimited cells. It stands in a CSV, or as a whole in one cell of a spreadsheet."""

import csv
import re
from collections.abc import Sequence

from app.domain.staff_file import CellFault

# Characters; ten times as many as all fields of a person may hold together.
LONGEST_ROW = 16_000
_DELIMITERS = (",", ";", "\t", "|")
# The first line that Excel itself writes, which names the separator. Another program may have put quotes
# around it, or separators after it.
NAMES_SEPARATOR = re.compile(r"""["']?sep=(?:\\t|[^\r\n])?["']?[,;|\t ]*""", re.IGNORECASE)
OPEN_QUOTE = CellFault(
    None, 'Tanda kutip (") tidak berpasangan. Hapus tanda kutipnya, atau tutup pada sel yang sama.'
)


def cells_of(line: str, delimiter: str) -> list[str]:
    """For a header, and to show what cannot be read: here a line break in a cell, or a text that is too long,
    does not separate anything."""
    text = re.sub(r"[\r\n]+", " ", line[:LONGEST_ROW].strip("\r\n"))
    return next(csv.reader([text], delimiter=delimiter, skipinitialspace=True))


def strict_cells_of(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True))


def delimiter_of(header: str) -> str:
    return max(_DELIMITERS, key=lambda delimiter: len(cells_of(header, delimiter)))


def line_in_one_cell(header: Sequence[str]) -> str | None:
    """The line that the header holds in its one cell; None for a usual header."""
    if not header or any(cell.strip() for cell in header[1:]):
        return None
    line = header[0].strip("\ufeff \t\r\n")
    return line if any(delimiter in line for delimiter in _DELIMITERS) else None
