"""`mysapk serve` and `mysapk worker`: the two parts of a running portal, and how both of them end."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from app.runtime.db import engine
from app.runtime.portal import portal
from app.runtime.processes import copies_of, keep_running, program
from app.runtime.schema import look
from app.runtime.server import SECONDS_TO_FINISH as SECONDS_OF_THE_WEB
from app.runtime.server import Front, Reception, open_sockets
from app.security import passwords
from app.web.reception import reception
from app.worker import SECONDS_TO_FINISH

log = logging.getLogger("portal.worker")

_ONE_COUNT = "RATELIMIT_STORAGE_URI=redis://...: with memory://, each process counts for itself"
_WORKER = [sys.executable, "-m", "app", "worker", "--until-stdin-closes"]
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
@with_appcontext
def worker(*, until_stdin_closes: bool) -> None:
    """Send mails and keep house, until told to stop."""
    # Here, because the web does not need what the worker does
    from app.worker.loop import work

    _is_schema_usable()  # start even if the database is away: it comes back
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if until_stdin_closes:
        threading.Thread(target=_stop_when_stdin_closes, args=(stop,), daemon=True).start()
    work(current_app._get_current_object(), stop)  # type: ignore[attr-defined]


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
    with _worker_beside() if with_worker else _nothing():
        _run(app, sockets, reception(app))


def run_copies(app: Flask, processes: int, *, with_worker: bool) -> None:
    """The same with several web processes. This process only keeps them running, and the worker."""
    sockets = _open_sockets(app)
    engine().dispose()  # a connection is for one process

    def serve() -> None:
        passwords.share_the_cores(processes)
        _run(app, sockets, reception(app, processes))

    workers = [("worker", program(_WORKER))] if with_worker else []
    seconds_to_finish = app.extensions["portal"].settings.drain_seconds + SECONDS_TO_END_ALL
    keep_running([*[("web", copies_of(serve))] * processes, *workers], seconds_to_finish)


def _run(app: Flask, sockets: list[socket.socket], received: Reception) -> None:
    """Serve until a signal. After SIGTERM, whoever gives requests to this process has DRAIN_SECONDS to see
    that it leaves. After SIGINT (Ctrl-C) nobody waits for that."""
    front = Front(app, sockets, received)
    drain_seconds = app.extensions["portal"].settings.drain_seconds
    signal.signal(signal.SIGTERM, lambda *_: front.stop(drain_seconds))
    signal.signal(signal.SIGINT, lambda *_: front.stop())
    front.run()


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
def _worker_beside() -> Iterator[None]:
    """A worker process that ends with this process, in whatever way this process ends, because its standard
    input closes."""
    ending = threading.Event()

    def keep_one_running() -> None:
        while not ending.is_set():
            try:
                with subprocess.Popen(_WORKER, stdin=subprocess.PIPE) as process:
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
