"""Lists as files: CSV and XLSX whose cells no spreadsheet takes for formulas or numbers.

The rows may come from a generator that reads the database as it goes: a CSV is sent while it is read.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from flask import Response, request, send_file, stream_with_context
from xlsxwriter import Workbook

from app.domain.staff_file import guarded

Cell = str | int | float | None

_CHARACTERS_AT_ONCE = 64 * 1024
_LONGEST_CELL = 32767  # of XLSX
_COLUMN_WIDTH = 24
_AS_TEXT = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_file(kind: str, name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """`kind` as `kind_asked_for` gives it."""
    return as_xlsx(name, header, rows) if kind == "xlsx" else as_csv(name, header, rows)


def kind_asked_for() -> str:
    """Which of the two buttons of an export was pressed."""
    return "xlsx" if request.form.get("bentuk") == "xlsx" else "csv"


def as_csv(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """UTF-8 with a byte order mark, for which Excel asks. Sent while it is read."""
    lines = stream_with_context(_csv_lines(chain([header], rows)))
    response = Response(lines, content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"{_safe(name)}.csv")
    return response


def as_xlsx(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """One sheet; every string is text, so a NIP keeps its digits."""
    file = io.BytesIO()  # what it holds is compressed; the rows on their way there wait on the disk
    with Workbook(file, _AS_TEXT) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(header) - 1, _COLUMN_WIDTH, book.add_format({"num_format": "@"}))
        bold = book.add_format({"bold": True, "num_format": "@"})
        for column, title in enumerate(header):
            sheet.write_string(0, column, title, bold)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell[:_LONGEST_CELL])
                elif cell is not None:
                    sheet.write_number(number, column, cell)
    file.seek(0)
    return send_file(file, mimetype=_XLSX_TYPE, as_attachment=True, download_name=f"{_safe(name)}.xlsx")


def _csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    for row in rows:
        writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
        if buffer.tell() >= _CHARACTERS_AT_ONCE:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _safe(name: str) -> str:
    """A file name of small letters, digits and dashes, whatever was asked for."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "data"
