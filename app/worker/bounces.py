"""The worker looks into the mailbox to which mails come back."""

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
    """Look into the mailbox until told to stop. This has a thread of its own, so that a server that hangs
    does not hold up any mail. The log says once that the mailbox is away, and once that it is back."""
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
    """Read the new messages, the oldest first, and return their number. A message is put away only when its
    effect is committed: reports that were read are removed. All other messages stay and are marked as read,
    because a person may have written them."""
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
    """Whether nobody needs the message any more. A message that cannot be taken must not block all others for
    ever."""
    try:
        with app.app_context():
            taken = take(message, "")
    except DataError as accident:
        log.error("accident", exc_info=accident)
        return False
    except SQLAlchemyError:
        raise  # the database is away, for all messages
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
    """What became of a message, in words for the log and the command line."""
    if isinstance(taken, LeftAlone):
        return f"ignored: {taken.why}"
    kind = "hard" if taken.is_hard else "soft"
    person = "the person's page says so" if taken.marks_person else "nobody is marked"
    return f"taken: mail {taken.mail_id} did not arrive ({taken.status}, {kind}); {person}"
