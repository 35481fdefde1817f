"""The worker: mails, and the large things that admins ask for, in threads of their own, and the duties one
after the other."""

import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic

from flask import Flask

from app.flows.housekeeping import Chore
from app.runtime.changes import Changes
from app.runtime.db import SECONDS_FOR_OTHER_WRITERS, engine
from app.worker import SECONDS_TO_FINISH, acts, jobs, mails
from app.worker.bell import Bell
from app.worker.bounces import run_bounces
from app.worker.cleaning import all_chores, one_step
from app.worker.duties import count_everybody, let_changes_take_effect, look_for_broken_off
from app.worker.duty import SECONDS_AFTER_A_FAULT, Duty
from app.worker.figures import renew_figures
from app.worker.sealing import log_head, seal_what_is_new

log = logging.getLogger("portal.worker")
SECONDS_BETWEEN_LOOKS = 0.4  # whether anybody has written to the database
# What falls due without anybody writing: a waiting time is over, a clock was ahead
SECONDS_OF_REST = 10.0
SECONDS_BETWEEN_SEALINGS = 1.0  # each costs two writes to the disk, however few rows there are
SECONDS_BETWEEN_SEARCHES = 5.0  # for mails of a worker that has died
SECONDS_BETWEEN_CLEANINGS = 600.0
SECONDS_BETWEEN_FIGURES, SECONDS_WITHOUT_FIGURES = 10.0, 60.0  # while anything changes, and in any case


def work(app: Flask, stop: threading.Event) -> None:
    """The worker's life."""
    log.info("worker started")
    bells = [Bell(), Bell(), Bell()]
    others = [
        threading.Thread(target=act, args=(app, stop, bell), daemon=True)
        for act, bell in zip((jobs.run_jobs, mails.send_mails), bells, strict=False)
    ]
    for other in others:
        other.start()
    watcher = threading.Thread(target=_ring_at_changes, args=(app, stop, bells), daemon=True)
    watcher.start()
    if mailbox := app.extensions["portal"].settings.bounce_mailbox:
        threading.Thread(target=run_bounces, args=(app, mailbox, stop), daemon=True).start()
    _do_duties(_duties(app), stop, bells[-1])
    until = monotonic() + SECONDS_TO_FINISH
    for other in (*others, watcher):
        other.join(max(0.0, until - monotonic()))
    log.info("worker stopped")


def _ring_at_changes(app: Flask, stop: threading.Event, bells: Sequence[Bell]) -> None:
    """One look for all threads, so that an idle worker rests. They are also called when the look fails, and
    find the fault themselves; and when the worker stops."""
    with app.app_context():
        changes = Changes(engine())
    is_away = False
    with changes:
        while not stop.wait(SECONDS_AFTER_A_FAULT if is_away else SECONDS_BETWEEN_LOOKS):
            try:
                has_changed, is_away = changes.since_last_look(), False
            except Exception as fault:  # of the driver
                if not is_away:
                    log.error("database", exc_info=fault, extra={"fields": {"duty": "changes"}})
                has_changed = is_away = True
            if has_changed:
                for bell in bells:
                    bell.ring()
    for bell in bells:
        bell.ring()


def _do_duties(duties: Sequence[Duty], stop: threading.Event, bell: Bell) -> None:
    while not stop.is_set():
        for duty in duties:
            if not stop.is_set():
                duty.do_if_due()
        if bell.wait(min(duty.seconds_left for duty in duties)):
            for duty in duties:
                duty.call()


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
        Duty("take_effect", lambda: let_changes_take_effect(app), SECONDS_OF_REST, gap=0.0),
        Duty("broken_off", within_app(look_for_broken_off), SECONDS_BETWEEN_SEARCHES),
        Duty(
            "seal",
            within_app(seal_what_is_new),
            SECONDS_OF_REST,
            gap=SECONDS_BETWEEN_SEALINGS,
            pause=SECONDS_FOR_OTHER_WRITERS,
        ),
        Duty("figures", within_app(renew_figures), SECONDS_WITHOUT_FIGURES, gap=SECONDS_BETWEEN_FIGURES),
        Duty("count", within_app(count_everybody), SECONDS_BETWEEN_CLEANINGS),
        Duty("log_head", within_app(log_head), SECONDS_BETWEEN_CLEANINGS),
    ]
