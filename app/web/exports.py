"""Lists as files: CSV and XLSX whose cells no spreadsheet takes for formulas or numbers.

The rows may come from a generator that reads the database as it goes: a CSV is sent while the rows are read.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from flask import Response, request, stream_with_context

from app.domain.staff_file import guarded
from app.files.text_workbook import Cell, TextWorkbook

__all__ = ["Cell", "as_csv", "as_file", "as_whole_file", "as_xlsx", "kind_asked_for"]

MOST_XLSX_ROWS = 50_000  # they take some seconds of a processor, and others wait meanwhile
_CUT = f"Daftar ini terpotong setelah {MOST_XLSX_ROWS} baris. Daftar yang utuh ada dalam bentuk CSV."
_CHARACTERS_AT_ONCE = 64 * 1024
_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_file(
    kind: str, name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], delimiter: str = ","
) -> Response:
    """`kind` as `kind_asked_for` gives it."""
    return as_xlsx(name, header, rows) if kind == "xlsx" else as_csv(name, header, rows, delimiter)


def kind_asked_for() -> str:
    """Which of the two buttons of an export was pressed."""
    return "xlsx" if request.form.get("bentuk") == "xlsx" else "csv"


def as_whole_file(
    kind: str, name: str, header: Sequence[str], rows: Iterator[Sequence[Cell]], delimiter: str = ","
) -> Response:
    """`as_file` for a list of any length. A CSV holds the whole list; an XLSX stops at MOST_XLSX_ROWS, and
    its last line says so."""
    return as_file(kind, name, header, _bounded(rows) if kind == "xlsx" else rows, delimiter)


def as_csv(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], delimiter: str = ","
) -> Response:
    """UTF-8 with a byte order mark, which Excel needs. The file is sent while the rows are read."""
    lines = stream_with_context(_csv_lines(chain([header], rows), delimiter))
    response = Response(lines, content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"{_safe(name)}.csv")
    return response


def as_xlsx(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """One sheet; every string is text, so a NIP keeps its digits."""
    file = io.BytesIO()
    with TextWorkbook(file, header) as book:
        for row in rows:
            book.add(row)
    response = Response(file.getvalue(), content_type=_XLSX_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=f"{_safe(name)}.xlsx")
    return response


def _bounded(rows: Iterator[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    yield from islice(rows, MOST_XLSX_ROWS)
    if next(rows, None) is not None:
        yield [_CUT]


def _csv_lines(rows: Iterable[Sequence[Cell]], delimiter: str) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    buffer.write("\ufeff")
    for row in rows:
        writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
        if buffer.tell() >= _CHARACTERS_AT_ONCE:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _safe(name: str) -> str:
    """A file name of small letters, digits and dashes, whatever the name was."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "data"
