"""The import of a file of staff beside raw loading of the people that it adds.

Raw loading writes the rows of `user_account` that the import has written, and no others, in one transaction
and out of memory, into the same table with all its indexes and constraints, in a database of its own that was
as empty: by COPY on PostgreSQL, by `executemany` on SQLite. That is the yardstick. The import also reads and
judges each row, asks who is known, and writes three more kinds of rows: the words of each name, an event of
the trail for each person, and for a file from a page the changes. How long raw loading of people, words and
events takes is measured beside it: less than that no import could take.

BENCH_ROWS says how many rows, 50,000 otherwise.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from bench.people import write_instansi, write_staff
from bench.portal import Portal
from tests.databases import on_server
from tests.postgres_server import NoPostgres, throw_away_server

ROWS = int(os.environ.get("BENCH_ROWS", "50000"))
PEOPLE = "user_account"
# Each with the rows that the import of ROWS people wrote there
_WRITTEN = {
    PEOPLE: f"SELECT {{columns}} FROM {PEOPLE} ORDER BY id LIMIT {ROWS}",
    "name_word": "SELECT {columns} FROM name_word "
    f"WHERE user_id IN (SELECT id FROM {PEOPLE} ORDER BY id LIMIT {ROWS})",
    "audit_event": "SELECT {columns} FROM audit_event "
    f"WHERE tag = 'imported_new' AND account_id IS NOT NULL ORDER BY id LIMIT {ROWS}",
}


@dataclass(frozen=True)
class Loading:
    import_seconds: float
    raw_seconds: float  # of the people
    all_seconds: float  # of all rows that the import writes
    megabytes_more: float  # of memory, for all rows and for a tenth of them


def on_sqlite(folder: Path) -> Loading:
    imported, raw = (_portal(folder / name) for name in ("imported", "raw"))
    for portal in (imported, raw):
        portal.run("db", "upgrade")
        portal.run("import-instansi", str(write_instansi(portal.folder)))
    seconds, more = _import(imported)
    of_each = [_executemany(imported, raw, table) for table in _WRITTEN]
    return Loading(seconds, of_each[0], sum(of_each), more)


def on_postgresql(folder: Path) -> Loading | None:
    """None if this machine has no PostgreSQL."""
    try:
        with throw_away_server() as server:
            imported, raw = (_portal_on(server, folder, name) for name in ("imported", "raw"))
            seconds, more = _import(imported)
            of_each = [_copy(_name(imported), _name(raw), table) for table in _WRITTEN]
            return Loading(seconds, of_each[0], sum(of_each), more)
    except NoPostgres:
        return None


def _portal_on(server: str, folder: Path, name: str) -> Portal:
    on_server(server, f"CREATE DATABASE {name}")
    portal = _portal(folder / f"postgresql-{name}", DATABASE_URL=server.format(name))
    portal.run("db", "upgrade")
    portal.run("import-instansi", str(write_instansi(portal.folder)))
    return portal


def _portal(folder: Path, **environ: str) -> Portal:
    folder.mkdir(parents=True)
    return Portal(folder, **environ)


def _import(portal: Portal) -> tuple[float, float]:
    """Seconds for all rows, and how much more memory they took than a tenth of them."""
    all_rows = portal.run("import-pegawai", str(write_staff(portal.folder, range(ROWS))))
    tenth = portal.run("import-pegawai", str(write_staff(portal.folder, range(ROWS, ROWS + ROWS // 10))))
    return all_rows.seconds, all_rows.peak_mb - tenth.peak_mb


def _executemany(imported: Portal, raw: Portal, table: str) -> float:
    """Seconds for the rows that the import has written into the table."""
    with sqlite3.connect(imported.folder / "portal.db") as source:
        columns = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
        rows = source.execute(_WRITTEN[table].format(columns=", ".join(columns))).fetchall()
    into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    start = time.perf_counter()
    with sqlite3.connect(raw.folder / "portal.db") as target:
        target.execute("PRAGMA foreign_keys=ON")
        target.executemany(into, rows)
    return time.perf_counter() - start


def _copy(source_name: str, target_name: str, table: str) -> float:
    """Seconds for the rows that the import has written into the table."""
    with _connected(source_name) as source, source.cursor() as reading:
        reading.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
            [table],
        )
        columns = ", ".join(name for (name,) in reading.fetchall())
        with reading.copy(f"COPY ({_WRITTEN[table].format(columns=columns)}) TO STDOUT".encode()) as copied:
            lines = [bytes(part) for part in copied]
    start = time.perf_counter()
    with _connected(target_name) as target, target.cursor() as writing:
        with writing.copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copying:
            for line in lines:
                copying.write(line)
        target.commit()
    return time.perf_counter() - start


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    parts = make_url(url)
    with psycopg.connect(host=str(parts.query["host"]), user=parts.username, dbname=parts.database) as found:
        yield found


def _name(portal: Portal) -> str:
    return portal.environ["DATABASE_URL"]
