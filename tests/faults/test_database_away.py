"""The database is locked, gone, or in trouble, or it hangs. People are asked to wait, nothing is lost, and
nobody has to restart anything."""

import logging
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from math import inf
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from app.models.outbox_mail import MailState
from app.runtime import db, logs, migrations, watched_postgres
from app.runtime.logs import JsonLines
from app.runtime.watched_postgres import Patience
from app.web import pages
from tests.cast import BUDI, NEW_PASSWORD, SARI, STRANGERS_NIP
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


@pytest.mark.parametrize("path", ["/beranda", "/akun"])
def test_who_is_logged_in_is_told_calmly_when_the_database_dies_in_the_middle(
    peopled: Flask, path: str
) -> None:
    """Nothing more can be read then, not even who is asking."""
    visitor, statements = logged_in(peopled, SARI), count()
    with peopled.app_context():
        database = db.engine()

    def die(*_: object) -> None:
        if next(statements):
            raise OperationalError("the database has died", None, Exception())

    event.listen(database, "before_cursor_execute", die)
    answer = visitor.open(path)
    event.remove(database, "before_cursor_execute", die)

    assert (answer.status_code, bool(answer.headers["Retry-After"])) == (503, True)
    assert "Ke halaman masuk" in answer.text
    assert visitor.is_logged_in()


@only_sqlite
def test_a_full_disk_refuses_and_takes_nothing_back(peopled: Flask, inbox: Inbox) -> None:
    """SQLite's own limit on the pages of its file stands for the disk."""
    with peopled.app_context():
        database = db.engine()

    def may_grow(connection: sqlite3.Connection, *_: object, pages: int = 1) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")  # not below what there is

    event.listen(database, "checkout", may_grow)
    answers = [_asked_by_somebody(peopled, number) for number in range(200)]
    event.remove(database, "checkout", may_grow)
    asked = answers.count(303)
    event.listen(database, "checkout", partial(may_grow, pages=1 << 30))

    assert set(answers) == {303, 503}
    assert len(inbox.fetch()) == asked, "each was accepted as a whole, or not at all"
    assert _asked_by_somebody(peopled, 200) == 303, "there is room again"
    assert len(inbox.fetch()) == 1


def _asked_by_somebody(app: Flask, number: int) -> int:
    visitor = Visitor(app, f"198.51.100.{number}")
    return visitor.ask_for_token(STRANGERS_NIP, f"orang{number}@contoh.example").status_code


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

    def freeze(self) -> None:
        """Let it hang: its connections stay open, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        first = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *map(int, others)):
            os.kill(pid, number)

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


@pytest.fixture
def quick_to_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a moment of silence be enough to ask PostgreSQL whether it is there."""
    monkeypatch.setattr(watched_postgres, "IN_A_REQUEST", Patience(0.1, 0.5, 30))
    monkeypatch.setattr(watched_postgres, "ELSEWHERE", Patience(0.1, 0.5, inf))


@pytest.mark.usefixtures("quick_to_doubt")
@pytest.mark.parametrize(("go_away", "come_back"), [("stop", "start"), ("freeze", "thaw")])
@only_sqlite  # only because make_app needs a database; the test gives the portal another one
def test_people_and_letters_outlive_a_postgresql_that_is_away_or_hangs(
    own_postgres: Server,
    make_app: MakeApp,
    password_hash: str,
    server: MailServer,
    go_away: str,
    come_back: str,
) -> None:
    app = make_app(DATABASE_URL=own_postgres.url, **server.settings)
    people(app, password_hash)
    office, stranger, sari = PostOffice(app), Visitor(app), logged_in(app, SARI)
    office.post("sebelum@nusajaya.example")

    getattr(own_postgres, go_away)()
    try:
        with office.working():
            for refused in (
                stranger.ask_for_token(BUDI.nip, BUDI.email or ""),
                sari.open("/beranda"),
                sari.open("/login"),
            ):
                assert _asks_to_wait(refused)
            assert (stranger.open("/healthz").status_code, stranger.open("/readyz").status_code) == (200, 503)

            getattr(own_postgres, come_back)()
            eventually(lambda: stranger.open("/readyz").status_code == 200)
            assert stranger.ask_for_token(BUDI.nip, BUDI.email or "").status_code == 303
            assert sari.is_logged_in()
            eventually(lambda: len(server.taken) == 2)
            office.wait_until_all_are(MailState.SENT)
    except BaseException:
        getattr(own_postgres, come_back)()
        raise


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_long_statement_is_left_alone_while_postgresql_gives_a_sign(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = Patience(0.1, 5, 0.5)
    monkeypatch.setattr(watched_postgres, "IN_A_REQUEST", patience)
    monkeypatch.setattr(watched_postgres, "ELSEWHERE", replace(patience, for_a_statement=inf))

    with app.app_context(), db.reading() as session:
        session.execute(select(func.pg_sleep(0.7)))
    with (
        app.test_request_context(),
        pytest.raises(OperationalError, match="ran for"),
        db.reading() as session,
    ):
        session.execute(select(func.pg_sleep(30)))
    with app.test_request_context(), db.reading() as session:
        assert session.scalar(select(1)) == 1, "only that one statement was given up"


@contextmanager
def _says_nothing() -> Iterator[int]:
    """A port at which everybody is let in, and nobody is answered."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def app_without_postgresql(make_app: MakeApp) -> Iterator[Flask]:
    """A portal whose PostgreSQL has hung since before it started."""
    with _says_nothing() as port:
        yield make_app(DATABASE_URL=f"postgresql+psycopg://portal@127.0.0.1:{port}/portal")


_NEED_NO_ROW = (
    "/login",
    "/lupa-password",
    "/konfirmasi-reset-password",
)


@pytest.mark.usefixtures("quick_to_doubt")
@only_sqlite
def test_pages_that_need_no_row_are_served_while_postgresql_hangs(app_without_postgresql: Flask) -> None:
    app = app_without_postgresql
    for_everybody = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "is_for_everybody", False)
    ]
    stranger, somebody = Visitor(app), Visitor(app)
    somebody.client.set_cookie("masuk", "the id of a session")

    assert [page for page in _NEED_NO_ROW if stranger.open(page).status_code != 200] == []
    assert {somebody.open(page).status_code for page in for_everybody} <= {200, 404}  # 404: no Android app
    assert "/bantuan" in for_everybody
    assert _asks_to_wait(somebody.open("/beranda"))
    assert "portal_database_up 0.0" in Visitor(app, "127.0.0.1").open("/metrics").text


@pytest.mark.usefixtures("quick_to_doubt")
@only_sqlite
def test_only_the_first_waits_for_a_postgresql_that_hangs(
    app_without_postgresql: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger, tries = Visitor(app_without_postgresql), count()
    connect = watched_postgres.WatchedConnection.connect

    def counted(*arguments: Any, **options: Any) -> Any:
        next(tries)
        return connect(*arguments, **options)

    monkeypatch.setattr(watched_postgres.WatchedConnection, "connect", counted)

    for _ in range(3):
        assert _asks_to_wait(stranger.ask_for_token(BUDI.nip, BUDI.email or ""))

    assert next(tries) == 1


def test_what_the_database_url_says_of_time_outs_holds() -> None:
    assert db.time_outs("postgresql+psycopg://host/portal") == watched_postgres.TIME_OUTS
    assert "connect_timeout" not in db.time_outs("postgresql+psycopg://host/portal?connect_timeout=7")


def _asks_to_wait(answer: TestResponse) -> bool:
    return (answer.status_code, answer.headers.get("Retry-After")) == (
        503,
        "30",
    ) and "tidak ada yang hilang" in words_of(answer)


def _file_of(database_url: str) -> str:
    return make_url(database_url).database or ""
