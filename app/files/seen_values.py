"""What a file has named so far. Kept outside memory, so that a file may be of any length."""

import json
import sqlite3
from collections.abc import Mapping
from enum import StrEnum
from types import TracebackType


class Kind(StrEnum):
    NIP = "nip"
    EMAIL = "email"
    INSTANSI = "instansi"
    INSTANSI_WITHOUT_ZEROS = "instansi_without_zeros"
    RELEASED_EMAIL = "released_email"  # was on record for somebody until this same file


# Each takes a kind, and values with their lines as JSON
_SOME_ARE_KNOWN = (
    "SELECT 1 FROM json_each(?2) AS new CROSS JOIN seen WHERE seen.kind = ?1 AND seen.value = new.key LIMIT 1"
)
_NOTE = "INSERT INTO seen SELECT ?1, key, value FROM json_each(?2)"


class SeenValues:
    """An SQLite file without a name. It is gone after the last row. SQLite moves it to disk when it becomes
    larger than its cache. One thread may vet rows while another one judges the rows before: SQLite lets one
    wait for the other."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", check_same_thread=False)
        self._rows.execute(
            "CREATE TABLE seen (kind TEXT, value TEXT, line INTEGER NOT NULL, PRIMARY KEY (kind, value)) "
            "WITHOUT ROWID"
        )
        self._kinds: set[Kind] = set()  # that anything was noted of

    def __enter__(self) -> "SeenValues":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()

    def note(self, kind: Kind, value: str, line: int) -> None:
        """Remember the line number of the value, if it is the first one."""
        self._kinds.add(kind)
        self._rows.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (kind, value, line))

    def note_new(self, *values: tuple[Kind, Mapping[str, int]]) -> bool:
        """Remember the line numbers of values of several kinds, if none of these values is known. False if
        some are: then nothing is remembered."""
        of_each = [(kind, json.dumps(lines)) for kind, lines in values]
        if any(self._rows.execute(_SOME_ARE_KNOWN, one).fetchone() for one in of_each):
            return False
        for one in of_each:
            self._rows.execute(_NOTE, one)
        self._kinds.update(kind for kind, _ in values)
        return True

    def first_line(self, kind: Kind, value: str) -> int | None:
        """The line number where the value stood first."""
        if kind not in self._kinds:
            return None
        found = self._rows.execute(
            "SELECT line FROM seen WHERE kind = ? AND value = ?", (kind, value)
        ).fetchone()
        return int(found[0]) if found else None
