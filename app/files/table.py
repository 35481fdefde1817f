"""Somebody hands over a table, as CSV or XLSX, from whatever program wrote it. It is read as a stream of
lines.

What makes a whole file unusable is found before its first line is given out, so that no file is taken over by
half. What makes a line unusable is said with the line, and the next one is read.
"""

import csv
import os
import re
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from app.domain.categories import read_category
from app.domain.rounded_nips import NipsOfFile, may_be_rounded
from app.domain.spreadsheet_cell import MOST_DIGITS
from app.domain.staff_file import NIPS_ROUNDED, Columns, Fault, HeaderFaults, read_header, unguarded
from app.files.lost_cells import MOST_LOST_CELLS, Lost, TooManyLost, column_number, lost_cells

LONGEST_ROW = 16_000  # characters; ten times what the fields of a person may hold together
MOST_XLSX_CELLS = 4_000_000  # python-calamine keeps 32 bytes for every cell of the used rectangle: 128 MB
MOST_XLSX_BYTES = 1 << 30  # unpacked
MOST_READ_AGAIN = (
    100_000  # lines of a CSV behind quotes that are never closed; each such row would read on for thousands
)
MOST_EMPTY_ROWS = 100_000  # of a CSV; nobody hears of a file while they are passed over

_CHUNK = 1 << 20
_LOOK_AT = 4096  # bytes; what a file is stands at its beginning
_DELIMITERS = (",", ";", "\t", "|")
# Excel's own first line, which names the separator. Its program may have put quotes around it, or separators
# behind it.
_NAMES_SEPARATOR = re.compile(r"""["']?sep=(?:\\t|[^\r\n])?["']?[,;|\t ]*""", re.IGNORECASE)
_CELL_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{0,3})([0-9]{1,7})["']""")
_LONGEST_REFERENCE = 64
_OTHER_FORMATS = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x7fELF",
)
_XLSX, _OLD_EXCEL, _UTF_16 = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", (b"\xff\xfe", b"\xfe\xff")

_TOO_LONG = Fault(
    None, f"Baris ini lebih panjang dari {LONGEST_ROW} karakter. Periksa isinya, atau hapus baris ini."
)
_OPEN_QUOTE = Fault(
    None, 'Tanda kutip (") tidak berpasangan. Hapus tanda kutipnya, atau tutup pada sel yang sama.'
)


class UnreadableFile(Exception):
    """The file as a whole cannot be read. The message is a sentence that says what to do."""


@dataclass(frozen=True)
class Line:
    """One row below the header. `number` is where it starts, as an editor or a spreadsheet counts. With a
    fault, `cells` hold what could be read, for showing only."""

    number: int
    cells: Mapping[str, str]
    fault: Fault | None = None


class Sheet(ABC):
    """A table with its header read. `position` out of `total` tells how far `lines` has come."""

    header: tuple[str, ...]
    delimiter: str
    total: int
    _inner_delimiter: str  # of a line that stands in one cell
    _is_wrapped = False  # as the header does
    _are_nips_rounded = False  # which only all of them together tell

    @property
    @abstractmethod
    def position(self) -> int: ...

    @abstractmethod
    def lines(self) -> Iterator[Line]:
        """Every row that is not empty, once."""

    def _found_in(self, cells: Sequence[str]) -> Sequence[str] | Fault:
        """The cells of a row. A spreadsheet of another locale has put the whole line into one cell, and
        quoted it where the line holds quotes or separators of its own: that is one row of the same file."""
        filled = [cell for cell in cells if cell.strip()]
        if len(filled) != 1 or len(self.header) < 2 or not cells[0].strip():
            return cells
        try:
            inner = _strict_cells_of(cells[0].strip(), self._inner_delimiter)
        except csv.Error:
            return _OPEN_QUOTE if self._inner_delimiter in cells[0] else cells
        while len(inner) > len(self.header) and not inner[-1].strip():
            inner.pop()
        return inner if len(inner) == len(self.header) or (len(inner) > 1 and self._is_wrapped) else cells

    def _line(self, number: int, cells: Sequence[str], fault: Fault | None = None) -> Line:
        found = dict(zip(self.header, (unguarded(cell) for cell in cells), strict=False))
        filled = max((position for position, cell in enumerate(cells, start=1) if cell.strip()), default=0)
        if fault is None and (len(cells) < len(self.header) or filled > len(self.header)):
            fault = Fault(
                None, _wrong_count(max(filled, min(len(cells), len(self.header))), len(self.header))
            )
            if (
                filled == len(self.header) + 1
                and self.delimiter == ","
                and _is_parted_address(self.header, cells)
            ):
                fault = Fault(
                    "email",
                    "Ada koma sesudah tanda @, sehingga selnya terbelah. Ganti koma itu dengan titik.",
                )
        if fault is None and self._are_nips_rounded and may_be_rounded(found.get("nip", "")):
            fault = NIPS_ROUNDED
        return Line(number, found, fault)


@contextmanager
def opened(path: Path, columns: Columns) -> Iterator[Sheet]:
    """Open a CSV or an XLSX, known by its content and not by its name; raises UnreadableFile."""
    with ExitStack() as stack:
        try:
            sheet = sheet_in(stack.enter_context(_regular_file(path)), columns)
        except OSError as error:
            raise UnreadableFile(_sentence_about(error)) from error
        yield sheet


def sheet_in(file: BufferedReader, columns: Columns) -> Sheet:
    """The table in a file that is open already; raises UnreadableFile."""
    start = file.read(_LOOK_AT)
    file.seek(0)
    refuse_other_formats(start)
    return _XlsxSheet(file, columns) if is_workbook(start) else _CsvSheet(file, columns)


def refuse_other_formats(start: bytes) -> None:
    """Tell from a file's first bytes that it cannot be a table; raises UnreadableFile."""
    if not start:
        raise UnreadableFile("File ini kosong. Simpan ulang dari program asalnya, lalu coba lagi.")
    if start.startswith(_OLD_EXCEL):
        raise UnreadableFile(
            "File ini berformat Excel lama (.xls) atau dikunci password. "
            "Simpan ulang sebagai .xlsx tanpa password, atau CSV UTF-8."
        )
    if start.startswith(_UTF_16):
        raise UnreadableFile('File ini berupa teks UTF-16. Simpan ulang di Excel sebagai "CSV UTF-8".')
    if start.startswith(_OTHER_FORMATS):
        raise UnreadableFile("File ini bukan tabel. Pakai file CSV (UTF-8) atau XLSX.")


def is_workbook(start: bytes) -> bool:
    return start.startswith(_XLSX)


def in_batches(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    remaining = iter(lines)
    while batch := list(islice(remaining, size)):
        yield batch


def _regular_file(path: Path) -> BufferedReader:
    """Nothing else: a directory has no lines, and a pipe can be read once only, and waits for ever."""
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        raise UnreadableFile("Ini folder, bukan file. Sebutkan satu file CSV atau XLSX.")
    if not stat.S_ISREG(kind):
        raise UnreadableFile("Ini bukan file biasa. Simpan dahulu isinya sebagai file CSV atau XLSX.")
    return path.open("rb")


def _sentence_about(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "File tidak ditemukan. Periksa nama dan foldernya."
        case PermissionError():
            return "File tidak boleh dibaca oleh pengguna ini. Beri izin baca, lalu coba lagi."
        case _:
            return (
                f"File tidak dapat dibaca ({error.strerror or 'kesalahan disk'}). Salin ke tempat lain, "
                "lalu coba lagi."
            )


def _header(cells: Sequence[str], columns: Columns) -> tuple[str, ...]:
    header = read_header(cells, columns)
    if isinstance(header, HeaderFaults):
        if len(cells) == 1 and sum(name in cells[0].casefold() for name in columns.required) > 1:
            raise UnreadableFile(
                "Semua judul kolom ada dalam satu sel: tanda pemisahnya tidak dikenal. Pisahkan sel dengan "
                "koma, titik koma, "
                "tab, atau garis tegak (|), atau simpan sebagai XLSX."
            )
        raise UnreadableFile(" ".join(header.sentences))
    return header


def _is_parted_address(header: Sequence[str], cells: Sequence[str]) -> bool:
    """A comma in the place of a dot, where a comma begins a new cell: nama@contoh.go,id."""
    if "email" not in header or "kategori" not in header:
        return False
    at, kind = header.index("email"), header.index("kategori")
    first, rest = cells[at : at + 2]
    if kind > at and (read_category(cells[kind]) or not read_category(cells[kind + 1])):
        return False  # what follows has not moved, so the cell too many is elsewhere
    return "@" in first and re.fullmatch(r"[A-Za-z0-9-]+(?:\.[A-Za-z]{2,})*", rest.strip()) is not None


def _wrong_count(found: int, wanted: int) -> str:
    if found < wanted:
        return (
            f"Baris ini hanya berisi {found} sel, seharusnya {wanted}. Lengkapi, dan pisahkan sel "
            "seperti pada baris judul."
        )
    return (
        f"Baris ini berisi {found} sel, seharusnya {wanted}. "
        "Hapus kelebihannya, atau beri tanda kutip pada sel yang berisi tanda pemisah."
    )


class _CsvSheet(Sheet):
    """Position and total in bytes."""

    def __init__(self, file: BufferedReader, columns: Columns) -> None:
        self._file = file
        self.total = os.fstat(file.fileno()).st_size
        self._are_nips_rounded = _check_text(file).are_rounded
        self._text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self._physical = _PhysicalLines(self._text)
        first = self._first_line()
        if _NAMES_SEPARATOR.fullmatch(first.strip()):
            first = self._first_line()  # the header shows what separates
        self.delimiter = self._inner_delimiter = _delimiter_of(first)
        cells = _cells_of(first, self.delimiter)
        if inner := _line_in_one_cell(cells):
            self._is_wrapped, self._inner_delimiter = True, _delimiter_of(inner)
            if len(cells) == 1:  # nothing behind the quoted line: a line without quotes is one as well
                self.delimiter = self._inner_delimiter
            cells = _cells_of(inner, self._inner_delimiter)
        self.header = _header(cells, columns)

    @property
    def position(self) -> int:
        return self._file.tell()

    def lines(self) -> Iterator[Line]:
        rows = csv.reader(self._physical, delimiter=self.delimiter, skipinitialspace=True, strict=True)
        empty = 0
        while True:
            number = self._physical.begin_row()
            try:
                cells = next(rows)
            except StopIteration:
                return
            except UnicodeDecodeError as error:
                raise UnreadableFile(
                    "File ini berubah saat dibaca. Tunggu sampai selesai disimpan, lalu coba lagi."
                ) from error
            except (_RowTooLong, csv.Error):
                first = self._physical.give_up_row()
                if len(first) > LONGEST_ROW:
                    yield self._line(number, (), _TOO_LONG)
                else:
                    # Without its quotes it can at least be told in the list of refused rows.
                    yield self._line(number, _cells_of(first.replace('"', ""), self.delimiter), _OPEN_QUOTE)
                continue
            if any(cell.strip() for cell in cells):
                found = self._found_in(cells)
                if isinstance(found, Fault):
                    yield self._line(number, _cells_of(cells[0].replace('"', ""), self.delimiter), found)
                else:
                    yield self._line(number, found)
                continue
            empty += 1
            if empty > MOST_EMPTY_ROWS:
                raise UnreadableFile(
                    "File ini berisi terlalu banyak baris kosong. Hapus baris kosongnya, lalu coba lagi."
                )

    def _first_line(self) -> str:
        """The header, below any empty lines."""
        self._physical.begin_row()
        try:
            for line in self._physical:
                if line.strip():
                    return line
        except _RowTooLong:
            raise UnreadableFile(
                f"Baris judul lebih panjang dari {LONGEST_ROW} karakter. Periksa apakah ini file CSV."
            ) from None
        raise UnreadableFile("File ini tidak berisi apa-apa. Isi baris judul dan datanya, lalu coba lagi.")


def _cells_of(line: str, delimiter: str) -> list[str]:
    """For a header, and to show what cannot be read: here a line break in a cell, and what is too long, parts
    nothing."""
    text = re.sub(r"[\r\n]+", " ", line[:LONGEST_ROW].strip("\r\n"))
    return next(csv.reader([text], delimiter=delimiter, skipinitialspace=True))


def _strict_cells_of(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True))


def _delimiter_of(header: str) -> str:
    return max(_DELIMITERS, key=lambda delimiter: len(_cells_of(header, delimiter)))


def _line_in_one_cell(header: Sequence[str]) -> str | None:
    """The line that a header's one cell holds; None for a header that is what it seems."""
    if not header or any(cell.strip() for cell in header[1:]):
        return None
    line = header[0].strip("\ufeff \t\r\n")
    return line if any(delimiter in line for delimiter in _DELIMITERS) else None


class _RowTooLong(Exception):
    """A row went on beyond LONGEST_ROW."""


class _PhysicalLines:
    """The lines of a text as csv.reader takes them, never more than LONGEST_ROW characters for one row.

    A quote that is never closed would swallow the rest of the file: such a row is given up, and its lines but
    the first are read again as rows of their own.
    """

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._again: list[str] = []  # lines to read again, the next one last
        self._row: list[str] = []
        self._row_length = 0
        self._number = 0
        self._read_again = 0

    def begin_row(self) -> int:
        """The number of the line that the next row starts on."""
        self._row, self._row_length = [], 0
        return self._number + 1

    def give_up_row(self) -> str:
        """The first line of the current row; the others are put back."""
        first, *again = self._row
        self._again.extend(reversed(again))
        self._number -= len(again)
        self._read_again += len(again)
        if self._read_again > MOST_READ_AGAIN:
            raise UnreadableFile(
                'Terlalu banyak tanda kutip (") dalam file ini yang tidak berpasangan. Hapus tanda kutipnya.'
            )
        return first

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else self._text.readline(LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        self._number += 1
        self._row.append(line)
        self._row_length += len(line)
        if self._row_length > LONGEST_ROW:
            self._row[-1] = self._without_rest(line)
            raise _RowTooLong
        return line

    def _without_rest(self, line: str) -> str:
        """A line cut at LONGEST_ROW ends there: what follows of it is passed over."""
        if line.endswith(("\n", "\r")):
            return line
        while (rest := self._text.readline(_CHUNK)) and not rest.endswith(("\n", "\r")):
            pass
        return f"{line}\n"


def _check_text(file: BufferedReader) -> NipsOfFile:
    """UTF-8 throughout, without NUL; one quick pass over the whole file. Returns what its NIPs are like."""
    decoder = getincrementaldecoder("utf-8")()
    nips = NipsOfFile()
    line = 1
    while chunk := file.read(_CHUNK):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].count(b"\n")
            raise UnreadableFile(_not_utf_8(chunk, line)) from error
        if b"\0" in chunk:
            line += chunk[: chunk.index(b"\0")].count(b"\n")
            raise UnreadableFile(
                f"Baris {line} berisi karakter kosong (NUL). Simpan ulang sebagai CSV UTF-8, lalu coba lagi."
            )
        line += chunk.count(b"\n")
        nips.look_at(chunk)  # one that lies across two chunks is not missed among thousands
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UnreadableFile(_not_utf_8(b"", line)) from error
    file.seek(0)
    return nips


def _not_utf_8(chunk: bytes, line: int) -> str:
    if b"\0" in chunk:
        return "File ini bukan tabel. Pakai file CSV (UTF-8) atau XLSX."
    return (
        f'File ini bukan UTF-8 (mulai baris {line}). Simpan ulang di Excel sebagai "CSV UTF-8", lalu '
        "coba lagi."
    )


class _XlsxSheet(Sheet):
    """The first sheet. Position and total in rows."""

    delimiter = ","

    def __init__(self, file: BufferedReader, columns: Columns) -> None:
        self._lost = _check_workbook(file)
        self._sheet = _first_sheet(file)
        self.total = (
            max(self._sheet.total_height + 1, *self._lost) if self._lost else self._sheet.total_height + 1
        )
        self._rows = self._filled_rows()
        self._number, first = next(self._rows, (0, []))
        while first and len(first[0]) < _LOOK_AT and _NAMES_SEPARATOR.fullmatch("".join(first).strip()):
            self._number, first = next(self._rows, (0, []))
        if not first:
            raise UnreadableFile(
                "Lembar pertama file ini kosong. Pindahkan data ke lembar pertama, lalu coba lagi."
            )
        self._inner_delimiter = self.delimiter
        if inner := _line_in_one_cell(first):
            self._is_wrapped, self._inner_delimiter = True, _delimiter_of(inner)
            first = _cells_of(inner, self._inner_delimiter)
        self.header = _header(first, columns)
        self._are_nips_rounded = _nips_of(self._sheet).are_rounded

    @property
    def position(self) -> int:
        return self._number

    def lines(self) -> Iterator[Line]:
        for number, cells in self._rows:
            self._number = number
            if sum(map(len, cells)) > LONGEST_ROW:
                yield self._line(number, (), _TOO_LONG)
                continue
            found = self._found_in(cells) if self._is_wrapped else cells
            if isinstance(found, Fault):
                yield self._line(number, _cells_of(cells[0].replace('"', ""), self._inner_delimiter), found)
            else:
                yield self._line(number, found)

    def _filled_rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row that holds something, counted as the spreadsheet does; what its reader has lost is put
        back."""
        first_column = self._sheet.start[1] if self._sheet.start else 0
        number = 0
        for number, cells in enumerate(self._sheet.iter_rows(), start=1):
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


def _first_sheet(file: BufferedReader) -> CalamineSheet:
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        return workbook.get_sheet_by_index(0)
    except (CalamineError, OSError) as error:
        raise _broken_xlsx() from error


def _nips_of(sheet: CalamineSheet) -> NipsOfFile:
    """Those that stand there as text: a number of so many digits is refused by itself."""
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
    """One stray cell at the far end of a sheet, or a packed bomb, would take all memory and with it the
    process. Returns the cells that its reader would pass over."""
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
    while chunk := sheet.read(_CHUNK):
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
    """A number as it looks in its cell: 1001, not 1001.0. One of more digits than a spreadsheet keeps is
    written so that nobody takes its digits for true ones, not even in the list of refused rows; a fraction
    with a comma, which no column takes: 73.10 has become 73.1."""
    match cell:
        case bool():
            return str(cell).upper()
        case int() | float() if abs(cell) >= 10**MOST_DIGITS:
            return f"{cell:.{MOST_DIGITS - 1}E}"
        case float():
            return str(int(cell)) if cell.is_integer() else str(cell).replace(".", ",")
        case _:
            return str(cell)
