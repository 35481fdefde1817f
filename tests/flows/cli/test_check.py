"""`mysapk check` checks everything that a running portal needs, and uses the same words as the start."""

import http.client
import secrets
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import time_machine
import waitress
from click.testing import Result
from flask import Flask
from flask.cli import ScriptInfo
from waitress import wasyncore

from app.command_line import mysapk
from app.domain.indonesian_time import now
from app.security.signing import SigningKeys
from config import BadSetting, Settings
from tests.conftest import SECRET_KEY, MakeApp
from tests.unit.test_settings import PRODUCTION, UNSAFE
from tests.visitor import Visitor


def _check(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["check"])


def _line(looked: Result, about: str) -> str:
    (line,) = [line for line in looked.output.splitlines() if about in line]
    return line


# -- settings
@pytest.mark.parametrize(
    ("environ", "name", "reason"), UNSAFE, ids=lambda part: part if isinstance(part, str) else ""
)
def test_check_says_what_the_start_says(environ: dict[str, str], name: str, reason: str) -> None:
    def start() -> Flask:
        Settings.from_env({**PRODUCTION, **environ})
        raise AssertionError("it starts")

    with pytest.raises(BadSetting) as refused:
        start()
    looked = Flask("any").test_cli_runner().invoke(mysapk, ["check"], obj=ScriptInfo(create_app=start))

    told = [line for line in looked.output.splitlines() if line.startswith("fault: ")]
    assert looked.exit_code == 1
    assert [line.split(" Example: ")[0] for line in told] == [
        f"fault: {fault}".split(" Example: ")[0] for fault in refused.value.faults
    ]
    assert any(line.startswith(f"fault: {name}: ") and reason in line for line in told)


def test_check_repeats_what_the_start_remarks(make_app: MakeApp) -> None:
    looked = _check(make_app(MAIL_SEVER="x"))

    assert looked.exit_code == 0
    assert "warning: MAIL_SEVER: is no setting; did you mean MAIL_SERVER?" in looked.output


# -- what the portal leans on
def test_check_says_of_each_thing_how_it_is(make_app: MakeApp, database_url: str) -> None:
    looked = _check(make_app())

    assert looked.exit_code == 0, looked.output
    for about in (
        "settings: test",
        "database: ",
        "migrations: ",
        "(INSTANCE_PATH): ",
        "(mails): ",
        "Redis: ",
        "mail server: ",
    ):
        assert _line(looked, about).startswith("ok: ")
    assert _line(looked, "clock: ").startswith("skipped: " if database_url.startswith("sqlite") else "ok: ")
    assert _line(looked, "proxies: ").startswith("skipped: ")
    assert "start the portal" in _line(looked, "proxies: ")


def test_check_says_what_must_be_mended(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    broken = {
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": "9",
        "RATELIMIT_STORAGE_URI": "redis://:geheim@127.0.0.1:9/0",
        "INSTANCE_PATH": str(tmp_path / "file" / "instance"),
    }
    looked = _check(make_app(**broken))

    assert looked.exit_code == 1
    assert "geheim" not in looked.output
    for about, way in (
        ("mail server", "MAIL_SERVER"),
        ("(INSTANCE_PATH)", "give it to"),
    ):
        assert _line(looked, about).startswith("fault: ")
        assert way in _line(looked, about)
    assert _line(looked, "Redis at").startswith("warning: "), "the portal goes on without it"
    assert "start it" in _line(looked, "Redis at")

    empty = _check(make_app(DATABASE_URL=f"sqlite:///{tmp_path}/new.db"))
    assert empty.exit_code == 1
    assert "mysapk db upgrade" in _line(empty, "migrations")


class Pong(socketserver.BaseRequestHandler):
    """A Redis that knows only one command."""

    def handle(self) -> None:
        while data := self.request.recv(4096):
            commands = max(1, data.count(b"\r\n*") + data.startswith(b"*"))
            self.request.sendall(b"+PONG\r\n" * commands)


def test_check_asks_redis(make_app: MakeApp) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Pong) as redis:
        redis.daemon_threads = True
        threading.Thread(target=redis.serve_forever, args=(0.05,), daemon=True).start()
        looked = _check(make_app(RATELIMIT_STORAGE_URI=f"redis://127.0.0.1:{redis.server_address[1]}/0"))
        redis.shutdown()

    assert _line(looked, "Redis at ") == "ok: Redis at 127.0.0.1: answers"


def test_check_compares_the_clock_with_the_database_s(make_app: MakeApp, database_url: str) -> None:
    app = make_app()
    for shift, said in ((timedelta(minutes=2), "ahead of"), (timedelta(minutes=-2), "behind")):
        with time_machine.travel(now() + shift):
            looked = _check(app)

        if database_url.startswith("sqlite"):
            assert looked.exit_code == 0
            assert "skipped: clock" in looked.output
        else:
            assert looked.exit_code == 1
            assert f"120 seconds {said} the database's" in _line(looked, "clock: ")


# -- the proxies before it
class Proxy(BaseHTTPRequestHandler):
    """A proxy that passes requests on to `upstream`. Its `manner` says what it does with X-Forwarded-For."""

    upstream: int
    manner: str

    def do_GET(self) -> None:
        headers = dict(self.headers.items())
        before = headers.pop("X-Forwarded-For", "")
        if self.manner == "adds":
            headers["X-Forwarded-For"] = f"{before}, 198.51.100.9" if before else "198.51.100.9"
        elif self.manner == "writes anew":
            headers["X-Forwarded-For"] = "198.51.100.9"
        elif self.manner == "keeps what is there":
            headers["X-Forwarded-For"] = before or "198.51.100.9"
        elif self.manner == "changes the host":
            headers["Host"] = f"127.0.0.1:{self.upstream}"
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=5)
        connection.request("GET", self.path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _proxy(upstream: int, manner: str) -> Iterator[int]:
    kind = type("ProxyHere", (Proxy,), {"upstream": upstream, "manner": manner})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        running = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        running.start()
        yield server.server_address[1]
        server.shutdown()
        running.join(5)


@contextmanager
def _behind(manners: list[str]) -> Iterator[tuple[socket.socket, int]]:
    """A socket for the portal, and the port of the outermost of these proxies. Without proxies it is the
    portal's own port."""
    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = door.getsockname()[1]
        for manner in manners:
            port = stack.enter_context(_proxy(port, manner))
        yield door, port


@contextmanager
def _serving(app: Flask, door: socket.socket) -> Iterator[None]:
    server = waitress.create_server(
        app, sockets=[door], threads=4, ident=None, clear_untrusted_proxy_headers=False
    )
    web = threading.Thread(target=server.run, daemon=True)
    web.start()
    yield
    with suppress(OSError):  # the loop was running, and has closed the trigger before this
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
    web.join(5)
    server.task_dispatcher.shutdown()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("proxies", "trusted", "said"),
    [
        ([], "0", "ok: proxies: "),
        (["adds"], "1", "ok: proxies: "),
        (["writes anew"], "1", "ok: proxies: "),
        (["adds", "adds"], "2", "ok: proxies: "),
        (
            ["adds"],
            "2",
            "fault: TRUSTED_PROXIES=2, and the request through URL passed 1 proxy: visitors can choose",
        ),
        (
            ["writes anew"],
            "2",
            "fault: TRUSTED_PROXIES=2, and the request through URL passed 1 proxy: visitors can choose",
        ),
        (
            [],
            "1",
            "fault: TRUSTED_PROXIES=1, and the request through URL passed 0 proxies: visitors can choose",
        ),
        (
            ["adds"],
            "0",
            "fault: TRUSTED_PROXIES=0, and the request through URL passed 1 proxy: all visitors count as one",
        ),
        (
            ["adds", "adds"],
            "1",
            "fault: TRUSTED_PROXIES=1, and the request through URL passed 2 proxies: all visitors count",
        ),
        (
            ["keeps what is there"],
            "1",
            "fault: TRUSTED_PROXIES=1, and the request through URL passed 1 proxy, which let",
        ),
        (
            ["changes the host"],
            "1",
            "fault: proxies: URL answers 400: the proxy must pass the Host header on",
        ),
    ],
    ids=str,
)
def test_check_counts_the_proxies_by_one_request(
    make_app: MakeApp, proxies: list[str], trusted: str, said: str
) -> None:
    with _behind(proxies) as (door, port):
        app = make_app(PUBLIC_URL=f"http://127.0.0.1:{port}", TRUSTED_PROXIES=trusted)
        with _serving(app, door):
            looked = _check(app)

    line = (
        _line(looked, f"http://127.0.0.1:{port} ") if said.startswith("fault") else _line(looked, "proxies: ")
    )
    assert line.startswith(said.replace("URL", f"http://127.0.0.1:{port}")), looked.output
    assert looked.exit_code == (1 if said.startswith("fault") else 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_check_is_not_taken_in_by_another_portal(make_app: MakeApp) -> None:
    with _behind([]) as (door, port):
        url = f"http://127.0.0.1:{port}"
        with _serving(make_app(PUBLIC_URL=url, SECRET_KEY="another key, of another portal"), door):
            looked = _check(make_app(PUBLIC_URL=url))

    assert looked.exit_code == 0
    assert _line(looked, "proxies: ").startswith("skipped: ")
    assert "another SECRET_KEY" in looked.output


def test_the_question_of_check_is_answered_once_within_a_minute_and_to_nobody_else(app: Flask) -> None:
    visitor = Visitor(app)
    question = SigningKeys((SECRET_KEY,)).check_question(secrets.token_hex(16))

    def ask(signed: str | None) -> int:
        return visitor.client.get(
            "/proxyz", headers={"X-Portal-Check": signed} if signed is not None else {}
        ).status_code

    assert [ask(question), ask(question)] == [200, 404]
    strangers = SigningKeys(("another key",))
    for signed in (
        None,
        "",
        "x",
        question[:-1],
        strangers.check_question("2"),
        SigningKeys((SECRET_KEY,)).correction_link("3"),
    ):
        assert ask(signed) == 404
    for minutes in (-2, 2):
        with time_machine.travel(now() + timedelta(minutes=minutes)):
            other_time = SigningKeys((SECRET_KEY,)).check_question(f"at {minutes}")
        assert ask(other_time) == 404


def test_a_stranger_finds_no_page_where_check_asks(app: Flask) -> None:
    visitor = Visitor(app)
    here, nowhere = visitor.open("/proxyz"), visitor.open("/tidak-ada")

    assert here.status_code == nowhere.status_code == 404
    pages = {answer.text.replace(answer.headers["X-Request-ID"], "") for answer in (here, nowhere)}
    assert len(pages) == 1
