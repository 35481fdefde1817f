"""The database: one session per app context, one unit of work per act.

SQLite's own transaction handling is switched off, because it begins too late and upgrades read locks, which
fails when several writers work at once. Instead every unit of work begins with BEGIN IMMEDIATE, and reading
begins with a plain BEGIN.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import OperationalError as SQLiteFault
from typing import Any, cast

from flask import Flask, current_app, g
from sqlalchemy import Connection, Engine, PoolProxiedConnection, QueuePool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.models.noted import take_notes
from app.runtime import measures
from app.security.once_a_minute import OnceAMinute

_READ_ONLY = {"portal_read_only": True}
_SECONDS_TO_WAIT_FOR_A_LOCK = 15
# The pause between two large pieces of work: SQLite has one writer at a time, and another writer that waits
# looks every 0.1 s.
SECONDS_FOR_OTHER_WRITERS = 0.12


class CountingPool(QueuePool):
    """The connections of a process. It counts how often somebody had to wait, because all were in use."""

    waits = 0

    def connect(self) -> PoolProxiedConnection:
        if self.checkedout() >= self.size() + self._max_overflow:
            self.waits += 1
        return super().connect()


def init_app(app: Flask, url: str, fingerprint: Callable[..., str]) -> None:
    """Give the app its engine. No connection is opened before the first query. `fingerprint` makes the keyed
    hash that the sessions store in place of text that must not stand in a table."""
    if make_url(url).get_backend_name() == "sqlite":
        arguments = {"timeout": _SECONDS_TO_WAIT_FOR_A_LOCK, "check_same_thread": False}
        made = create_engine(url, connect_args=arguments, poolclass=CountingPool, hide_parameters=True)
    else:
        made = create_engine(
            url,
            connect_args=time_outs(url),
            poolclass=CountingPool,
            pool_size=10,
            max_overflow=10,
            pool_timeout=10,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    prepare(made)
    app.extensions["engine"] = made
    app.extensions["fingerprint"] = fingerprint
    app.extensions["once_a_minute"] = OnceAMinute()
    app.teardown_appcontext(_close_session)


def engine() -> Engine:
    """The engine of the current app."""
    return cast(Engine, current_app.extensions["engine"])


def once_a_minute() -> OnceAMinute:
    """The events that the current app has written within the last minute."""
    return cast(OnceAMinute, current_app.extensions["once_a_minute"])


def prepare(made: Engine) -> None:
    """Set up the transactions of an engine as the portal needs them."""
    if made.dialect.name == "sqlite":
        event.listen(made, "connect", _configure_sqlite)
        event.listen(made, "begin", begin_sqlite)
        event.listen(made, "checkout", _refuse_a_removed_file)
    else:
        watch_postgresql(made)


def watch_postgresql(made: Engine) -> None:
    """Let no statement of this engine wait for a server that hangs."""
    from app.runtime.watched_postgres import Watch  # only here: SQLite needs no psycopg

    event.listen(made, "do_connect", Watch().connect)


def time_outs(url: str) -> dict[str, int]:
    """How long libpq waits, but for what DATABASE_URL itself says about it."""
    from app.runtime.watched_postgres import TIME_OUTS

    return {name: value for name, value in TIME_OUTS.items() if name not in make_url(url).query}


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """One act of one person: either all of it is committed, or nothing."""
    session = _session()
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        take_notes(session)
        raise
    measures.count_notes(take_notes(session))


@contextmanager
def reading() -> Iterator[Session]:
    """Read without a lock: nothing is written, and no writer has to wait."""
    session = _session()
    session.connection(execution_options=_READ_ONLY)
    try:
        yield session
        session.commit()  # keeps the loaded records; a rollback would expire them
    except BaseException:
        session.rollback()
        raise


def _session() -> Session:
    """The one session of this app context."""
    if "session" not in g:
        carried = {OnceAMinute: once_a_minute(), "fingerprint": current_app.extensions["fingerprint"]}
        g.session = Session(engine(), expire_on_commit=False, info=carried)
    return cast(Session, g.session)


def _close_session(_error: BaseException | None) -> None:
    session: Session | None = g.pop("session", None)
    if session is not None:
        session.close()


def _configure_sqlite(connection: SQLiteConnection, record: ConnectionPoolEntry) -> None:
    record.info["file"] = _file_behind(connection)
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _refuse_a_removed_file(
    _connection: SQLiteConnection, record: ConnectionPoolEntry, _proxy: object
) -> None:
    """Open the file anew if it was replaced, for example by a restored copy: everything written to the old
    file would be lost."""
    if is_file_replaced(record.info):
        raise DisconnectionError(f"{record.info['file'][0]} is not the file that was opened")


def is_file_replaced(info: Mapping[str, Any]) -> bool:
    """`info` is that of a connection to SQLite."""
    path, inode = info["file"]
    return bool(path) and _inode(path) != inode


def _file_behind(connection: SQLiteConnection) -> tuple[str, int | None]:
    path = str(connection.execute("PRAGMA database_list").fetchone()[2])
    return path, _inode(path)


def _inode(path: str) -> int | None:
    """None if there is no such file, as for a database in memory."""
    try:
        return os.stat(path).st_ino  # noqa: PTH116  (asked before every transaction)
    except OSError:
        return None


def begin_sqlite(connection: Connection) -> None:
    """Begin the transaction here, because Python does not begin one by itself. SQLAlchemy is passed by: all
    that it does around a statement costs ten times as much as this one."""
    read_only = connection.get_execution_options().get("portal_read_only", False)
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    driver = cast(SQLiteConnection, connection.connection.driver_connection)
    try:
        driver.execute(begin)
    except SQLiteFault as fault:  # another writer holds the lock for too long
        raise OperationalError(begin, None, fault) from fault
