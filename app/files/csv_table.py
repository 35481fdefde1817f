"""A table as CSV, delimited and quoted in any way."""

import csv
import os
from codecs import getincrementaldecoder
from collections.abc import Iterator
from io import BufferedReader, TextIOWrapper

from app.domain.rounded_nips import NipsOfFile
from app.domain.staff_file import CellFault, Columns
from app.files.delimited_line import (
    LONGEST_ROW,
    NAMES_SEPARATOR,
    OPEN_QUOTE,
    cells_of,
    delimiter_of,
    line_in_one_cell,
)
from app.files.table import (
    CHUNK,
    MOST_READ_AGAIN,
    TOO_LONG,
    Row,
    Sheet,
    UnreadableFile,
    header_of,
)

MOST_EMPTY_ROWS = 100_000  # of a CSV; while they are skipped, nobody hears how far the file is


class CsvSheet(Sheet):
    """Position and total in bytes."""

    def __init__(self, file: BufferedReader, columns: Columns) -> None:
        self._file = file
        self.total = os.fstat(file.fileno()).st_size
        self._are_nips_rounded = check_text(file).are_rounded
        self._text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self._physical = _PhysicalLines(self._text)
        first = self._first_line()
        if NAMES_SEPARATOR.fullmatch(first.strip()):
            first = self._first_line()  # the header shows the delimiter
        self.delimiter = self._inner_delimiter = delimiter_of(first)
        cells = cells_of(first, self.delimiter)
        if inner := line_in_one_cell(cells):
            self._is_wrapped, self._inner_delimiter = True, delimiter_of(inner)
            if len(cells) == 1:  # nothing stands behind the quotes, so a line without quotes is also one line
                self.delimiter = self._inner_delimiter
            cells = cells_of(inner, self._inner_delimiter)
        self.header = header_of(cells, columns)

    @property
    def position(self) -> int:
        return self._file.tell()

    def lines(self) -> Iterator[Row]:
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
                    yield self._line(number, (), TOO_LONG)
                else:
                    # Without its quotes, the line can at least be shown in the list of refused rows.
                    yield self._line(number, cells_of(first.replace('"', ""), self.delimiter), OPEN_QUOTE)
                continue
            if any(map(str.strip, cells)):
                found = self._found_in(cells)
                if isinstance(found, CellFault):
                    yield self._line(number, cells_of(cells[0].replace('"', ""), self.delimiter), found)
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


class _RowTooLong(Exception):
    """A row was longer than LONGEST_ROW."""


class _PhysicalLines:
    """The lines of a text as csv.reader takes them, never more than LONGEST_ROW characters for one row.

    A quote that is never closed would swallow the rest of the file. Such a row is given up, and all its lines
    except the first are read again as rows of their own.
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
        """A line that is cut at LONGEST_ROW ends there: the rest of it is skipped."""
        if line.endswith(("\n", "\r")):
            return line
        while (rest := self._text.readline(CHUNK)) and not rest.endswith(("\n", "\r")):
            pass
        return f"{line}\n"


def check_text(file: BufferedReader) -> NipsOfFile:
    """The whole file must be UTF-8 without NUL; one quick pass checks that. Returns what the NIPs of the file
    are like."""
    decoder = getincrementaldecoder("utf-8")()
    nips = NipsOfFile()
    line = 1
    while chunk := file.read(CHUNK):
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
        # A NIP that lies across two chunks is left out, which does not matter among thousands
        nips.look_at(chunk)
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
