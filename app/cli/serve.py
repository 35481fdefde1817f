"""`mysapk serve` and `mysapk worker`: the two parts of a running portal, and how both come to an end."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import click
import waitress
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError, SQLAlchemyError, TimeoutError

from app.cli.bounces import run_bounces
from app.cli.trail import log_head, seal_what_is_new
from app.domain.client import WORKER
from app.domain.indonesian_time import now
from app.flows.housekeeping import Chore
from app.flows.identity.change_identity import take_effect
from app.flows.reports.count_activation import INSTANSI_AT_ONCE, count_people, note_counts
from app.models.identity_change import IdentityChange
from app.models.outbox_mail import OutboxMail
from app.runtime import migrations
from app.runtime.db import engine, reading, unit_of_work
from app.worker import imports, mails
from app.worker.cleaning import all_chores, one_step
from app.worker.duty import SECONDS_BETWEEN_LOOKS, Duty

log = logging.getLogger("portal.worker")

SECONDS_BETWEEN_SEARCHES = 5.0  # for letters of a worker that has died
MOST_CHANGES_AT_ONCE = 1000
SECONDS_TO_FINISH = 25  # one SMTP answer and a little more
SECONDS_BETWEEN_CLEANINGS = 600.0
WEB_THREADS = 16
CONNECTIONS = 2000  # half-sent requests cost a socket and no thread
SECONDS_FOR_A_SLOW_CLIENT = 30  # of silence, before its connection is closed
# Bytes that waitress takes in before the portal answers 413; files of staff are long
LARGEST_BODY_TO_READ = 40 * 1024 * 1024


@click.command()
@click.option("--no-worker", is_flag=True, help="Only the web, where workers run elsewhere.")
@with_appcontext
def serve(no_worker: bool) -> None:
    """Serve the web, with one worker beside it."""
    if not _is_database_ready():
        click.echo(
            "The database is away or lacks this release's migrations (mysapk db upgrade); pages answer 503.",
            err=True,
        )
    run_web(current_app._get_current_object(), with_worker=not no_worker)  # type: ignore[attr-defined]


@click.command()
@click.option(
    "--until-stdin-closes", is_flag=True, hidden=True, help="End with the process that holds the other end."
)
@with_appcontext
def worker(until_stdin_closes: bool) -> None:
    """Send mails and keep house, until told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if until_stdin_closes:
        threading.Thread(target=_stop_when_stdin_closes, args=(stop,), daemon=True).start()
    work(current_app._get_current_object(), stop)  # type: ignore[attr-defined]


def _is_database_ready() -> bool:
    try:
        return migrations.is_at_head(engine())
    except SQLAlchemyError:
        return False


def run_web(app: Flask, with_worker: bool) -> None:
    """Serve until SIGINT or SIGTERM; then end the worker too, letting it finish the letter in its hand."""
    settings = app.extensions["portal"].settings
    # SIGINT too: a shell starts background jobs with it ignored
    for number in (
        signal.SIGTERM,
        signal.SIGINT,
    ):
        signal.signal(number, _leave)
    try:
        server = waitress.create_server(
            app,
            host=settings.host,
            port=settings.port,
            threads=WEB_THREADS,
            ident=None,
            connection_limit=CONNECTIONS,
            channel_timeout=SECONDS_FOR_A_SLOW_CLIENT,
            cleanup_interval=10,
            asyncore_use_poll=True,
            max_request_body_size=LARGEST_BODY_TO_READ,
            clear_untrusted_proxy_headers=False,  # TRUSTED_PROXIES decides, in create_app
        )
    except (OSError, ValueError) as fault:  # ValueError: waitress cannot resolve the host
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise click.ClickException(f"{settings.host}:{settings.port} cannot be opened: {reason}") from fault
    for remark in settings.remarks:
        log.warning(remark)
    with _worker_beside() if with_worker else _nothing():
        server.run()


def work(app: Flask, stop: threading.Event) -> None:
    """The worker's life."""
    log.info("worker started")
    others = [
        threading.Thread(target=act, args=(app, stop), daemon=True)
        for act in (imports.run_imports, mails.send_mails)
    ]
    for other in others:
        other.start()
    if mailbox := app.extensions["portal"].settings.bounce_mailbox:
        threading.Thread(target=run_bounces, args=(app, mailbox, stop), daemon=True).start()
    duties = _duties(app)
    while not stop.is_set():
        for duty in duties:
            if not stop.is_set():
                duty.do_if_due()
        stop.wait(SECONDS_BETWEEN_LOOKS)
    until = monotonic() + SECONDS_TO_FINISH
    for other in others:
        other.join(max(0.0, until - monotonic()))
    log.info("worker stopped")


def _duties(app: Flask) -> list[Duty]:
    def within_app(act: Callable[[], object]) -> Callable[[], bool]:
        def done() -> bool:
            with app.app_context():
                return bool(act())

        return done

    def cleans(chore: Chore) -> Callable[[], bool]:
        return within_app(lambda: one_step(chore, now()))

    with app.app_context():
        cleaning = [
            Duty(name, cleans(chore), SECONDS_BETWEEN_CLEANINGS) for name, chore in all_chores().items()
        ]
    return [
        *cleaning,
        Duty("take_effect", lambda: let_changes_take_effect(app)),
        Duty("broken_off", within_app(look_for_broken_off), SECONDS_BETWEEN_SEARCHES),
        Duty("seal", within_app(seal_what_is_new)),
        Duty("count", within_app(count_everybody), SECONDS_BETWEEN_CLEANINGS),
        Duty("log_head", within_app(log_head), SECONDS_BETWEEN_CLEANINGS),
    ]


def let_changes_take_effect(app: Flask) -> bool:
    """Addresses whose waiting time is over; each in a transaction of its own, so that one that cannot stops
    no other. True when there are more."""
    accidents = []
    with app.app_context(), reading() as session:
        due = IdentityChange.due(session, now(), MOST_CHANGES_AT_ONCE)
    for change_id in due:
        try:
            with app.app_context(), unit_of_work() as session:
                take_effect(session, change_id, WORKER, now())
        except (OperationalError, TimeoutError):
            raise  # the database is away, for all of them
        except Exception as accident:
            accidents.append(accident)
    if accidents:
        raise ExceptionGroup("changes of address that cannot take effect", accidents)
    return len(due) == MOST_CHANGES_AT_ONCE


def look_for_broken_off() -> int:
    """Letters in the hand of a worker that has died; a token among them is soon sent again."""
    with unit_of_work() as session:
        return OutboxMail.mark_broken_off(session, now())


def count_everybody() -> None:
    """Count who stands where in one look, and write it down for a few instansi at a time."""
    moment = now()
    with reading() as session:
        counts = count_people(session)
    for start in range(0, len(counts), INSTANSI_AT_ONCE):
        with unit_of_work() as session:
            note_counts(session, counts[start : start + INSTANSI_AT_ONCE], moment)


def _stop_when_stdin_closes(stop: threading.Event) -> None:
    # sys.stdin.read() would hold a lock that aborts an interpreter which ends meanwhile
    os.read(sys.stdin.fileno(), 1)
    stop.set()


@contextmanager
def _worker_beside() -> Iterator[None]:
    """A worker process that ends with this one, however this one ends: its standard input closes."""
    ending = threading.Event()
    command = [sys.executable, "-m", "app", "worker", "--until-stdin-closes"]

    def keep_one_running() -> None:
        while not ending.is_set():
            try:
                with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
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
    """Stop when the process that started this one is gone, for `make run`: nobody would find the orphan."""
    parent = os.getppid()

    def watch() -> None:
        alone = threading.Event()
        while os.getppid() == parent:
            alone.wait(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
