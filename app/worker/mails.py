"""How the worker sends mails: it claims some in one transaction, hands them over one after the other over one
connection, and settles them in one transaction. While that connection hangs, a second one does the same.

If the worker dies, what it had in hand is sent again when the lease is over: perhaps a few mails twice, with
the same Message-ID, and none not at all.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from flask import Flask
from sqlalchemy.exc import OperationalError, TimeoutError
from sqlalchemy.orm import Session

from app.domain.indonesian_time import now
from app.flows.reset.give_back_allowance import give_back_allowance
from app.mail import outbox
from app.mail.delivery import Postman
from app.mail.outbox import Settled, Try
from app.mail.outcomes import Delivery, HandedOver, NotWritten
from app.models.audit_event import Tag
from app.models.mail_fault import MailFault
from app.models.outbox_mail import Letter, OutboxMail
from app.runtime import measures
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from app.security import audit
from app.worker.acts import act_for
from app.worker.bell import Bell
from app.worker.duty import Duty
from app.worker.hand import Hand

log = logging.getLogger("portal.worker")

SECONDS_OF_REST = 1.0  # while nobody writes to the database; mails that were put off fall due by themselves
SECONDS_UNTIL_OTHERS_GO = 1.0  # for one mail; after that, the mails behind it are given back
SECONDS_UNTIL_RELIEF = 20.0  # for one mail; after that, the second connection carries the others
SECONDS_BETWEEN_LOOKS = 0.5  # of the keeper, while there is something in hand
SECONDS_BETWEEN_LEASES = 2.5  # well below a lease


def send_mails(app: Flask, stop: threading.Event, bell: Bell) -> None:
    """Send mails until told to stop. The bell rings when somebody has written to the database. A server may
    take ten minutes over one mail; meanwhile a second connection carries the others."""
    busy, relief = Bell(), Bell()
    first, second = Hand(busy), Hand(busy)
    is_over = threading.Event()
    reliever = threading.Thread(target=_relieve, args=(app, stop, first, second, relief), daemon=True)
    keeper = threading.Thread(target=_keep, args=(app, is_over, first, second, relief), daemon=True)
    for thread in (reliever, keeper):
        thread.start()
    with app.app_context():
        postman = portal().postman()

    def send() -> bool:
        return send_all_due(app, postman, first, lambda: not stop.is_set())

    duty = Duty("send", send, SECONDS_OF_REST, gap=0.0)
    with postman:
        while not stop.is_set():
            duty.do_if_due()
            postman.rest()
            if bell.wait(duty.seconds_left):
                duty.call()
    relief.ring()
    reliever.join()
    is_over.set()
    busy.ring()
    keeper.join()


def _relieve(app: Flask, stop: threading.Event, stuck: Hand, hand: Hand, relief: Bell) -> None:
    def goes_on() -> bool:
        return stuck.is_held_up(SECONDS_UNTIL_RELIEF) and not stop.is_set()

    with app.app_context():
        postman = portal().postman()
    duty = Duty("send", lambda: send_all_due(app, postman, hand, goes_on), rest=0.0)
    while not stop.is_set():
        relief.wait(None)
        with postman:
            while goes_on():
                duty.do_if_due()
                stop.wait(SECONDS_BETWEEN_LOOKS)


def _keep(app: Flask, is_over: threading.Event, first: Hand, second: Hand, relief: Bell) -> None:
    """Look after the hands while a server is slow: the worker's one thread for all leases. It sleeps while
    there is nothing in hand."""
    while not is_over.is_set():
        first.busy.wait(None)
        while not (is_over.is_set() or (first.is_empty and second.is_empty)):
            for hand in (first, second):
                try:
                    _look_after(app, hand)
                except Exception as fault:  # the next look may succeed
                    log.error("lease", exc_info=fault)
            if first.is_held_up(SECONDS_UNTIL_RELIEF):
                relief.ring()
            is_over.wait(SECONDS_BETWEEN_LOOKS)


def _look_after(app: Flask, hand: Hand) -> None:
    """If the current mail takes long, settle those before it and give back those behind it: others may take
    them. Then show again and again that this worker lives and has the mail."""
    with hand.lock:
        if not hand.is_held_up(SECONDS_UNTIL_OTHERS_GO):
            return
        _settle(app, hand)
        if hand.current is not None and hand.lease_age > SECONDS_BETWEEN_LEASES:
            with app.app_context(), unit_of_work() as session:
                OutboxMail.renew_lease(session, hand.current.id, hand.current.attempts, now())
            hand.lease_is_new()


def send_all_due(app: Flask, postman: Postman, hand: Hand, goes_on: Callable[[], bool]) -> bool:
    """Send the mails that are due. True when it was told to stop before the last one."""
    _settle(app, hand)  # what could not be settled when the database was away
    was_full = False
    while goes_on():
        if not (was_full or _is_any_due(app)):
            return False
        room = hand.room
        deliveries = send_some(app, postman, hand, goes_on)
        if not deliveries:
            return False
        was_full = len(deliveries) == room
    return True


def _is_any_due(app: Flask) -> bool:
    """One look that takes no lock."""
    with app.app_context(), reading() as session:
        return bool(OutboxMail.kinds_due(session, now()))


def send_some(
    app: Flask, postman: Postman, hand: Hand, goes_on: Callable[[], bool] = lambda: True
) -> list[Delivery]:
    """Deliver some mails: begin, hand over, settle. No transaction is open while the server talks. Nothing is
    returned when nothing is due, or when nothing can leave for now."""
    deliveries = []
    with app.app_context():
        with unit_of_work() as session:
            mails = outbox.claim(session, now(), _token_lifetime(), hand.room)
        hand.take(mails)
    with app.app_context():
        while goes_on() and (mail := hand.next()):
            deliveries.append(_handed_over(postman, mail))
            hand.note(deliveries[-1])
    _settle(app, hand)
    return deliveries


def _handed_over(postman: Postman, mail: OutboxMail) -> Delivery:
    """Hand a mail to the postman. If its text cannot be written, only this mail waits: it goes out after the
    fault is mended."""
    try:
        letter = portal().renderer.render(mail, now())
        return postman.deliver(letter, mail.to_address, mail.message_id)
    except Exception as accident:
        log.error("accident", exc_info=accident)
        return NotWritten(f"cannot be written: {type(accident).__name__}")


def _settle(app: Flask, hand: Hand) -> None:
    """Record all in the hand but the current mail. If the database is away, this is tried again before other
    mails are sent. After another accident the lease decides; then each mail goes alone."""
    with hand.lock:
        tries, untried = list(hand.tries), list(hand.untried)
        if not tries and not untried:
            return
        try:
            with app.app_context(), unit_of_work() as session:
                settled = outbox.settle(session, tries, untried, now(), _token_lifetime())
                _record(session, tries)
                for mail in settled.failed:
                    give_back_allowance(session, mail, now())
        except (OperationalError, TimeoutError):
            raise
        except Exception:
            hand.put_down()
            raise
        hand.put_down()
    _log(tries, settled)


def _record(session: Session, tries: Sequence[Try]) -> None:
    tokens = [
        one.mail for one in tries if one.mail.letter is Letter.TOKEN and isinstance(one.delivery, HandedOver)
    ]
    events = ((mail.user, act_for(mail.client_address), {"mail": mail.id}) for mail in tokens)
    audit.record_each(session, Tag.TOKEN_HANDED_OVER, events)


def _log(tries: Sequence[Try], settled: Settled) -> None:
    measures.count_mails(tries, settled)
    for one in tries:
        fields = {
            "mail": one.mail.id,
            "letter": one.mail.letter,
            "outcome": type(one.delivery).__name__,
            "attempts": one.mail.attempts,
        }
        log.info("mail", extra={"fields": fields})
    for fault in settled.began:
        log.error("mail fault", extra={"fields": _fields_of(fault)})
    for fault in settled.ended:
        if fault.was_alarm:
            log.warning("mail fault is over", extra={"fields": _fields_of(fault)})


def _fields_of(fault: MailFault) -> dict[str, str]:
    return {"kind": fault.kind, "way": fault.way, "since": fault.since.isoformat(), "answer": fault.answer}


def _token_lifetime() -> timedelta:
    return timedelta(minutes=portal().settings.token_lifetime_minutes)
