"""What the web server itself logs about connections that break: it holds no secret and costs no time."""

import json
import logging
import os
import shutil
import socket
import struct
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from app.runtime.logs import JsonLines
from tests.cast import BUDI, NEW_PASSWORD, SARI
from tests.conftest import SECRET_KEY, MakeApp, people
from tests.faults.post_office import PostOffice
from tests.faults.processes import Portal
from tests.inbox import Inbox, Mail

LONGEST_PATH = 40_000
TRIES = 12  # an answer that has begun goes out in one piece, so few connections break within one


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'portal.db')}"


@pytest.fixture
def mail(make_app: MakeApp, password_hash: str) -> Mail:
    """The mail that Budi has just received."""
    app = make_app()
    people(app, password_hash)
    office = PostOffice(app)
    office.budi_asks()
    return Inbox(app).fetch_one(BUDI.email)


def test_a_broken_connection_tells_the_log_no_secret_and_costs_next_to_nothing(
    mail: Mail, tmp_path: Path
) -> None:
    link = mail.link.split("/", 3)[3]
    encoded = quote(quote(link, safe=""), safe="")
    paths = {
        "a live link": f"/{link}",
        "a live link behind another page": f"/login?next={encoded}",
        "a code": f"/konfirmasi-reset-password/{mail.code}",
        "a NIP": f"/{BUDI.nip}/{quote(SARI.nip[:8] + ' ' + SARI.nip[8:])}",
        "an address": f"/{quote(BUDI.email or '')}",
        "letters without end": f"/{'a' * LONGEST_PATH}",
        "a link without end": f"/konfirmasi-reset-password/{'a.' * (LONGEST_PATH // 2)}",
        "addresses without end": f"/{'a@' * (LONGEST_PATH // 2)}",
    }
    with Portal(tmp_path, "serve", "--no-worker", SECRET_KEY=SECRET_KEY) as running:
        browser = running.wait_until_it_answers()
        for name, path in paths.items():
            spent = _cpu_seconds(running.process.pid)
            for number in range(TRIES):
                _ask_and_hang_up(running.port, path, after=0.001 * number)
            assert browser.open("/healthz").status == 200
            assert (_cpu_seconds(running.process.pid) - spent) / TRIES < 0.5, name
        assert browser.open(f"/{link}").status == 303, "the link is live, all this while"
        said = running.said

    for secret in (
        link.rsplit("/", 1)[-1],
        mail.code,
        BUDI.nip,
        SARI.nip,
        BUDI.email,
        NEW_PASSWORD,
        SECRET_KEY,
    ):
        assert secret
        assert secret not in said
    assert all(len(line) < 20_000 and json.loads(line)["logger"] for line in said.splitlines())


def _ask_and_hang_up(port: int, path: str, after: float) -> None:
    """Ask, and cut the connection after so many seconds: while the request is read or answered, or later."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        time.sleep(after)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_the_line_about_a_connection_that_breaks_within_an_answer_holds_no_secret(
    mail: Mail, make_app: MakeApp
) -> None:
    make_app()  # the log knows its paths
    link, lines = mail.link.split("/", 3)[3], JsonLines()

    for path in (link, f"konfirmasi-reset-password/{mail.code}", BUDI.nip, BUDI.email or ""):
        said = f"Client disconnected while serving /{path}"
        written = lines.format(logging.LogRecord("waitress", logging.INFO, "", 0, said, None, None))

        assert path.rsplit("/", 1)[-1] not in written
