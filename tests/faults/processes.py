"""The portal as the operator starts it, with real processes, a real port, and a browser that uses HTTP."""

import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from config import ROOT
from tests.cast import BUDI
from tests.faults.smtp_server import eventually, free_port

SECONDS_TO_START = 20


def mysapk(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "app", *arguments]


class Portal:
    """`with Portal(folder, "serve", **settings) as portal:` one command in a process group of its own."""

    def __init__(self, folder: Path, *command: str, **environ: str) -> None:
        self.port = int(environ.get("PORT") or free_port())
        usual = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PORTAL_ENV": "demo",
            "INSTANCE_PATH": str(folder / "instance"),
            "DATABASE_URL": f"sqlite:///{folder / 'portal.db'}",
            "PORT": str(self.port),
            "DRAIN_SECONDS": "0",
        }
        self._log = folder / f"log-{self.port}"
        self._environ = {name: value for name, value in {**usual, **environ}.items() if value}
        self._command = command if command[0].startswith("/") else mysapk(*command)

    def __enter__(self) -> Self:
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                self._command, env=self._environ, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.group():
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        if fault:
            print(self.said)

    @property
    def said(self) -> str:
        """Everything that it has written so far, with the log."""
        return self._log.read_text()

    def wait_until_it_answers(self) -> "Browser":
        browser = Browser(self.port)

        def answers() -> bool:
            assert self.process.poll() is None, self.said
            try:
                return browser.open("/healthz").status < 500
            except ConnectionError:
                return False

        eventually(answers, SECONDS_TO_START)
        return browser

    def wait_for_worker(self, other_than: int = 0) -> int:
        """Wait until the worker has started. Returns its process id."""

        def started() -> bool:
            return self.said.count('"worker started"') > (1 if other_than else 0)

        eventually(started, SECONDS_TO_START)
        (worker,) = [
            pid
            for pid in self.group()
            if pid not in (self.process.pid, other_than) and "worker" in command_of(pid)
        ]
        return worker

    def wait_until_all_are_gone(self, seconds: float = 10) -> None:
        self.process.wait(seconds)
        eventually(lambda: not self.group(), seconds)

    def group(self) -> list[int]:
        """All running processes of its group."""
        return [
            int(folder.name)
            for folder in Path("/proc").iterdir()
            if folder.name.isdigit() and self._is_one(folder)
        ]

    def _is_one(self, folder: Path) -> bool:
        try:
            state, _parent, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return int(group) == self.process.pid and state not in "ZX"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str


class Browser:
    """A browser that keeps cookies and follows no redirects. `host` is the name under which it calls the
    portal, and `tls` whom it trusts; `headers` are sent with every request."""

    def __init__(
        self, port: int, host: str | None = None, tls: ssl.SSLContext | None = None, **headers: str
    ) -> None:
        self._port, self._host, self._tls = port, host or f"127.0.0.1:{port}", tls
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._cookies: dict[str, str] = {}

    def open(self, path: str) -> Answer:
        return self._ask("GET", path)

    def submit(self, page: str, path: str | None = None, **fields: str) -> Answer:
        return self.answer_to(self._send("POST", path or page, self._filled(page, fields)))

    def begin_to_submit(self, page: str, **fields: str) -> http.client.HTTPConnection:
        """The same without waiting for the answer."""
        return self._send("POST", page, self._filled(page, fields))

    def _filled(self, page: str, fields: dict[str, str]) -> str:
        found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', self.open(page).text)
        assert found, f"no form on {page}"
        return urlencode({"csrf_token": unescape(found[1]), **fields})

    def ask_for_token(self) -> Answer:
        """Send the form that asks for a token, as Budi."""
        return self.submit("/lupa-password", nip=BUDI.nip, email=BUDI.email or "")

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        return self.answer_to(self._send(method, path, body))

    def _send(self, method: str, path: str, body: str | None = None) -> http.client.HTTPConnection:
        connection = (
            http.client.HTTPSConnection("localhost", self._port, timeout=30, context=self._tls)
            if self._tls
            else http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        )
        headers = {
            **self._headers,
            "Host": self._host,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
        except OSError:
            connection.close()
            raise
        return connection

    def answer_to(self, connection: http.client.HTTPConnection) -> Answer:
        try:
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return Answer(answer.status, answer.headers, text)


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
