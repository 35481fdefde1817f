"""A table as XLSX: the first sheet of a workbook, within bounds."""

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from io import BufferedReader
from typing import IO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from app.domain.rounded_nips import NipsOfFile
from app.domain.spreadsheet_cell import MOST_DIGITS
from app.domain.staff_file import CellFault, Columns
from app.files.delimited_line import LONGEST_ROW, NAMES_SEPARATOR, cells_of, delimiter_of, line_in_one_cell
from app.files.lost_cells import MOST_LOST_CELLS, Lost, TooManyLost, column_number, lost_cells
from app.files.table import CHUNK, TOO_LONG, Row, Sheet, UnreadableFile, header_of

MOST_XLSX_CELLS = 4_000_000  # python-calamine keeps 32 bytes for every cell of the used rectangle: 128 MB
MOST_XLSX_BYTES = 1 << 30  # unpacked
_CELL_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{0,3})([0-9]{1,7})["']""")
_LONGEST_REFERENCE = 64
_LONGEST_NAME = 4096  # characters; a longer cell names no separator


class WorkbookRows:
    """Every row of the first sheet that holds something, as texts, counted as the spreadsheet counts."""

    def __init__(self, file: BufferedReader) -> None:
        self._lost = _check_workbook(file)
        self.sheet = _first_sheet(file)
        height = self.sheet.total_height + 1
        self.total = max(height, *self._lost) if self._lost else height

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Cells that the reader has lost are put back."""
        first_column = self.sheet.start[1] if self.sheet.start else 0
        number = 0
        for number, cells in enumerate(self.sheet.iter_rows(), start=1):
            texts = self._with_lost([_as_text(cell) for cell in cells], number, first_column)
            if any(text.strip() for text in texts):
                yield number, texts
        for beyond in sorted(row for row in self._lost if row > number):
            yield beyond, self._with_lost([], beyond, first_column)

    def _with_lost(self, texts: list[str], number: int, first_column: int) -> list[str]:
        for column, what in self._lost.get(number, {}).items():
            place = max(column - 1 - first_column, 0)
            texts.extend([""] * (place + 1 - len(texts)))
            texts[place] = what
        return texts


class XlsxSheet(Sheet):
    """The first sheet. Position and total in rows."""

    delimiter = ","

    def __init__(self, file: BufferedReader, columns: Columns) -> None:
        rows = WorkbookRows(file)
        self.total = rows.total
        self._rows = iter(rows)
        self._number, first = next(self._rows, (0, []))
        while first and _names_separator(first):
            self._number, first = next(self._rows, (0, []))
        if not first:
            raise UnreadableFile(
                "Lembar pertama file ini kosong. Pindahkan data ke lembar pertama, lalu coba lagi."
            )
        self._inner_delimiter = self.delimiter
        if inner := line_in_one_cell(first):
            self._is_wrapped, self._inner_delimiter = True, delimiter_of(inner)
            first = cells_of(inner, self._inner_delimiter)
        self.header = header_of(first, columns)
        self._are_nips_rounded = _nips_of(rows.sheet).are_rounded

    @property
    def position(self) -> int:
        return self._number

    def lines(self) -> Iterator[Row]:
        for number, cells in self._rows:
            self._number = number
            if sum(map(len, cells)) > LONGEST_ROW:
                yield self._line(number, (), TOO_LONG)
                continue
            found = self._found_in(cells) if self._is_wrapped else cells
            if isinstance(found, CellFault):
                yield self._line(number, cells_of(cells[0].replace('"', ""), self._inner_delimiter), found)
            else:
                yield self._line(number, found)


def _names_separator(cells: Sequence[str]) -> bool:
    return len(cells[0]) < _LONGEST_NAME and NAMES_SEPARATOR.fullmatch("".join(cells).strip()) is not None


def _first_sheet(file: BufferedReader) -> CalamineSheet:
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        return workbook.get_sheet_by_index(0)
    except (CalamineError, OSError) as error:
        raise _broken_xlsx() from error


def _nips_of(sheet: CalamineSheet) -> NipsOfFile:
    """The NIPs that stand there as text. A number with that many digits is refused by itself."""
    nips = NipsOfFile()
    for cells in sheet.iter_rows():
        for cell in cells:
            if isinstance(cell, str):
                nips.look_at(cell)
    return nips


def _broken_xlsx() -> UnreadableFile:
    return UnreadableFile(
        "File XLSX ini rusak atau tidak lengkap. Buka di Excel, simpan ulang sebagai .xlsx atau CSV UTF-8."
    )


def _check_workbook(file: BufferedReader) -> Lost:
    """A stray cell at the far end of a sheet, or a packed bomb, would take all memory and stop the process.
    Returns the cells that the workbook's reader would leave out."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise UnreadableFile("File ini arsip, bukan XLSX. Pakai file CSV (UTF-8) atau XLSX.")
            if sum(part.file_size for part in parts) > MOST_XLSX_BYTES:
                raise UnreadableFile(
                    "File XLSX ini terlalu besar. Simpan sebagai CSV UTF-8: ukurannya boleh berapa saja."
                )
            for part in parts:
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", part.filename):
                    with archive.open(part) as sheet:
                        _check_extent(sheet)
            return lost_cells(archive)
    except TooManyLost:
        raise UnreadableFile(
            f"Lembar ini berisi lebih dari {MOST_LOST_CELLS} rumus tanpa hasil. "
            "Buka di Excel, salin tabelnya, dan tempel sebagai nilai (Values) ke file baru."
        ) from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise _broken_xlsx() from error
    finally:
        file.seek(0)


def _check_extent(sheet: IO[bytes]) -> None:
    columns: set[bytes] = set()
    last_row = 0
    tail = b""
    while chunk := sheet.read(CHUNK):
        references = _CELL_REFERENCE.findall(tail + chunk)
        columns.update(column for column, _ in references)
        last_row = max(last_row, max((int(row) for _, row in references), default=0))
        tail = chunk[-_LONGEST_REFERENCE:]
    if last_row * max((column_number(column.decode()) for column in columns), default=0) > MOST_XLSX_CELLS:
        raise UnreadableFile(
            "Lembar XLSX ini terlalu besar, atau ada sel terisi yang jauh dari tabel. "
            "Hapus sel itu, atau simpan sebagai CSV UTF-8: ukurannya boleh berapa saja."
        )


def _as_text(cell: object) -> str:
    """A number as it looks in its cell: 1001, not 1001.0. A number with more digits than a spreadsheet keeps
    is written so that nobody takes its digits for the true ones, not even in the list of refused rows. A
    fraction is written with a comma, which no column accepts, because 73.1 may have been 73.10."""
    match cell:
        case bool():
            return str(cell).upper()
        case int() | float() if abs(cell) >= 10**MOST_DIGITS:
            return f"{cell:.{MOST_DIGITS - 1}E}"
        case float():
            return str(int(cell)) if cell.is_integer() else str(cell).replace(".", ",")
        case _:
            return str(cell)
