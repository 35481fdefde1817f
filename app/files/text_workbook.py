"""A workbook of one sheet. Its strings are text in every program that opens it: a NIP keeps its digits, a
telephone number its first zero, and nothing becomes a formula, a date or a link."""

import re
from collections.abc import Sequence
from io import BytesIO
from types import TracebackType

from app.domain.staff_file import guarded, unguarded

Cell = str | int | float | None

MOST_ROWS = 1_048_576  # a sheet may have this many, with the header
# The number of the format that spreadsheets call Text: by the number, they recognise it without reading the
# code of a format
TEXT_FORMAT = 49
_LONGEST_CELL = 32_767
_COLUMN_WIDTH = 24
_NOT_IN_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
# Rows wait on the disk while the workbook is written, and the result is compressed.
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_CUT = (
    "Daftar ini terpotong, karena lembar XLSX tidak memuat lebih banyak baris. Daftar yang utuh ada "
    "dalam bentuk CSV."
)


class TextWorkbook:
    """Written row by row, to a path or into memory. It is complete when the `with` block ends."""

    def __init__(self, target: str | BytesIO, header: Sequence[str]) -> None:
        # Here, because it loads forty modules, and most processes never write a workbook
        from xlsxwriter import Workbook

        self._book = Workbook(target, _OPTIONS)
        self._text = self._book.add_format({"num_format": TEXT_FORMAT})
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(header) - 1, _COLUMN_WIDTH, self._text)
        bold = self._book.add_format({"num_format": TEXT_FORMAT, "bold": True})
        for column, title in enumerate(header):
            self._sheet.write_string(0, column, title, bold)
        self._row = 1

    def __enter__(self) -> "TextWorkbook":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, row: Sequence[Cell]) -> None:
        if self._row == MOST_ROWS - 1:
            row = [_CUT]
        if self._row >= MOST_ROWS:
            return
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                self._sheet.write_string(self._row, column, _as_read(cell)[:_LONGEST_CELL], self._text)
            elif cell is not None:
                self._sheet.write_number(self._row, column, cell)
        self._row += 1

    def close(self) -> None:
        self._book.close()


def _as_read(cell: str) -> str:
    """The cell as `unguarded` gives it back when a list of refused rows is read: only a cell that already
    looks guarded is guarded here."""
    cell = _NOT_IN_XML.sub("\ufffd", cell)
    return cell if unguarded(cell) == cell else guarded(cell)
