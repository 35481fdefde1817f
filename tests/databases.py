"""The databases that the tests of one process share, one test after the other.

A new database costs PostgreSQL 150 ms, and a new engine compiles every statement again. So a later test gets
the database of an earlier one, with all rows restored to what the migrations leave.
"""

import shutil
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url

# The size of all tables. Above it, a new database is cheaper than an old one that is emptied
_MOST_BYTES = 4 * 1024 * 1024

# What a test may leave behind besides rows: other tables, statistics, a transaction that is still open.
_NOTE_DDL = """
CREATE SCHEMA between_tests;
CREATE TABLE between_tests.changed (tag text);
CREATE FUNCTION between_tests.note() RETURNS event_trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO between_tests.changed VALUES (tg_tag); END$$;
"""
_ON_DDL = """
CREATE EVENT TRIGGER changed ON ddl_command_end EXECUTE FUNCTION between_tests.note();
CREATE EVENT TRIGGER dropped ON sql_drop EXECUTE FUNCTION between_tests.note();
"""
_KINDS = ("sqlite", "postgresql")
_TABLES = (
    "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)
_SEQUENCES = (
    "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
)
_COLUMNS = """
SELECT quote_ident(attname) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
_RESTORE = """
CREATE FUNCTION between_tests.restored() RETURNS boolean LANGUAGE plpgsql
SET session_replication_role = replica SET lock_timeout = '2s' AS $$BEGIN
    IF EXISTS (SELECT FROM between_tests.changed)
        OR EXISTS (SELECT FROM pg_statistic JOIN pg_class ON pg_class.oid = starelid
                   WHERE relnamespace = 'public'::regnamespace)
        OR EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                   AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle')
        OR (SELECT sum(pg_relation_size(oid)) FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace) > {most_bytes}
    THEN RETURN false; END IF;
    {statements}
    RETURN true;
END$$
"""


_FEW = 2  # cases; a test with so few runs all of them on both databases


def cases_for_the_other_database(items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
    """Of tests that walk over more than a few cases on both databases: every second case on the one, the
    others on the other."""
    walks: dict[str, dict[str, dict[str, pytest.Item]]] = {}
    for item in items:
        call: Any = getattr(item, "callspec", None)
        database = call.params.get("database_url") if call else None
        if database in _KINDS:
            case = "-".join(part for part in call.id.split("-") if part not in _KINDS)
            walks.setdefault(item.nodeid.partition("[")[0], {}).setdefault(case, {})[database] = item
    for cases in walks.values():
        if len(cases) > _FEW:
            for number, on in enumerate(cases.values()):
                if len(on) == len(_KINDS):
                    yield on[_KINDS[number % len(_KINDS)]]


def first_cases(items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
    """All unit tests, and of each other test the first case on SQLite."""
    seen: set[str] = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        call: Any = getattr(item, "callspec", None)
        is_on_postgresql = "postgres" in getattr(item, "fixturenames", ()) or (
            call is not None and call.params.get("database_url") == "postgresql"
        )
        if test.startswith("tests/unit/") or not (is_on_postgresql or test in seen):
            seen.add(test)
            yield item


class SqliteDatabase:
    """One file, which each test gets as a fresh copy of the migrated file."""

    def __init__(self, template: Path, folder: Path) -> None:
        self._template = template
        self._file = folder / "portal.db"

    def emptied(self) -> str:
        """The URL of a migrated, empty database."""
        for file in self._file.parent.glob(f"{self._file.name}*"):
            file.unlink()
        shutil.copyfile(self._template, self._file)
        url = f"sqlite:///{self._file}"
        _shared.add(_name_of(make_url(url)))
        return url


class PostgresDatabase:
    """One database at a time on the throw-away server. `server` is the URL with `{}` for the name."""

    TEMPLATE = "portal_template"

    def __init__(self, server: str) -> None:
        self._server = server
        self._numbers = count(1)
        self._name = ""
        self._connection: psycopg.Connection | None = None

    def emptied(self) -> str:
        """The URL of a migrated, empty database. It is a new one if the last test has changed more than
        rows."""
        if not self._is_restored():
            self.drop()
            self._make()
        return self._server.format(self._name)

    def drop(self) -> None:
        if self._connection:
            self._connection.close()
            on_server(self._server, f"DROP DATABASE {self._name} WITH (FORCE)")
            forget_engine(self._server.format(self._name))
            self._connection = None

    def _make(self) -> None:
        self._name = f"portal_{next(self._numbers)}"
        on_server(
            self._server,
            f"CREATE DATABASE {self._name} TEMPLATE {self.TEMPLATE}",
            since_15="STRATEGY FILE_COPY",
        )
        self._connection = _connected(self._server, self._name)
        _shared.add(_name_of(make_url(self._server.format(self._name))))

    def _is_restored(self) -> bool:
        if self._connection is None:
            return False
        try:
            row = self._connection.execute("SELECT between_tests.restored()").fetchone()
        except psycopg.Error:
            return False
        return bool(row and row[0])


def prepare_template(server: str) -> None:
    """Give the migrated template a function that restores its rows."""
    with _connected(server, PostgresDatabase.TEMPLATE) as connection:
        connection.execute(_NOTE_DDL)
        statements = "\n    ".join(_restoring_statements(connection))
        connection.execute(_RESTORE.format(most_bytes=_MOST_BYTES, statements=statements).encode())
        connection.execute(_ON_DDL)


def _restoring_statements(connection: psycopg.Connection) -> Iterator[str]:
    tables = [str(name) for (name,) in connection.execute(_TABLES)]
    for table in tables:
        yield f"DELETE FROM {table};"
    for table in tables:
        if connection.execute(f"SELECT FROM {table} LIMIT 1".encode()).fetchone() is not None:
            columns = ", ".join(str(name) for (name,) in connection.execute(_COLUMNS, (table,)))
            connection.execute(f"CREATE TABLE between_tests.{table} AS TABLE {table}".encode())
            yield f"INSERT INTO {table} ({columns}) SELECT {columns} FROM between_tests.{table};"
    for (name,) in connection.execute(_SEQUENCES).fetchall():
        state = connection.execute(f"SELECT last_value, is_called FROM {name}".encode()).fetchone()
        assert state is not None
        yield f"PERFORM setval('{name}', {state[0]}, {str(state[1]).lower()});"


def on_server(server: str, statement: str, since_15: str = "") -> None:
    """Run a statement. `since_15` is added to it on PostgreSQL 15 and later: copying a database as files
    takes half the time."""
    with _connected(server, "postgres") as connection:
        knows_it = connection.info.server_version >= 150_000
        connection.execute(f"{statement} {since_15 if knows_it else ''}".encode())


def _connected(server: str, name: str) -> psycopg.Connection:
    parts = make_url(server.format(name))
    return psycopg.connect(host=parts.query["host"], user=parts.username, dbname=name, autocommit=True)  # type: ignore[arg-type]


_shared: set[str] = set()  # the addresses of the databases above
_engines: dict[tuple[str, str], Engine] = {}  # those that no app has now, by address and options
_kinds: WeakKeyDictionary[Engine, tuple[str, str]] = WeakKeyDictionary()


def lent_engine(url: str, **options: Any) -> Engine:
    """In place of `create_engine`: where one like it is free, an engine that has compiled the portal's
    statements."""
    name = _name_of(make_url(url))
    if name in _shared and "pool_pre_ping" in options:
        options["pool_pre_ping"] = False  # this server does not go away between two questions
    kind = name, repr(sorted(options.items()))
    engine = _engines.pop(kind, None) or create_engine(url, **options)
    _kinds[engine] = kind
    return engine


def give_back(engine: Engine) -> None:
    """An app has ended. What still listens to its engine, or uses a connection of it, ends with it."""
    kind = _kinds.get(engine)
    is_as_before = engine.pool.checkedout() == 0 and not _listeners(engine)  # type: ignore[attr-defined]
    if engine.dialect.name == "sqlite":
        engine.dispose()  # the next test has another file at this place
    if kind is None or kind[0] not in _shared or kind in _engines or not is_as_before:
        engine.dispose()
    else:
        _engines[kind] = engine


def forget_engine(url: str) -> None:
    """No test will use this database again."""
    name = _name_of(make_url(url))
    _shared.discard(name)
    for kind in [kind for kind in _engines if kind[0] == name]:
        _engines.pop(kind).dispose()


def _name_of(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _listeners(engine: Engine) -> int:
    """How many listeners the engine calls for each statement. The portal itself has none."""
    return len(list(engine.dispatch.before_cursor_execute)) + len(list(engine.dispatch.after_cursor_execute))
