"""The lines of a list, whatever its table is like: pasted, or as a CSV or XLSX file.

Text is cut line by line, so that a quote that is never closed takes no other line with it.
"""

from collections.abc import Sequence
from io import BufferedReader, BytesIO
from typing import cast

from app.domain.nip_list import Line
from app.files import sandbox
from app.files.csv_table import check_text
from app.files.delimited_line import LONGEST_ROW, NAMES_SEPARATOR, cells_of
from app.files.open_table import is_workbook, refuse_other_formats
from app.files.table import UnreadableFile

MOST_BYTES = 5 << 20
MOST_LINES = 5000
_DELIMITERS = ("\t", ";", "|", ",")
_TOO_MANY = (
    f"Daftar ini berisi lebih dari {MOST_LINES:,} baris.".replace(",", ".")
    + " Ambil dahulu pegawai yang dimaksud saja, atau bagi menjadi beberapa daftar."
)


def lines_of_file(content: bytes) -> Sequence[Line]:
    """Never call this inside a transaction: a workbook is opened by another process. Raises
    UnreadableFile."""
    if len(content) > MOST_BYTES:
        raise UnreadableFile(
            f"File ini lebih besar dari {MOST_BYTES >> 20} MB. Simpan kolom NIP saja ke file baru, atau "
            "tempel NIP-nya."
        )
    refuse_other_formats(content)
    if not is_workbook(content):
        check_text(cast(BufferedReader, BytesIO(content)))
        return lines_of_text(content.decode("utf-8-sig"))
    return _not_too_many(
        [Line(number, cells) for number, cells in sandbox.rows_of(content, most=MOST_LINES + 1)]
    )


def lines_of_text(text: str) -> Sequence[Line]:
    """Every line with something in it. Raises UnreadableFile."""
    delimiter = next((one for one in _DELIMITERS if one in text), _DELIMITERS[0])
    filled = ((number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip())
    lines = [
        Line(number, _cells_of(line, delimiter))
        for number, line in filled
        if not NAMES_SEPARATOR.fullmatch(line.strip())
    ]
    return _not_too_many(lines)


def _cells_of(line: str, delimiter: str) -> Sequence[str]:
    """A line that holds the whole list is not cut."""
    return cells_of(line, delimiter) if len(line) <= LONGEST_ROW else line.split(delimiter)


def _not_too_many(lines: Sequence[Line]) -> Sequence[Line]:
    if len(lines) > MOST_LINES:
        raise UnreadableFile(_TOO_MANY)
    return lines
