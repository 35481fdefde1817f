"""The large things that admins ask for. They run in a thread of their own, so that mails leave meanwhile."""

import logging
from threading import Event

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.worker.bell import Bell
from app.worker.bulk_acts import BULK_ACTS
from app.worker.imports import FILES, TAKING_BACK
from app.worker.turns import Turns

log = logging.getLogger("portal.worker")

SECONDS_OF_REST = 10.0  # while nobody writes to the database; a lease may run out meanwhile
SECONDS_AFTER_A_FAULT = 3.0


def run_jobs(app: Flask, stop: Event, bell: Bell) -> None:
    """Do what admins ask for until told to stop. The bell rings when somebody has written to the database."""
    turns = all_turns(app)
    while not stop.is_set():
        try:
            gap = turns.next()
            if gap is None:
                bell.wait(SECONDS_OF_REST)
            else:
                stop.wait(gap)
        except SQLAlchemyError as fault:
            log.error("database", exc_info=fault)
            stop.wait(SECONDS_AFTER_A_FAULT)
        except Exception as accident:  # whatever it was: nobody would start this thread again
            log.error("accident", exc_info=accident)
            stop.wait(SECONDS_AFTER_A_FAULT)
    turns.release()


def do_next(app: Flask, stop: Event) -> bool:
    """Finish all that waits, in turns, or until told to stop. False when nothing waits."""
    turns = all_turns(app)
    gap = turns.next()
    if gap is None:
        return False
    while gap is not None:
        if stop.wait(gap):
            turns.release()
            break
        gap = turns.next()
    return True


def all_turns(app: Flask) -> Turns:
    return Turns(app, (FILES, TAKING_BACK, BULK_ACTS))
