"""The real portal on a port of this machine, with its server, the worker and the cast."""

import shutil
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from flask import Flask
from sqlalchemy import select

from app.cli.demo_desk import liven
from app.domain.indonesian_time import now
from app.models.login_session import LoginSession
from app.models.outbox_mail import MailState, OutboxMail
from app.runtime.db import engine, reading, unit_of_work
from app.runtime.server import Front
from app.web import assets
from app.web.reception import reception
from app.wiring import create_app
from app.worker.duties import count_everybody
from app.worker.loop import work
from config import Settings
from tests.conftest import SECRET_KEY, people
from tests.inbox import Inbox, Mail
from tests.made_once import compile_templates_once

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_SECONDS_TO_END = 10


class Line:
    """The line between the portal and its visitors. If it is slow, the answer to a form takes a while."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.seconds = 0.0

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = self._app(environ, start_response)
        if environ["REQUEST_METHOD"] == "POST":
            time.sleep(self.seconds)
        return answer


@dataclass(frozen=True)
class LivePortal:
    """A running portal. The methods tell what nobody sees in a browser."""

    app: Flask
    url: str
    line: Line

    def mails(self) -> list[Mail]:
        """All new mails, after the worker has sent everything that was posted."""
        last_moment = time.monotonic() + _SECONDS_TO_END
        while self._is_sending():
            assert time.monotonic() < last_moment, "the worker does not send"
            time.sleep(0.05)
        return Inbox(self.app).fetch()

    def let_sessions_rest(self, span: timedelta) -> None:
        """Let the last use of all sessions be earlier by this span."""
        with self.app.app_context(), unit_of_work() as session:
            for login in session.scalars(select(LoginSession)):
                login.seen_at -= span

    def seconds_since_use(self) -> float:
        """The seconds since any session was used."""
        with self.app.app_context(), reading() as session:
            return min(
                (now() - login.seen_at).total_seconds() for login in session.scalars(select(LoginSession))
            )

    def end_sessions_after(self, seconds: float) -> None:
        """From now on, let sessions end after so many seconds. This is shorter than any setting, so that a
        test can wait for the real end."""
        portal = self.app.extensions["portal"]
        self.app.extensions["portal"] = replace(
            portal, settings=replace(portal.settings, session_idle_minutes=seconds / 60)
        )

    def let_proofs_rest(self, span: timedelta = timedelta(minutes=11)) -> None:
        """Let the moment when each password was last typed be earlier by this span."""
        with self.app.app_context(), unit_of_work() as session:
            for login in session.scalars(select(LoginSession)):
                login.proven_at -= span

    def fill_the_desks(self) -> None:
        """Fill the desks as in the demo: queues, failed mails, a month of activation."""
        with self.app.app_context():
            with unit_of_work() as session:
                liven(session, now())
            count_everybody()

    def _is_sending(self) -> bool:
        on_their_way = OutboxMail.state.in_((MailState.WAITING, MailState.SENDING))
        with self.app.app_context(), reading() as session:
            return session.scalar(select(OutboxMail.id).where(on_their_way).limit(1)) is not None


@contextmanager
def running_portal(
    folder: Path, template: Path, static: Path, password_hash: str, **environ: str
) -> Iterator[LivePortal]:
    """The portal with its own copy of the migrated database `template`, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        database = folder / "portal.db"
        shutil.copyfile(template, database)
        settings = {
            "PORTAL_ENV": "demo",
            "PUBLIC_URL": url,
            "DATABASE_URL": f"sqlite:///{database}",
            "SECRET_KEY": SECRET_KEY,
            "INSTANCE_PATH": str(folder / "instance"),
            **environ,
        }
        with patch.object(assets, "STATIC", static):
            app = create_app(Settings.from_env(settings))
        compile_templates_once(app)
        people(app, password_hash)
        line = Line(app)
        with _serving(line, app, door), _working(app):
            yield LivePortal(app, url, line)
        with app.app_context():
            engine().dispose()


@contextmanager
def _serving(line: Line, app: Flask, door: socket.socket) -> Iterator[None]:
    front = Front(line, [door], reception(app))
    web = threading.Thread(target=front.run, name="web", daemon=True)
    web.start()
    try:
        yield
    finally:
        front.stop()
        web.join(_SECONDS_TO_END)
        assert not web.is_alive()


@contextmanager
def _working(app: Flask) -> Iterator[None]:
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(app, stop), name="worker", daemon=True)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(_SECONDS_TO_END)
        assert not worker.is_alive()
