"""Somebody outside sent a table. It is read as a stream of lines: text here, a workbook by a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from select import select
from tempfile import TemporaryFile
from typing import IO, cast

from app.domain.staff_file import STAFF_COLUMNS, Fault
from app.flows.staff_sheet import LONGEST_ROW, Line, Sheet, UnreadableFile, is_workbook, sheet_in

END = "end"  # the last word of the process: without it, it was broken off

_READER = ("-m", "app.flows.read_workbook")
_HOME = Path(__file__).parents[2]
_LONGEST_ANSWER = LONGEST_ROW * 8  # characters of a row, at worst each written as \\u....
_SECONDS_BETWEEN_SIGNS = 5.0
_MOST_SIGNS = 60  # five minutes; the limit of the process itself comes first, unless the machine stands still

_CANNOT_BE_READ = (
    "File XLSX ini tidak dapat dibaca: rusak, atau terlalu besar setelah dibuka. "
    "Buka di Excel, salin tabelnya ke file baru, lalu simpan sebagai CSV UTF-8."
)


@contextmanager
def opened(content: bytes, sign_of_life: Callable[[], None]) -> Iterator[Sheet]:
    """The table in these bytes; raises UnreadableFile, also from its lines. `sign_of_life` is called while it takes long."""
    with TemporaryFile() as file:  # without a name, so that nothing of it outlives this process
        file.write(content)
        file.seek(0)
        if is_workbook(content):
            with _reader(file) as process:
                yield _Workbook(process, sign_of_life)
        else:
            yield sheet_in(cast(BufferedReader, file), STAFF_COLUMNS)  # it reads and seeks like one


@contextmanager
def _reader(file: IO[bytes]) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, *_READER]
    process = subprocess.Popen(
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PYTHONUTF8": "1"}, cwd=_HOME, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


class _Workbook(Sheet):
    """What the other process says. Position and total in rows."""

    delimiter = ","

    def __init__(self, process: "subprocess.Popen[str]", sign_of_life: Callable[[], None]) -> None:
        self._process = process
        self._position = 0
        self._wait(sign_of_life)
        match self._next():
            case {"header": [*header], "total": int(total)}:
                self.header, self.total = tuple(map(str, header)), total
            case {"problem": str(sentence)}:
                raise UnreadableFile(sentence)
            case _:
                raise UnreadableFile(_CANNOT_BE_READ)

    @property
    def position(self) -> int:
        return self._position

    def lines(self) -> Iterator[Line]:
        while True:
            match self._next():
                case [int(position), int(number), [*cells], fault]:
                    self._position = position
                    known = dict(zip(self.header, map(str, cells), strict=False))
                    yield Line(number, known, _fault(fault))
                case said:
                    if said != END:
                        raise UnreadableFile(_CANNOT_BE_READ)
                    return

    def _wait(self, sign_of_life: Callable[[], None]) -> None:
        """Until it has unpacked the file and begins to speak."""
        assert self._process.stdout is not None
        for _ in range(_MOST_SIGNS):
            if select([self._process.stdout.fileno()], [], [], _SECONDS_BETWEEN_SIGNS)[0]:
                return
            sign_of_life()

    def _next(self) -> object:
        assert self._process.stdout is not None
        try:
            said: object = json.loads(self._process.stdout.readline(_LONGEST_ANSWER))
        except ValueError:  # it ended in the middle
            return None
        return said


def _fault(said: object) -> Fault | None:
    match said:
        case [column, str(sentence)]:
            return Fault(str(column) if column else None, sentence)
        case _:
            return None
