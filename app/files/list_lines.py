"""The lines of a list, whatever its table is like: pasted, or as a CSV or XLSX file.

Text is cut line by line, so that a quote that is never closed takes no other line with it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from itertools import islice
from threading import BoundedSemaphore
from typing import cast

from app.domain.nip_list import Line
from app.files import sandbox
from app.files.csv_table import check_text
from app.files.delimited_line import LONGEST_ROW, NAMES_SEPARATOR, cells_of
from app.files.open_table import is_workbook, refuse_other_formats
from app.files.table import READS_ANOTHER, UnreadableFile

MOST_BYTES = 5 << 20
MOST_LINES = 5000
# These are looked at before anything is cut, so that nonsense of 5 MB takes little time and memory
_MOST_WITH_EMPTY = 100_000  # lines, the empty ones too
_LONGEST_LINE = 100_000  # characters: it may hold a whole list of 2,000 people with their names
_MOST_CELLS = 300_000  # 60 columns in each line
_DELIMITERS = ("\t", ";", "|", ",")
_SECONDS_FOR_A_PLACE = 4.0
# One file at a time in one process, so that many files together never take more than one
_ONE_FILE = BoundedSemaphore()
_TOO_MANY = (
    f"Daftar ini berisi lebih dari {MOST_LINES:,} baris.".replace(",", ".")
    + " Ambil dahulu pegawai yang dimaksud saja, atau bagi menjadi beberapa daftar."
)
_TOO_WIDE = "Daftar ini berisi terlalu banyak kolom. Simpan kolom NIP saja, atau tempel NIP-nya."


@contextmanager
def one_file_at_a_time() -> Iterator[None]:
    """Raises UnreadableFile if another file is being read, and takes long."""
    if not _ONE_FILE.acquire(timeout=_SECONDS_FOR_A_PLACE):
        raise UnreadableFile(READS_ANOTHER)
    try:
        yield
    finally:
        _ONE_FILE.release()


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
    rows = sandbox.rows_of(content, most=MOST_LINES + 1)
    if len(rows) > MOST_LINES:
        raise UnreadableFile(_TOO_MANY)
    return [Line(number, cells) for number, cells in rows]


def lines_of_text(text: str) -> Sequence[Line]:
    """Every line with something in it. Raises UnreadableFile."""
    delimiter = next((one for one in _DELIMITERS if one in text), _DELIMITERS[0])
    filled = _filled_lines(text)
    if sum(1 + line.count(delimiter) for _, line in filled) > _MOST_CELLS:
        raise UnreadableFile(_TOO_WIDE)
    return [Line(number, _cells_of(line, delimiter)) for number, line in filled]


def _filled_lines(text: str) -> Sequence[tuple[int, str]]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") >= _MOST_WITH_EMPTY:
        raise UnreadableFile(_TOO_MANY)
    filled = ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
    rows = (one for one in filled if not NAMES_SEPARATOR.fullmatch(one[1].strip()))
    found = list(islice(rows, MOST_LINES + 1))
    if len(found) > MOST_LINES:
        raise UnreadableFile(_TOO_MANY)
    for number, line in found:
        if len(line) > _LONGEST_LINE:
            raise UnreadableFile(
                f"Baris {number} terlalu panjang. Tulis satu NIP per baris, atau bagi menjadi beberapa "
                "daftar."
            )
    return found


def _cells_of(line: str, delimiter: str) -> Sequence[str]:
    """A line that holds the whole list is not cut."""
    return cells_of(line, delimiter) if len(line) <= LONGEST_ROW else line.split(delimiter)
