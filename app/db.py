"""The database: one session an app context, one unit of work an act.

SQLite's own transaction handling is switched off (it begins too late and upgrades read locks, which fails under
parallel writers); instead every unit of work begins with BEGIN IMMEDIATE, and reading with a plain BEGIN.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Connection as SQLiteConnection

from flask import Flask
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

_READ_ONLY = {"portal_read_only": True}
_SECONDS_TO_WAIT_FOR_A_LOCK = 15

database = SQLAlchemy(session_options={"expire_on_commit": False})


def init_app(app: Flask, url: str) -> None:
    options: dict[str, object] = {"url": url}
    if make_url(url).get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": _SECONDS_TO_WAIT_FOR_A_LOCK, "check_same_thread": False}
    else:
        options |= {"pool_size": 10, "max_overflow": 10, "pool_timeout": 10, "pool_pre_ping": True}
    app.config["SQLALCHEMY_ENGINES"] = {"default": options}
    database.init_app(app)
    with app.app_context():
        prepare(database.engine)


def prepare(engine: Engine) -> None:
    """Give an engine the portal's way with transactions."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """One act of one person: all of it is committed, or nothing."""
    session = database.session
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def reading() -> Iterator[Session]:
    """A look without a lock: nothing is written, and no writer waits for it."""
    session = database.session
    session.connection(execution_options=_READ_ONLY)
    try:
        yield session
        session.commit()  # keeps what was loaded; a rollback would expire it
    except BaseException:
        session.rollback()
        raise


def _configure_sqlite(connection: SQLiteConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("portal_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
