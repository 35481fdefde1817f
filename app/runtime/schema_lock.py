"""A process that changes the schema has the schema to itself, and never makes the running portal wait for
long.

Of several `mysapk db upgrade` one works and the others wait. On PostgreSQL a migration soon gives up if it
does not get a lock, because every request that needs the table after it has to wait behind it.
"""

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from time import monotonic, sleep

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from app.runtime.db import begin_sqlite, time_outs, watch_postgresql

log = logging.getLogger("portal.migrations")

# Less than PostgreSQL's deadlock_timeout (1 s): if a request and a migration wait for each other, the
# migration is the one that ends.
LOCK_TIMEOUT = "750ms"
# No longer than a request waits for a connection (app/runtime/db.py): after that time, the requests that wait
# for the table are turned away.
STATEMENT_TIMEOUT = "10s"
SQLITE_SECONDS = 5.0  # to wait for another writer; on SQLite nobody waits behind a migration that waits
SECONDS_FOR_ANOTHER = 900.0  # to wait for another process that works on the same schema
_SECONDS_BETWEEN_LOOKS = 0.2
_KEY = int.from_bytes(b"mysapk")  # of the advisory lock; each database has its own locks


class HeldUp(Exception):
    """The schema could not be upgraded; the sentence says why, and what to do."""


@contextmanager
def schema_to_oneself(url: str, say: Callable[[str], None] = log.warning) -> Iterator[Connection]:
    """A connection for migrations, while nobody else has one. `say` gets a sentence if this takes time."""
    engine = create_engine(url, poolclass=NullPool, connect_args=_arguments(url))
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
        with _folder_locked(Path(make_url(url).database or "").parent, say), engine.connect() as connection:
            yield connection
    else:
        watch_postgresql(engine)
        with engine.connect() as connection:
            _lock_postgresql(connection, say)
            # The lock ends with the database session, in whatever way the session ends: a killed process
            # leaves no lock
            yield connection


def _arguments(url: str) -> dict[str, object]:
    is_sqlite = make_url(url).get_backend_name() == "sqlite"
    return {"timeout": SQLITE_SECONDS} if is_sqlite else {**time_outs(url)}


def _prepare_sqlite(engine: Engine) -> None:
    """Make each migration one transaction, CREATE TABLE included. Python's own handling would not begin
    one."""

    def configure(connection: SQLiteConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")  # as in app/runtime/db.py: readers go on meanwhile
        connection.execute("PRAGMA foreign_keys=OFF")  # SQLite copies a table in order to alter it

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", begin_sqlite)


@contextmanager
def _folder_locked(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Lock the folder, because it exists and stays. Opening and closing the database's file here would lose
    SQLite's own locks."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # SQLite itself says what is wrong with the folder
        yield
        return
    try:
        _wait_for(lambda: _locks(descriptor), say)
        yield
    finally:
        os.close(descriptor)


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_postgresql(connection: Connection, say: Callable[[str], None]) -> None:
    """Ask for the lock again and again. CREATE INDEX CONCURRENTLY would wait for every process that waits
    inside pg_advisory_lock."""

    def locks() -> bool:
        got = connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_KEY})").scalar_one()
        connection.commit()
        return bool(got)

    _wait_for(locks, say)
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    connection.exec_driver_sql(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
    connection.commit()


def _wait_for(locks: Callable[[], bool], say: Callable[[str], None]) -> None:
    until, has_said = monotonic() + SECONDS_FOR_ANOTHER, False
    while not locks():
        if monotonic() > until:
            raise HeldUp(
                "Migrasi lain masih berjalan; tunggu sampai selesai, lalu jalankan lagi: mysapk db upgrade"
            )
        if not has_said:
            say("Menunggu migrasi lain yang sedang berjalan.")
            has_said = True
        sleep(_SECONDS_BETWEEN_LOOKS)
