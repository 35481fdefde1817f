"""The worker: mails and imports in threads of their own, and the duties one after the other."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

from flask import Flask

from app.flows.housekeeping import Chore
from app.worker import acts, imports, mails
from app.worker.bounces import run_bounces
from app.worker.cleaning import all_chores, one_step
from app.worker.duties import count_everybody, let_changes_take_effect, look_for_broken_off
from app.worker.duty import SECONDS_BETWEEN_LOOKS, Duty
from app.worker.sealing import log_head, seal_what_is_new

log = logging.getLogger("portal.worker")
SECONDS_BETWEEN_SEARCHES = 5.0  # for mails of a worker that has died
SECONDS_TO_FINISH = 25  # the time of one SMTP answer, and a little more
SECONDS_BETWEEN_CLEANINGS = 600.0


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
        return within_app(lambda: one_step(chore, acts.act()))

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
