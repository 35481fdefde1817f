"""The database is locked, gone, or in trouble. People are asked to wait, nothing is lost, and nobody has to
restart anything."""

import logging
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from app.models.outbox_mail import MailState
from app.runtime import db, logs, migrations
from app.runtime.logs import JsonLines
from app.web import pages
from tests.cast import BUDI, NEW_PASSWORD, SARI
from tests.conftest import MakeApp, people
from tests.faults.post_office import PostOffice
from tests.faults.smtp_server import MailServer, eventually
from tests.inbox import Inbox
from tests.postgres_server import find_programs, throw_away_server
from tests.visitor import Visitor, logged_in, words_of

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Log = Callable[[], str]


@pytest.fixture
def impatient_app(make_app: MakeApp, password_hash: str, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """A portal with the cast, which waits only a moment for the locks of the database."""
    monkeypatch.setattr(db, "_SECONDS_TO_WAIT_FOR_A_LOCK", 0.2)
    app = make_app()
    people(app, password_hash)
    return app


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """The portal's own log lines so far. It does not matter what earlier tests have done to the loggers of
    this process."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    kept = Kept()
    kept.setFormatter(JsonLines())
    loggers = (pages.log, logs.log)
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)
    for one in loggers:
        monkeypatch.setattr(one, "disabled", False)
        one.addHandler(kept)
        one.setLevel(logging.INFO)
    yield lambda: "\n".join(lines)
    for one in loggers:
        one.removeHandler(kept)
        one.setLevel(logging.NOTSET)


@only_sqlite
def test_while_the_database_is_locked_people_are_asked_to_wait(
    impatient_app: Flask, database_url: str, log: Log
) -> None:
    stranger, sari = Visitor(impatient_app), logged_in(impatient_app, SARI)
    stranger.ask_for_token(BUDI.nip, BUDI.email or "")
    mail = Inbox(impatient_app).fetch_one()

    with closing(sqlite3.connect(_file_of(database_url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for refused in (
            stranger.ask_for_token(BUDI.nip, BUDI.email or ""),
            stranger.reset_password(mail.code, NEW_PASSWORD),
        ):
            assert _asks_to_wait(refused)
        assert sari.open("/beranda").status_code == 200, "reading goes on"
        other.execute("ROLLBACK")

    assert stranger.reset_password(mail.code, NEW_PASSWORD).status_code == 303
    assert "database is locked" in log()
    for secret in mail.code, NEW_PASSWORD, BUDI.nip, BUDI.email or "":
        assert secret not in log()


@only_sqlite
def test_a_mailed_link_stays_out_of_the_log_when_opening_it_fails(
    impatient_app: Flask, database_url: str, log: Log
) -> None:
    stranger, sari = Visitor(impatient_app), logged_in(impatient_app, SARI)
    stranger.ask_for_token(BUDI.nip, BUDI.email or "")
    mail = Inbox(impatient_app).fetch_one()

    with closing(sqlite3.connect(_file_of(database_url), isolation_level=None)) as other:
        other.execute("ALTER TABLE reset_request RENAME TO elsewhere")
        answers = [browser.open(mail.link).status_code for browser in (stranger, sari)]
        other.execute("ALTER TABLE elsewhere RENAME TO reset_request")

    assert set(answers) <= {303, 503}
    assert mail.link.rpartition("/")[2] not in log()


@only_sqlite
def test_an_accident_in_the_database_puts_no_hash_and_no_row_key_into_the_log(
    impatient_app: Flask, database_url: str, log: Log
) -> None:
    stranger = Visitor(impatient_app)
    stranger.ask_for_token(BUDI.nip, BUDI.email or "")
    code = Inbox(impatient_app).fetch_one().code
    with closing(sqlite3.connect(_file_of(database_url), isolation_level=None)) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON user_account BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )

    refused = stranger.reset_password(code, NEW_PASSWORD)

    assert refused.status_code in (500, 503)
    assert "no room" in log()
    assert "$argon2" not in log()


@only_sqlite
def test_a_database_file_that_was_removed_is_missed_and_used_again_when_it_is_back(
    impatient_app: Flask, database_url: str, tmp_path: Path
) -> None:
    file = Path(_file_of(database_url))
    stranger, parts = (
        Visitor(impatient_app),
        [file, file.with_name("portal.db-wal"), file.with_name("portal.db-shm")],
    )
    (tmp_path / "aside").mkdir()

    for part in parts:
        shutil.move(part, tmp_path / "aside" / part.name)
    assert _asks_to_wait(stranger.ask_for_token(BUDI.nip, BUDI.email or ""))
    for part in parts:
        shutil.move(tmp_path / "aside" / part.name, part)

    assert stranger.ask_for_token(BUDI.nip, BUDI.email or "").status_code == 303
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT count(*) FROM outbox_mail").fetchone() == (1,)


# -- PostgreSQL
class Server:
    """A PostgreSQL for this test alone, which the test may stop and start."""

    def __init__(self, url: str) -> None:
        self.url = url.format("postgres")
        self._folder = Path(str(make_url(self.url).query["host"]))

    def stop(self) -> None:
        self._control("-m", "fast", "stop")

    def start(self) -> None:
        self._control(
            "-l",
            str(self._folder / "log"),
            "-o",
            f"-k {self._folder} -c listen_addresses= -c fsync=off",
            "start",
        )

    def _control(self, *arguments: str) -> None:
        command: list[str | Path] = [
            find_programs() / "pg_ctl",
            "-D",
            self._folder / "data",
            "-w",
            *arguments,
        ]
        nowhere = subprocess.DEVNULL
        subprocess.run(
            command,
            check=True,
            cwd="/",
            timeout=30,
            user=self._folder.owner(),
            stdout=nowhere,
            stderr=nowhere,
        )


@pytest.fixture
def own_postgres(request: pytest.FixtureRequest) -> Iterator[Server]:
    request.getfixturevalue("postgres")  # if there is no PostgreSQL, this skips the test, or fails in CI
    with throw_away_server() as url:
        own = Server(url)
        migrations.upgrade(own.url)
        yield own


@only_sqlite  # only because make_app needs a database; the test gives the portal another one
def test_people_and_letters_outlive_a_restart_of_postgresql(
    own_postgres: Server, make_app: MakeApp, password_hash: str, server: MailServer
) -> None:
    app = make_app(DATABASE_URL=own_postgres.url, **server.settings)
    people(app, password_hash)
    office, stranger, sari = PostOffice(app), Visitor(app), logged_in(app, SARI)
    office.post("sebelum@nusajaya.example")

    own_postgres.stop()
    try:
        with office.working():
            for refused in (
                stranger.ask_for_token(BUDI.nip, BUDI.email or ""),
                sari.open("/beranda"),
                sari.open("/login"),
            ):
                assert _asks_to_wait(refused)
            assert (stranger.open("/healthz").status_code, stranger.open("/readyz").status_code) == (200, 503)

            own_postgres.start()
            assert stranger.ask_for_token(BUDI.nip, BUDI.email or "").status_code == 303
            assert sari.is_logged_in()
            assert stranger.open("/readyz").status_code == 200
            eventually(lambda: len(server.taken) == 2)
            office.wait_until_all_are(MailState.SENT)
    except BaseException:
        own_postgres.start()
        raise


def _asks_to_wait(answer: TestResponse) -> bool:
    return (answer.status_code, answer.headers.get("Retry-After")) == (
        503,
        "30",
    ) and "tidak ada yang hilang" in words_of(answer)


def _file_of(database_url: str) -> str:
    return make_url(database_url).database or ""
