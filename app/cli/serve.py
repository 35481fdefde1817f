"""`mysapk serve` and `mysapk worker`: the two parts of a running portal, and how both of them end."""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from app.runtime import measures, readings
from app.runtime.db import engine
from app.runtime.memory import share_arenas
from app.runtime.portal import portal
from app.runtime.processes import copies_of, keep_running, program
from app.runtime.schema import look
from app.runtime.server import SECONDS_TO_FINISH as SECONDS_OF_THE_WEB
from app.runtime.server import Front, open_sockets
from app.runtime.tally import TallyFolder
from app.security import passwords
from app.web.reception import reception
from app.worker import SECONDS_TO_FINISH
from config import Settings

log = logging.getLogger("portal.worker")

_ONE_COUNT = "RATELIMIT_STORAGE_URI=redis://...: with memory://, each process counts for itself"
SECONDS_BETWEEN_LOOKS = 0.5  # whether the worker still lives
SECONDS_TO_END_ALL = max(SECONDS_OF_THE_WEB, SECONDS_TO_FINISH) + 5


@click.command()
@click.option("--no-worker", is_flag=True, help="Only the web, where workers run elsewhere.")
@click.option(
    "--processes", default=1, type=click.IntRange(1, 64), show_default=True, help="So many web processes."
)
@with_appcontext
def serve(*, no_worker: bool, processes: int) -> None:
    """Serve the web, with one worker beside it."""
    share_arenas()
    settings = portal().settings
    if processes > 1 and settings.address_limits and settings.ratelimit_storage_uri.startswith("memory:"):
        if settings.env == "production":
            raise click.ClickException(f"several processes need {_ONE_COUNT}")
        log.warning(
            "limits per client address hold for each process; for all together they need %s", _ONE_COUNT
        )
    if not _is_schema_usable():
        click.echo("The database is away; pages answer 503 until it is back.", err=True)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if processes > 1:
        run_copies(app, processes, with_worker=not no_worker)
    else:
        run_web(app, with_worker=not no_worker)


@click.command()
@click.option(
    "--until-stdin-closes", is_flag=True, hidden=True, help="End with the process that holds the other end."
)
@click.option("--counts-in", hidden=True, type=click.Path(path_type=Path), help="With the web beside it.")
@with_appcontext
def worker(*, until_stdin_closes: bool, counts_in: Path | None) -> None:
    """Send mails and keep house, until told to stop."""
    # Here, because the web does not need what the worker does
    from app.worker.loop import work

    share_arenas()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    _is_schema_usable()  # start even if the database is away: it comes back
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if until_stdin_closes:
        threading.Thread(target=_stop_when_stdin_closes, args=(stop,), daemon=True).start()
    if until_stdin_closes:
        measures.begin_in(counts_in)
        with readings.shown(app, measures.WORKER):
            work(app, stop)
    else:
        # Here, because it loads a server
        from app.worker.metrics_page import CannotListen, metrics_page

        try:
            with metrics_page(app):
                work(app, stop)
        except CannotListen as fault:
            raise click.ClickException(str(fault)) from fault


def _is_schema_usable() -> bool:
    """False if the database is away. If the schema is older than this release needs, the process does not
    start."""
    try:
        schema = look(engine())
    except SQLAlchemyError:
        return False
    if not schema.is_usable:
        raise click.ClickException(schema.why_not)
    return True


def run_web(app: Flask, *, with_worker: bool) -> None:
    """Serve until SIGINT or SIGTERM. Then end the worker too, after it has finished the mail that it is
    sending."""
    sockets = _open_sockets(app)
    folder = _counts_together(app)
    with _worker_beside(folder) if with_worker else _nothing():
        _serve(app, Front(app, sockets, reception(app)))


def run_copies(app: Flask, processes: int, *, with_worker: bool) -> None:
    """The same with several web processes. This process only keeps them running, and the worker."""
    sockets = _open_sockets(app)
    engine().dispose()  # a connection is for one process

    folder = _counts_together(app)

    def serve() -> None:
        passwords.share_the_cores(processes)
        _serve(app, Front(app, sockets, reception(app, processes)))

    workers = [("worker", program(_worker(folder)))] if with_worker else []
    seconds_to_finish = app.extensions["portal"].settings.drain_seconds + SECONDS_TO_END_ALL
    keep_running([*[("web", copies_of(serve))] * processes, *workers], seconds_to_finish)


def _serve(app: Flask, front: Front) -> None:
    """Serve until a signal. After SIGTERM, whoever gives requests to this process has DRAIN_SECONDS to see
    that it leaves. After SIGINT (Ctrl-C) nobody waits for that."""
    drain_seconds = app.extensions["portal"].settings.drain_seconds
    signal.signal(signal.SIGTERM, lambda *_: front.stop(drain_seconds))
    signal.signal(signal.SIGINT, lambda *_: front.stop())
    app.extensions["lanes"] = tuple(front.lanes.values())
    with readings.shown(app, measures.WEB):
        front.run()


def _counts_together(app: Flask) -> Path | None:
    """The folder by which the processes of this portal add up what they count. Nobody else uses it, because
    nobody else has the port. None if there can be none: then each process counts for itself."""
    settings: Settings = app.extensions["portal"].settings
    name = re.sub(r"[^A-Za-z0-9.]", "-", f"{settings.host}-{settings.port}")
    try:
        folder = TallyFolder.new_below(settings.instance / "measures" / name).path
    except OSError as fault:
        log.warning("each process counts for itself: %s", fault)
        measures.begin_in(None)
        return None
    measures.begin_in(folder)
    return folder


def _worker(counts_in: Path | None) -> list[str]:
    counting = ["--counts-in", str(counts_in)] if counts_in else []
    return [sys.executable, "-m", "app", "worker", "--until-stdin-closes", *counting]


def _open_sockets(app: Flask) -> list[socket.socket]:
    settings = app.extensions["portal"].settings
    # SIGINT too, because a shell starts background jobs with SIGINT ignored
    for number in (
        signal.SIGTERM,
        signal.SIGINT,
    ):
        signal.signal(number, _leave)
    try:
        sockets = open_sockets(settings.host, settings.port)
    except OSError as fault:
        reason = fault.strerror or fault
        raise click.ClickException(f"{settings.host}:{settings.port} cannot be opened: {reason}") from fault
    for remark in settings.remarks:
        log.warning(remark)
    return sockets


def _stop_when_stdin_closes(stop: threading.Event) -> None:
    # sys.stdin.read() would hold a lock, and an interpreter that ends meanwhile aborts because of it
    os.read(sys.stdin.fileno(), 1)
    stop.set()


@contextmanager
def _worker_beside(counts_in: Path | None) -> Iterator[None]:
    """A worker process that ends with this process, in whatever way this process ends, because its standard
    input closes."""
    ending = threading.Event()

    def keep_one_running() -> None:
        while not ending.is_set():
            try:
                with subprocess.Popen(_worker(counts_in), stdin=subprocess.PIPE) as process:
                    while process.poll() is None and not ending.wait(SECONDS_BETWEEN_LOOKS):
                        pass
            except OSError as fault:
                log.error("worker cannot be started", exc_info=fault)
            if not ending.wait(1):
                log.error("worker ended, starting another")

    keeper = threading.Thread(target=keep_one_running, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ending.set()  # the keeper closes the worker's standard input and waits for it
        keeper.join(SECONDS_TO_FINISH)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def end_with_parent() -> None:
    """Stop when the process that started this one is gone. This is for `make run`, because nobody would find
    the orphan."""
    parent = os.getppid()

    def watch() -> None:
        alone = threading.Event()
        while os.getppid() == parent:
            alone.wait(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()
