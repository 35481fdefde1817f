"""Somebody hands over a table as CSV or XLSX, from any program. It is read as a stream of rows.

A fault that makes the whole file unusable is found before the first row is given out, so that no file is
taken over only in part. A fault that makes one row unusable is reported with that row, and the next row is
read.
"""

import csv
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from app.domain.categories import read_category
from app.domain.rounded_nips import may_be_rounded
from app.domain.staff_file import NIPS_ROUNDED, CellFault, Columns, HeaderFaults, read_header, unguarded
from app.files.delimited_line import LONGEST_ROW, OPEN_QUOTE, strict_cells_of

# Lines of a CSV inside quotes that are never closed; each such row would read on for thousands of lines
MOST_READ_AGAIN = 100_000

CHUNK = 1 << 20

READS_ANOTHER = "Portal sedang membaca file lain. Coba lagi sebentar lagi."
TOO_LONG = CellFault(
    None, f"Baris ini lebih panjang dari {LONGEST_ROW} karakter. Periksa isinya, atau hapus baris ini."
)


class UnreadableFile(Exception):
    """The file as a whole cannot be read. The message is a sentence that says what to do."""


class Row(NamedTuple):
    """One row below the header. `number` is the line number where it starts, as an editor or a spreadsheet
    counts. If there is a fault, `cells` hold what could be read, only to show it."""

    number: int
    cells: Mapping[str, str]
    fault: CellFault | None = None


class Sheet(ABC):
    """A table whose header has been read. `position` out of `total` tells how far `lines` has come."""

    header: tuple[str, ...]
    delimiter: str
    total: int
    _inner_delimiter: str  # of a line that stands in one cell
    _is_wrapped = False  # whether the header stands in one cell
    _are_nips_rounded = False  # only all NIPs together show this

    @property
    @abstractmethod
    def position(self) -> int: ...

    @abstractmethod
    def lines(self) -> Iterator[Row]:
        """Every row that is not empty, each once."""

    def _found_in(self, cells: Sequence[str]) -> Sequence[str] | CellFault:
        """The cells of a row. A spreadsheet of another locale may put the whole line into one cell, and quote
        it if the line itself holds quotes or separators. Such a line is one row of the same file."""
        if len(self.header) < 2 or not cells[0].strip() or any(map(str.strip, cells[1:])):
            return cells
        try:
            inner = strict_cells_of(cells[0].strip(), self._inner_delimiter)
        except csv.Error:
            return OPEN_QUOTE if self._inner_delimiter in cells[0] else cells
        while len(inner) > len(self.header) and not inner[-1].strip():
            inner.pop()
        return inner if len(inner) == len(self.header) or (len(inner) > 1 and self._is_wrapped) else cells

    def _line(self, number: int, cells: Sequence[str], fault: CellFault | None = None) -> Row:
        found = dict(zip(self.header, map(unguarded, cells), strict=False))
        if fault is None and len(cells) != len(self.header):
            fault = self._fault_of_count(cells)
        if fault is None and self._are_nips_rounded and may_be_rounded(found.get("nip", "")):
            fault = NIPS_ROUNDED
        return Row(number, found, fault)

    def _fault_of_count(self, cells: Sequence[str]) -> CellFault | None:
        filled = max((position for position, cell in enumerate(cells, start=1) if cell.strip()), default=0)
        if len(cells) > len(self.header) >= filled:
            return None
        if (
            filled == len(self.header) + 1
            and self.delimiter == ","
            and _is_parted_address(self.header, cells)
        ):
            return CellFault(
                "email", "Ada koma sesudah tanda @, sehingga selnya terbelah. Ganti koma itu dengan titik."
            )
        return _wrong_count(max(filled, min(len(cells), len(self.header))), len(self.header))


def in_batches(lines: Iterable[Row], size: int) -> Iterator[list[Row]]:
    remaining = iter(lines)
    while batch := list(islice(remaining, size)):
        yield batch


def header_of(cells: Sequence[str], columns: Columns) -> tuple[str, ...]:
    header = read_header(cells, columns)
    if isinstance(header, HeaderFaults):
        if len(cells) == 1 and sum(name in cells[0].casefold() for name in columns.required) > 1:
            raise UnreadableFile(
                "Semua judul kolom ada dalam satu sel: tanda pemisahnya tidak dikenal. Pisahkan sel dengan "
                "koma, titik koma, tab, atau garis tegak (|), atau simpan sebagai XLSX."
            )
        raise UnreadableFile(" ".join(header.sentences))
    return header


def _is_parted_address(header: Sequence[str], cells: Sequence[str]) -> bool:
    """A comma was typed instead of a dot, and the comma begins a new cell: nama@contoh.go,id."""
    if "email" not in header or "kategori" not in header:
        return False
    at, kind = header.index("email"), header.index("kategori")
    first, rest = cells[at : at + 2]
    if kind > at and (read_category(cells[kind]) or not read_category(cells[kind + 1])):
        return False  # the following cells have not moved, so the extra cell is elsewhere
    return "@" in first and re.fullmatch(r"[A-Za-z0-9-]+(?:\.[A-Za-z]{2,})*", rest.strip()) is not None


def _wrong_count(found: int, wanted: int) -> CellFault:
    sentence = (
        f"Baris ini hanya berisi {{}} sel, seharusnya {wanted}. Lengkapi, dan pisahkan sel "
        "seperti pada baris judul."
        if found < wanted
        else f"Baris ini berisi {{}} sel, seharusnya {wanted}. "
        "Hapus kelebihannya, atau beri tanda kutip pada sel yang berisi tanda pemisah."
    )
    return CellFault.of_row(None, sentence, found, "beberapa")
