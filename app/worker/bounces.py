"""The worker looks into the mailbox to which letters come back."""

import logging
import threading

from flask import Flask
from sqlalchemy.exc import DataError, SQLAlchemyError

from app.domain.bounce import read_bounce
from app.flows.people.take_bounce import LeftAlone, Noted, take_bounce
from app.mail.bounce_mailbox import MailboxFault, OpenMailbox
from app.runtime.db import unit_of_work
from app.runtime.portal import portal
from app.worker.acts import act
from config import BounceMailbox

log = logging.getLogger("portal.worker")


SECONDS_BETWEEN_LOOKS = 120.0


MESSAGES_A_ROUND = 50


def run_bounces(app: Flask, mailbox: BounceMailbox, stop: threading.Event) -> None:
    """Look into the mailbox until told to stop. A thread of its own: a server that hangs holds up no letter.
    That it is away is said once, and that it is back."""
    is_away = False
    while not stop.is_set():
        has_more = False
        try:
            has_more = look_into_mailbox(app, mailbox, stop) == MESSAGES_A_ROUND
            if is_away:
                log.info("bounce mailbox is back")
            is_away = False
        except MailboxFault as fault:
            if not is_away:
                log.error("bounce mailbox", extra={"fields": {"host": mailbox.host, "fault": str(fault)}})
            is_away = True
        except SQLAlchemyError as fault:
            log.error("database", exc_info=fault, extra={"fields": {"duty": "bounces"}})
        except Exception as accident:  # nobody would start this thread again
            log.error("accident", exc_info=accident, extra={"fields": {"duty": "bounces"}})
        if not has_more:
            stop.wait(SECONDS_BETWEEN_LOOKS)


def look_into_mailbox(app: Flask, where: BounceMailbox, stop: threading.Event) -> int:
    """Read what is new, the oldest first; how many that were. A message is put away only when what it says is
    committed: reports that were read are removed, everything else stays as read, for somebody might have
    written it."""
    with OpenMailbox(where) as mailbox:
        unread = mailbox.unread(MESSAGES_A_ROUND)
        for number in unread:
            if stop.is_set():
                break
            if _take_safely(app, mailbox.message(number)):
                mailbox.remove(number)
            else:
                mailbox.keep_as_read(number)
    return len(unread)


def _take_safely(app: Flask, message: bytes) -> bool:
    """Whether nobody needs the message any more. One that cannot be taken must not stand before all others
    for ever."""
    try:
        with app.app_context():
            taken = take(message, "")
    except DataError as accident:
        log.error("accident", exc_info=accident)
        return False
    except SQLAlchemyError:
        raise  # the database is away, for all of them
    except Exception as accident:
        log.error("accident", exc_info=accident)
        return False
    return isinstance(taken, Noted) or taken.is_answered


def take(message: bytes, recipient: str) -> Noted | LeftAlone:
    """Read one message and note what it says."""
    came_back = read_bounce(message)
    with unit_of_work() as session:
        taken = take_bounce(session, came_back, recipient, portal().keys, act())
    log.info("bounce", extra={"fields": {"outcome": in_words(taken)}})
    return taken


def in_words(taken: Noted | LeftAlone) -> str:
    """For the log and the command line."""
    if isinstance(taken, LeftAlone):
        return f"ignored: {taken.why}"
    kind = "hard" if taken.is_hard else "soft"
    person = "the person's page says so" if taken.marks_person else "nobody is marked"
    return f"taken: mail {taken.mail_id} did not arrive ({taken.status}, {kind}); {person}"
