"""A workbook that somebody sent is read in a separate process: `python -m app.files.sandbox_main < FILE`.

Workbooks are packed, and the library that unpacks them is large: a workbook that is made to do harm can take
all memory, or all time. Here it can only stop this process. The process writes one JSON text on each line:
first the header or the problem, then the rows as [position, line, cells, fault], then the end. With
`--rows` there is no header. Its environment has no setting or key of the portal.
"""

import json
import os
import resource
import sys
from dataclasses import astuple
from io import BufferedReader
from typing import cast

from app.domain.staff_file import STAFF_COLUMNS
from app.files.open_table import sheet_in
from app.files.table import UnreadableFile

MOST_MEMORY = 768 << 20  # bytes of address space; 100,000 staff take a quarter of it
MOST_SECONDS = 90  # of one core
MOST_SAID = 256 << 20  # bytes that it writes; they lie on disk until the last row is taken over
BEHIND_OTHERS = 10  # pages and mails come first
ROWS = "--rows"  # the argument that asks for the rows alone, as [line, cells]
END = "end"  # the last line; without it, the process was interrupted


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_SAID, MOST_SAID))
    os.nice(BEHIND_OTHERS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.argv[1:] == [ROWS]:
        _say_rows()
    else:
        _say_table()
    sys.stdout.flush()


def _say_table() -> None:
    try:
        sheet = sheet_in(cast(BufferedReader, sys.stdin.buffer), STAFF_COLUMNS)
    except UnreadableFile as refusal:
        _say({"problem": str(refusal)})
        return
    _say({"header": sheet.header, "total": sheet.total})
    for line in sheet.lines():
        fault = astuple(line.fault) if line.fault else None
        _say([sheet.position, line.number, list(line.cells.values()), fault])
    _say(END)


def _say_rows() -> None:
    """The rows as they are, under whatever heading."""
    from app.files.xlsx_table import WorkbookRows

    try:
        rows = WorkbookRows(cast(BufferedReader, sys.stdin.buffer))
    except UnreadableFile as refusal:
        _say({"problem": str(refusal)})
        return
    for row in rows:
        _say(row)
    _say(END)


def _say(what: object) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")


if __name__ == "__main__":
    main()
