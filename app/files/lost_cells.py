"""Cells of a workbook that its reader returns as empty although they are not: errors, and formulas without a
result.

An empty cell says nothing about a person, so what is on record stays; an error says that a value was meant.
"""

import posixpath
import re
import zipfile
from collections.abc import Callable, Mapping
from xml.parsers import expat

from app.domain.spreadsheet_cell import NO_RESULT

MOST_LOST_CELLS = 100_000

CHUNK = 1 << 20
_MAY_BE_LOST = re.compile(rb"""<(?:[A-Za-z0-9_]+:)?f[\s/>]|\st\s*=\s*["']e["']""")
_LONGEST_MARK = 64
_LONGEST_ERROR = 40
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

Lost = Mapping[int, Mapping[int, str]]


class TooManyLost(Exception):
    """There are more than MOST_LOST_CELLS: the whole sheet holds formulas that no program has calculated."""


def lost_cells(archive: zipfile.ZipFile) -> Lost:
    """The lost cells of the first sheet: what stands there, by row and column, both counted from 1. Raises
    ValueError if the sheet is broken."""
    part = _first_sheet(archive)
    if not _may_have_any(archive, part):
        return {}
    cells = _Cells()
    _parse(archive, part, cells.begin, cells.end, cells.text)
    return cells.lost


def column_number(letters: str) -> int:
    """A is 1, Z 26, AA 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


class _Cells:
    """Takes the events of a sheet's XML."""

    def __init__(self) -> None:
        self.lost: dict[int, dict[int, str]] = {}
        self._count = self._row = self._column = 0
        self._kind = ""
        self._value: str | None = None  # None: the cell has no element for its value
        self._has_formula = self._in_value = False

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        match _local(name):
            case "row":
                self._row = int(attributes.get("r", self._row + 1))
                self._column = 0
            case "c":
                found = _REFERENCE.fullmatch(attributes.get("r", ""))
                self._column = column_number(found[1]) if found else self._column + 1
                self._row = int(found[2]) if found else self._row
                self._kind, self._value, self._has_formula = attributes.get("t", ""), None, False
            case "f":
                self._has_formula = True
            case "v":
                self._in_value, self._value = True, ""

    def text(self, some: str) -> None:
        if self._in_value and self._value is not None and len(self._value) < _LONGEST_ERROR:
            self._value += some

    def end(self, name: str) -> None:
        match _local(name):
            case "v":
                self._in_value = False
            case "c":
                value = (self._value or "").strip()
                if self._kind == "e":
                    self._note(value if value.startswith("#") else "#ERROR!")
                elif self._has_formula and not value and (self._kind != "str" or self._value is None):
                    self._note(NO_RESULT)

    def _note(self, what: str) -> None:
        self._count += 1
        if self._count > MOST_LOST_CELLS:
            raise TooManyLost
        self.lost.setdefault(self._row, {})[self._column] = what[:_LONGEST_ERROR]


def _may_have_any(archive: zipfile.ZipFile, part: str) -> bool:
    tail = b""
    with archive.open(part) as sheet:
        while chunk := sheet.read(CHUNK):
            if _MAY_BE_LOST.search(tail + chunk):
                return True
            tail = chunk[-_LONGEST_MARK:]
    return False


def _first_sheet(archive: zipfile.ZipFile) -> str:
    ids: list[str] = []
    targets: dict[str, str] = {}

    def sheet(name: str, attributes: Mapping[str, str]) -> None:
        if _local(name) == "sheet":
            ids.extend(value for key, value in attributes.items() if ":" in key and _local(key) == "id")

    def relationship(name: str, attributes: Mapping[str, str]) -> None:
        if _local(name) == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(archive, "xl/workbook.xml", sheet)
    _parse(archive, "xl/_rels/workbook.xml.rels", relationship)
    part = posixpath.normpath(posixpath.join("/xl", targets.get(ids[0], "") if ids else "")).lstrip("/")
    if part not in archive.namelist():
        raise ValueError("no first sheet")
    return part


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    begin: Callable[[str, Mapping[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        with archive.open(part) as content:
            while chunk := content.read(CHUNK):
                parser.Parse(chunk)
            parser.Parse(b"", True)
    except (expat.ExpatError, KeyError) as error:
        raise ValueError(str(error)) from error


def _no_doctype(*_: object) -> None:
    """Entities can grow without limit, and no spreadsheet writes any."""
    raise ValueError("doctype")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
