"""Whether anybody has written to the database lately, at a price so low that a process can ask some times a
second. No table is read, and nobody who writes has anything to do for it.

SQLite counts the commits of others (`PRAGMA data_version`). PostgreSQL has its snapshot: which transactions
are open, and the number of the next one. It is another one after each commit that has written something. A
commit in another database of the same server looks like one in ours; that costs a look for nothing.
"""

from types import TracebackType
from typing import Self

from sqlalchemy import Engine, PoolProxiedConnection

from app.runtime.db import is_file_replaced

_OF_POSTGRESQL = "SELECT CAST(pg_current_snapshot() AS text)"
_OF_SQLITE = "PRAGMA data_version"


class Changes:
    """Looks through a connection of its own, for as long as the `with` block lasts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._connection: PoolProxiedConnection | None = None
        self._seen: object = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def since_last_look(self) -> bool:
        """True at the first look too, and at the first one after a fault. Raises what the driver raises."""
        try:
            now = self._now()
        except Exception:
            self._close()
            raise
        before, self._seen = self._seen, now
        return now != before

    def _now(self) -> object:
        if self._connection is not None and self._is_sqlite and is_file_replaced(self._connection.info):
            self._close()
        if self._connection is None:
            self._connection = self._open()
        cursor = self._connection.cursor()
        try:
            cursor.execute(_OF_SQLITE if self._is_sqlite else _OF_POSTGRESQL)
            return cursor.fetchone()
        finally:
            cursor.close()

    def _open(self) -> PoolProxiedConnection:
        connection = self._engine.raw_connection()
        connection.detach()  # the pool would lend it to others, as it is set here
        if not self._is_sqlite and connection.dbapi_connection is not None:
            # An open transaction would hold back the cleaning of all tables
            self._engine.dialect.set_isolation_level(connection.dbapi_connection, "AUTOCOMMIT")
        return connection

    def _close(self) -> None:
        connection, self._connection, self._seen = self._connection, None, None
        if connection is not None:
            connection.close()
