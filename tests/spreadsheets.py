"""What is in a workbook, as the file itself says it: the cells with their kinds, and whether they are
text."""

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree

import xlsxwriter
from python_calamine import CalamineWorkbook

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_TEXT = "49"  # the number format "@"
_STRINGS = ("inlineStr", "s")


@dataclass(frozen=True)
class Book:
    """`kinds` are the kinds of the cells that are not empty. `is_text` says whether every string and every
    column has the text format."""

    rows: list[list[str]]
    kinds: set[str]
    has_formulas: bool
    is_text: bool


def opened(content: bytes) -> Book:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
        styles = ElementTree.fromstring(archive.read("xl/styles.xml"))
    formats = [one.get("numFmtId") for one in styles.findall(f"{_NS}cellXfs/{_NS}xf")]
    cells = [cell for cell in sheet.iter(f"{_NS}c") if len(cell)]
    columns = list(sheet.iter(f"{_NS}col"))
    strings = [cell for cell in cells if cell.get("t") in _STRINGS]
    text = [formats[int(one.get("s", "0"))] for one in strings] + [
        formats[int(one.get("style", "0"))] for one in columns
    ]
    found = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return Book(
        [[str(cell) for cell in row] for row in found],
        {cell.get("t", "n") for cell in cells},
        any(True for _ in sheet.iter(f"{_NS}f")) or bool(re.search(rb"<f[ >]", _sheet_of(content))),
        bool(columns) and set(text) == {_TEXT},
    )


def saved_again(content: bytes, correct: Callable[[list[str]], list[str]]) -> bytes:
    """The workbook as a spreadsheet program saves it after somebody has corrected rows: with other XML, and
    with the strings in a table of their own."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet, text = book.add_worksheet(), book.add_format({"num_format": "@"})
        for number, row in enumerate(opened(content).rows):
            for column, cell in enumerate(correct(row) if number else row):
                sheet.write_string(number, column, cell, text)
    return file.getvalue()


def _sheet_of(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("xl/worksheets/sheet1.xml")
