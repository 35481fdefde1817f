"""Somebody outside sent a table. It is read as a stream of rows: text in this process, a workbook in a
separate one."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, TextIOWrapper
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from threading import BoundedSemaphore
from time import monotonic, sleep
from typing import IO, cast

from app.domain.staff_file import STAFF_COLUMNS, CellFault
from app.files import sandbox_main
from app.files.delimited_line import LONGEST_ROW
from app.files.open_table import is_workbook, sheet_in
from app.files.table import READS_ANOTHER, Row, Sheet, UnreadableFile

_READER = ("-m", sandbox_main.__name__)
_HOME = Path(__file__).parents[2]
_LONGEST_ANSWER = LONGEST_ROW * 8  # characters of a row, in the worst case with each written as \\u....
_SECONDS_BETWEEN_SIGNS = 0.1
_MOST_SECONDS = 300.0  # the limit of the process itself comes first, unless the machine is too busy to run it
_SECONDS_FOR_A_PLACE = 4.0
_MOST_SECONDS_AT_A_PAGE = 20.0
# One reader at a time in one worker, so that many workbooks together never take more at one time than one
# workbook.
_ONE_READER = BoundedSemaphore()

_CANNOT_BE_READ = (
    "File XLSX ini tidak dapat dibaca: rusak, atau terlalu besar setelah dibuka. "
    "Buka di Excel, salin tabelnya ke file baru, lalu simpan sebagai CSV UTF-8."
)


@contextmanager
def begun(content: bytes) -> "Iterator[Received]":
    """These bytes as a table, as soon as they are read. Raises UnreadableFile, also while the rows are
    read."""
    # The file has no name, so that nothing of it stays after this process
    with (
        TemporaryFile() as file,
        TemporaryFile() as said,
    ):
        file.write(content)
        file.seek(0)
        received = Received(file, said, is_workbook=is_workbook(content))
        del content
        try:
            yield received
        finally:
            received.close()


@contextmanager
def opened(content: bytes, sign_of_life: Callable[[], None]) -> Iterator[Sheet]:
    """The same for a caller that has nothing else to do meanwhile. `sign_of_life` is called again and again
    while reading takes long."""
    with begun(content) as received:
        while not received.read_on():
            sign_of_life()
            sleep(_SECONDS_BETWEEN_SIGNS)
        yield received.sheet()


def rows_of(workbook: bytes, most: int) -> list[tuple[int, list[str]]]:
    """The first rows of a workbook that hold something, with their line numbers, for somebody who waits at a
    page. Never call this inside a transaction. Raises UnreadableFile."""
    if not _ONE_READER.acquire(timeout=_SECONDS_FOR_A_PLACE):
        raise UnreadableFile(READS_ANOTHER)
    try:
        with TemporaryFile() as file, TemporaryFile() as said:
            file.write(workbook)
            file.seek(0)
            with suppress(subprocess.TimeoutExpired):
                _run(_reader(file, said, sandbox_main.ROWS))
            said.seek(0)
            return list(islice(_rows_in(said), most))
    finally:
        _ONE_READER.release()


def _run(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_MOST_SECONDS_AT_A_PAGE)
    finally:
        process.kill()
        process.wait()


def _rows_in(said: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    while True:
        match _what_stands_in(said.readline(_LONGEST_ANSWER)):
            case [int(number), [*cells]]:
                yield number, list(map(str, cells))
            case {"problem": str(sentence)}:
                raise UnreadableFile(sentence)
            case sandbox_main.END:
                return
            case _:
                raise UnreadableFile(_CANNOT_BE_READ)


def _what_stands_in(line: str | bytes) -> object:
    try:
        found: object = json.loads(line)
    except ValueError:  # the process ended in the middle of a line
        return None
    return found


class Received:
    """A file that has arrived. Text is read directly. A workbook is unpacked first, by a separate process,
    into a file of lines: when that process ends, all the memory that it took is free again."""

    def __init__(self, file: IO[bytes], said: IO[bytes], *, is_workbook: bool) -> None:
        self._file, self._said = file, said
        self._is_workbook = is_workbook
        self._process: subprocess.Popen[bytes] | None = None
        self._is_done = not is_workbook
        self._until = 0.0

    def read_on(self) -> bool:
        """Begin to read, or go on. True when the table is ready. This never waits: call it again and
        again."""
        if self._is_done:
            return True
        if self._process is None:
            if not _ONE_READER.acquire(blocking=False):
                return False
            self._process = _reader(self._file, self._said)
            self._until = monotonic() + _MOST_SECONDS
        elif monotonic() > self._until:
            self._process.kill()
        if self._process.poll() is not None:
            self._done()
        return self._is_done

    def sheet(self) -> Sheet:
        if not self._is_workbook:
            # It reads and seeks like a BufferedReader
            return sheet_in(cast(BufferedReader, self._file), STAFF_COLUMNS)
        self._said.seek(0)
        return _Workbook(TextIOWrapper(cast(BufferedReader, self._said), encoding="utf-8"))

    def close(self) -> None:
        if self._process is not None and not self._is_done:
            self._process.kill()
            self._process.wait()
            self._done()

    def _done(self) -> None:
        self._is_done = True
        _ONE_READER.release()


def _reader(file: IO[bytes], said: IO[bytes], *how: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, *_READER, *how]
    return subprocess.Popen(
        command, stdin=file, stdout=said, stderr=subprocess.DEVNULL, env={"PYTHONUTF8": "1"}, cwd=_HOME
    )


class _Workbook(Sheet):
    """What the other process has written. Position and total in rows."""

    delimiter = ","

    def __init__(self, said: TextIOWrapper) -> None:
        self._said = said
        self._position = 0
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

    def lines(self) -> Iterator[Row]:
        while True:
            match self._next():
                case [int(position), int(number), [*cells], fault]:
                    self._position = position
                    known = dict(zip(self.header, map(str, cells), strict=False))
                    yield Row(number, known, _fault(fault))
                case said:
                    if said != sandbox_main.END:
                        raise UnreadableFile(_CANNOT_BE_READ)
                    return

    def _next(self) -> object:
        return _what_stands_in(self._said.readline(_LONGEST_ANSWER))


def _fault(said: object) -> CellFault | None:
    match said:
        case [column, str(sentence), in_general]:
            return CellFault(
                str(column) if column else None, sentence, str(in_general) if in_general else None
            )
        case _:
            return None
