"""The import of a file of staff beside raw loading of the very same rows into the same empty tables."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from bench.people import write_instansi, write_staff
from bench.portal import Portal
from tests.databases import on_server
from tests.postgres_server import NoPostgres, throw_away_server

ROWS = int(os.environ.get("BENCH_ROWS", "50000"))
TABLE = "user_account"


@dataclass(frozen=True)
class Loading:
    import_seconds: float
    raw_seconds: float
    megabytes_more: float  # of memory, for all rows and for a tenth of them


def on_sqlite(folder: Path) -> Loading:
    imported, raw = (_portal(folder / name) for name in ("imported", "raw"))
    for portal in (imported, raw):
        portal.run("db", "upgrade")
        portal.run("import-instansi", str(write_instansi(portal.folder)))
    seconds, more = _import(imported)
    with sqlite3.connect(imported.folder / "portal.db") as source:
        columns = [row[1] for row in source.execute(f"PRAGMA table_info({TABLE})")]
        rows = source.execute(f"SELECT {', '.join(columns)} FROM {TABLE}").fetchall()
    into = f"INSERT INTO {TABLE} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    start = time.perf_counter()
    with sqlite3.connect(raw.folder / "portal.db") as target:
        target.executemany(into, rows)
    return Loading(seconds, time.perf_counter() - start, more)


def on_postgresql(folder: Path) -> Loading | None:
    """None if this machine has no PostgreSQL."""
    try:
        with throw_away_server() as server:
            imported, raw = (_portal_on(server, folder, name) for name in ("imported", "raw"))
            seconds, more = _import(imported)
            return Loading(seconds, _copy(_name(imported), _name(raw)), more)
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


def _copy(source_name: str, target_name: str) -> float:
    """Seconds for COPY of the same rows into the same table, with all its indexes."""
    with _connected(source_name) as source, source.cursor() as reading:
        reading.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
            [TABLE],
        )
        columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in reading.fetchall())
        place = sql.SQL("COPY {} ({})").format(sql.Identifier(TABLE), columns)
        with reading.copy(place + sql.SQL(" TO STDOUT")) as copied:
            lines = [bytes(part) for part in copied]
    start = time.perf_counter()
    with _connected(target_name) as target, target.cursor() as writing:
        with writing.copy(place + sql.SQL(" FROM STDIN")) as copying:
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
