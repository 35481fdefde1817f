"""`mysapk db upgrade` stops no portal, leaves nothing half done, and may be started by several at once."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from app.runtime import migrations, schema, schema_lock
from app.runtime.db import engine
from app.runtime.schema import newest
from config import ROOT
from tests.faults.processes import mysapk
from tests.faults.smtp_server import eventually
from tests.later_release import LaterRelease

only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MAKES_A_TABLE = "op.create_table('{}', sa.Column('id', sa.Integer(), primary_key=True))"
CHANGES_INSTANSI = f"""
    {MAKES_A_TABLE.format("made_before")}
    op.add_column("instansi", sa.Column("motto", sa.String(length=20), nullable=True))
"""


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for what the test itself has locked."""
    monkeypatch.setattr(migrations, "TRIES", 3)
    monkeypatch.setattr(migrations, "SECONDS_BETWEEN_TRIES", 0.2)
    monkeypatch.setattr(schema_lock, "SQLITE_SECONDS", 0.1)


# -- under load
@only_postgresql
def test_a_migration_gives_up_before_a_long_reader_and_writers_go_on(app: Flask, tmp_path: Path) -> None:
    with LaterRelease(tmp_path, CHANGES_INSTANSI) as later, another_connection(app) as reader:
        reader.execute(text("SELECT count(*) FROM instansi"))
        with Writer(app) as writer:
            done = upgrade(app)
            written = writer.written

        assert done.exit_code == 1
        assert done.stderr.splitlines()[:-1] == [
            f"Sebuah tabel sedang dipakai; dicoba lagi dalam 0 detik ({left} kali lagi)." for left in (2, 1)
        ]
        assert done.stderr.splitlines()[-1] == (
            f"Error: Skema tetap pada {newest_before(later)}, migrasi sesudahnya dibatalkan seluruhnya: "
            "tabelnya terus dipakai transaksi lain. Tunggu atau akhiri transaksi itu (pg_stat_activity "
            "menunjukkannya), lalu jalankan lagi: mysapk db upgrade"
        )
        assert written > 3
        assert writer.longest < 10
        assert not has_table(app, "made_before")

        reader.rollback()
        assert upgrade(app).exit_code == 0
        assert has_table(app, "made_before")
        assert revision(app) == later.revisions[0]


@only_sqlite
def test_a_migration_of_sqlite_gives_up_before_a_long_writer_and_waits_for_no_reader(
    app: Flask, tmp_path: Path
) -> None:
    with LaterRelease(tmp_path, CHANGES_INSTANSI) as later:
        with another_connection(app) as writer:
            writer.execute(text("UPDATE instansi SET name = name"))
            done = upgrade(app)
        assert done.exit_code == 1
        assert done.stderr.splitlines()[-1].endswith(
            "akhiri transaksi itu, lalu jalankan lagi: mysapk db upgrade"
        )
        assert not has_table(app, "made_before")

        with another_connection(app, portal_read_only=True) as reader:
            reader.execute(text("SELECT count(*) FROM instansi"))
            assert upgrade(app).exit_code == 0
        assert has_table(app, "made_before")
        assert revision(app) == later.revisions[0]


@only_postgresql
def test_a_statement_that_takes_long_is_ended_unless_its_migration_says_so(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_lock, "STATEMENT_TIMEOUT", "1s")
    slow = f"{MAKES_A_TABLE.format('made_before')}\nop.execute('SELECT pg_sleep(1.5)')"
    with LaterRelease(tmp_path, slow) as later:
        done = upgrade(app)
        assert done.exit_code == 1
        assert "berjalan lebih lama daripada batasnya" in done.stderr
        assert done.stderr.count("\n") == 1
        assert not has_table(app, "made_before")

        later.replace(later.revisions[0], f"op.takes_long(minutes=1)\n{slow}")
        assert upgrade(app).exit_code == 0
        assert has_table(app, "made_before")


# -- one transaction each
def test_of_three_migrations_the_third_fails_alone(app: Flask, tmp_path: Path) -> None:
    third = f"{MAKES_A_TABLE.format('third')}\nop.execute('SELECT nothing FROM nowhere')"
    with LaterRelease(
        tmp_path, MAKES_A_TABLE.format("first"), MAKES_A_TABLE.format("second"), third
    ) as later:
        done = upgrade(app)

        assert done.exit_code == 1
        assert isinstance(done.exception, DBAPIError)
        assert [has_table(app, name) for name in ("first", "second", "third")] == [True, True, False]
        assert revision(app) == later.revisions[1]

        later.replace(later.revisions[2], MAKES_A_TABLE.format("third"))
        assert upgrade(app).exit_code == 0
        assert has_table(app, "third")
        assert revision(app) == later.revisions[2]


# -- several at once
@pytest.mark.parametrize("since", ["", "0008"])
def test_three_upgrades_at_once_all_succeed(database_url: str, tmp_path: Path, since: str) -> None:
    url = empty(database_url)
    if since:
        migrations.upgrade(url, since)
    environ = {
        "PATH": os.environ["PATH"],
        "PORTAL_ENV": "demo",
        "DATABASE_URL": url,
        "INSTANCE_PATH": str(tmp_path / "i"),
    }
    command = {
        "env": environ,
        "cwd": ROOT,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }

    running = [subprocess.Popen(mysapk("db", "upgrade"), **command) for _ in range(3)]  # type: ignore[call-overload]
    said = [one.communicate(timeout=120) for one in running]

    assert [one.returncode for one in running] == [0, 0, 0], said
    assert {out for out, _ in said} == {"Skema database mutakhir.\n"}
    made = create_engine(url)
    assert schema.look(made).revision == newest()
    with made.connect() as connection:
        assert connection.scalar(text("SELECT mark FROM audit_head")), "the trail has begun"
    made.dispose()


def test_who_waits_for_another_upgrade_says_so(
    app: Flask, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with schema_lock.schema_to_oneself(database_url):
        monkeypatch.setattr(schema_lock, "SECONDS_FOR_ANOTHER", 0.3)
        refused = upgrade(app)
        assert refused.exit_code == 1
        assert refused.stderr.splitlines() == [
            "Menunggu migrasi lain yang sedang berjalan.",
            "Error: Migrasi lain masih berjalan; tunggu sampai selesai, lalu jalankan lagi: mysapk db "
            "upgrade",
        ]
    assert upgrade(app).exit_code == 0


# -- indexes
INDEX = "op.create_index_on_filled_table('ix_instansi_name', 'instansi', ['name'], only='id > 0')"


def test_an_index_on_a_filled_table_is_made(app: Flask, tmp_path: Path) -> None:
    with LaterRelease(tmp_path, INDEX):
        assert upgrade(app).exit_code == 0
        assert is_valid(app, "ix_instansi_name")


@only_postgresql
def test_an_index_waits_for_old_transactions_and_no_writer_waits_for_it(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_lock, "STATEMENT_TIMEOUT", "1s")
    with LaterRelease(tmp_path, INDEX), another_connection(app) as old:
        old.execute(text("INSERT INTO instansi (code, name, helpdesk_contact) VALUES ('1', '1', '')"))
        outcomes: list[Result] = []
        upgrading = threading.Thread(target=lambda: outcomes.append(upgrade(app)))
        upgrading.start()
        with Writer(app) as writer:
            eventually(lambda: is_being_made(app, "ix_instansi_name"))
            time.sleep(1.2)  # longer than both limits
            so_far = writer.written
            eventually(lambda: writer.written > so_far + 3)
            assert upgrading.is_alive()
        old.commit()
        upgrading.join(20)

        assert outcomes[0].exit_code == 0
        assert is_valid(app, "ix_instansi_name")


@only_postgresql
def test_an_index_that_was_broken_off_is_made_anew(app: Flask, tmp_path: Path) -> None:
    with app.app_context(), engine().begin() as connection:
        for code in "ab":
            row = {"code": code, "name": "the same"}
            connection.execute(
                text("INSERT INTO instansi (code, name, helpdesk_contact) VALUES (:code, :name, '')"), row
            )
    body = """
        op.create_index_on_filled_table("ix_instansi_code_name", "instansi", ["code", "name"])
        op.create_index_on_filled_table("uq_instansi_name", "instansi", ["name"], unique=True)
    """
    with LaterRelease(tmp_path, body) as later:
        assert upgrade(app).exit_code == 1
        assert is_valid(app, "ix_instansi_code_name")
        assert not is_valid(app, "uq_instansi_name")
        assert revision(app) == newest_before(later)

        with app.app_context(), engine().begin() as connection:
            connection.execute(text("UPDATE instansi SET name = code"))
        assert upgrade(app).exit_code == 0
        assert is_valid(app, "ix_instansi_code_name")
        assert is_valid(app, "uq_instansi_name")
        assert revision(app) == later.revisions[0]


# -- what the tests look at
class Writer:
    """Somebody who writes an instansi again and again, and notes the longest time that one took."""

    def __init__(self, app: Flask) -> None:
        self._app, self._end = app, threading.Event()
        self.written, self.longest = 0, 0.0

    def __enter__(self) -> "Writer":
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        eventually(lambda: self.written)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(20)

    def _write(self) -> None:
        words = text("INSERT INTO instansi (code, name, helpdesk_contact) VALUES (:code, :code, '')")
        while not self._end.wait(0.05):
            began = time.monotonic()
            with self._app.app_context(), engine().begin() as connection:
                connection.execute(words, {"code": f"w{self.written}"})
            self.longest = max(self.longest, time.monotonic() - began)
            self.written += 1


@contextmanager
def another_connection(app: Flask, **options: bool) -> Iterator[Connection]:
    with app.app_context(), engine().connect().execution_options(**options) as connection:
        yield connection


def upgrade(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["db", "upgrade"], catch_exceptions=True, prog_name="mysapk")


def has_table(app: Flask, name: str) -> bool:
    with app.app_context():
        return inspect(engine()).has_table(name)


def revision(app: Flask) -> str | None:
    with app.app_context():
        return schema.look(engine()).revision


def newest_before(later: LaterRelease) -> str:
    return f"{int(later.revisions[0]) - 1:04}"


def is_valid(app: Flask, index: str) -> bool:
    with app.app_context(), engine().connect() as connection:
        if connection.dialect.name == "sqlite":
            return bool(
                connection.scalar(
                    text("SELECT count(*) FROM sqlite_master WHERE name = :index"), {"index": index}
                )
            )
        valid = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:index)")
        return bool(connection.scalar(valid, {"index": index}))


def is_being_made(app: Flask, index: str) -> bool:
    with app.app_context(), engine().connect() as connection:
        under_way = text(
            "SELECT count(*) FROM pg_stat_progress_create_index WHERE index_relid = to_regclass(:index)"
        )
        return bool(connection.scalar(under_way, {"index": index}))


def empty(database_url: str) -> str:
    """An empty database in place of the migrated one."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).unlink()
        return database_url
    with psycopg.connect(
        host=str(url.query["host"]), user=url.username, dbname=url.database, autocommit=True
    ) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return database_url
