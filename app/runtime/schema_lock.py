"""Whoever changes the schema has it to themselves, and never makes the running portal wait for long.

Of several `mysapk db upgrade` one works and the others wait. On PostgreSQL a migration gives up soon where it
does not get a lock: everybody who wants the table after it stands in line behind it.
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

from app.runtime.db import begin_sqlite

log = logging.getLogger("portal.migrations")

# Less than PostgreSQL's deadlock_timeout (1 s): of a request and a migration that wait for each other, the
# migration ends.
LOCK_TIMEOUT = "750ms"
# No longer than a request waits for a connection (app/db.py): beyond it, those who wait for the table are
# turned away.
STATEMENT_TIMEOUT = "10s"
SQLITE_SECONDS = 5.0  # for whoever is writing; nobody stands behind a migration that waits on SQLite
SECONDS_FOR_ANOTHER = 900.0  # that is at work on the same schema
_SECONDS_BETWEEN_LOOKS = 0.2
_KEY = int.from_bytes(b"mysapk")  # of the advisory lock; each database has its own


class HeldUp(Exception):
    """The schema could not be brought further; the sentence says why, and what to do."""


@contextmanager
def schema_to_oneself(url: str, say: Callable[[str], None] = log.warning) -> Iterator[Connection]:
    """A connection for migrations, while nobody else has one. `say` hears a sentence if this takes time."""
    engine = create_engine(url, poolclass=NullPool, connect_args=_arguments(url))
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
        with _folder_locked(Path(make_url(url).database or "").parent, say), engine.connect() as connection:
            yield connection
    else:
        with engine.connect() as connection:
            _lock_postgresql(connection, say)
            # The lock ends with the session, however that ends: a killed process leaves none
            yield connection


def _arguments(url: str) -> dict[str, object]:
    return {"timeout": SQLITE_SECONDS} if make_url(url).get_backend_name() == "sqlite" else {}


def _prepare_sqlite(engine: Engine) -> None:
    """Each migration is one transaction, CREATE TABLE included, which Python's own handling would not
    begin."""

    def configure(connection: SQLiteConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")  # as in app/db.py: readers go on meanwhile
        connection.execute("PRAGMA foreign_keys=OFF")  # tables are copied when SQLite alters them

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", begin_sqlite)


@contextmanager
def _folder_locked(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """The folder, because it is there and stays: to open and close the database's file itself would lose
    SQLite's locks."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # SQLite itself says what is wrong with the place
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
    """Asked again and again: who waited inside pg_advisory_lock would be waited for by CREATE INDEX
    CONCURRENTLY."""

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
