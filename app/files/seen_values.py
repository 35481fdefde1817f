"""What a file has named so far. Kept outside memory, so that a file may be of any length."""

import sqlite3
from enum import StrEnum
from types import TracebackType


class Kind(StrEnum):
    NIP = "nip"
    EMAIL = "email"
    INSTANSI = "instansi"
    INSTANSI_WITHOUT_ZEROS = "instansi_without_zeros"
    RELEASED_EMAIL = "released_email"  # was on record for somebody until this same file


class SeenValues:
    """An SQLite file without a name. It is gone after the last row. SQLite moves it to disk when it becomes
    larger than its cache."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("")
        self._rows.execute(
            "CREATE TABLE seen (kind TEXT, value TEXT, line INTEGER NOT NULL, PRIMARY KEY (kind, value)) "
            "WITHOUT ROWID"
        )

    def __enter__(self) -> "SeenValues":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()

    def note(self, kind: Kind, value: str, line: int) -> None:
        """Remember the line number of the value, if it is the first one."""
        self._rows.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (kind, value, line))

    def first_line(self, kind: Kind, value: str) -> int | None:
        """The line number where the value stood first."""
        found = self._rows.execute(
            "SELECT line FROM seen WHERE kind = ? AND value = ?", (kind, value)
        ).fetchone()
        return int(found[0]) if found else None
