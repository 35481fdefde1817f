"""How the worker sends mails: one after the other over one connection, and over a second one while the first
hangs."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from flask import Flask, current_app

from app.domain.indonesian_time import now
from app.flows.reset.give_back_allowance import give_back_allowance
from app.mail import outbox
from app.mail.delivery import Postman
from app.mail.outcomes import Delivery, HandedOver, NotWritten
from app.models.audit_event import Tag
from app.models.mail_fault import MailFault
from app.models.outbox_mail import Letter, MailState, OutboxMail
from app.runtime.db import unit_of_work
from app.runtime.portal import portal
from app.security import audit
from app.worker.acts import act_for
from app.worker.duty import SECONDS_BETWEEN_LOOKS, Duty

log = logging.getLogger("portal.worker")

SECONDS_OF_MAILS = 60.0  # over one connection
SECONDS_UNTIL_RELIEF = 20.0  # for one mail; after that the other mails do not wait for it
SECONDS_BETWEEN_LEASES = 10.0  # well below a lease


class _CurrentMail:
    """The mail that the first connection is busy with, as far as the second one must know."""

    def __init__(self) -> None:
        self._since: float | None = None

    @contextmanager
    def holding(self) -> Iterator[None]:
        self._since = monotonic()
        try:
            yield
        finally:
            self._since = None

    def is_stuck(self) -> bool:
        since = self._since
        return since is not None and monotonic() - since > SECONDS_UNTIL_RELIEF


def send_mails(app: Flask, stop: threading.Event) -> None:
    """Send mails until told to stop. A server may take ten minutes over one mail; meanwhile a second
    connection carries the others."""
    hand = _CurrentMail()
    relief = threading.Thread(target=_relieve, args=(app, stop, hand), daemon=True)
    relief.start()
    duty = Duty("send", lambda: _send_all_due(app, stop, hand))
    while not stop.is_set():
        duty.do_if_due()
        stop.wait(SECONDS_BETWEEN_LOOKS)
    relief.join()


def _relieve(app: Flask, stop: threading.Event, stuck: _CurrentMail) -> None:
    duty = Duty("send", lambda: _send_all_due(app, stop, _CurrentMail(), stuck))
    while not stop.wait(SECONDS_BETWEEN_LOOKS):
        if stuck.is_stuck():
            duty.do_if_due()


def _send_all_due(
    app: Flask, stop: threading.Event, hand: _CurrentMail, stuck: _CurrentMail | None = None
) -> bool:
    """Send the mails that are due over one connection, for a while. True when there are more. With `stuck`,
    send only while that mail is stuck."""
    until = monotonic() + SECONDS_OF_MAILS
    with app.app_context():
        postman = portal().postman()
    with postman:
        while not stop.is_set() and monotonic() < until and (stuck is None or stuck.is_stuck()):
            with app.app_context(), hand.holding():
                if send_next(postman) is None:
                    return False
    return True


def send_next(postman: Postman) -> Delivery | None:
    """Deliver one mail: begin, hand over, settle, each in a transaction of its own. None when nothing is due,
    or when nothing can leave for now."""
    lifetime = timedelta(minutes=portal().settings.token_lifetime_minutes)
    with unit_of_work() as session:
        mail = outbox.claim(session, now(), lifetime)
    if mail is None:
        return None
    with _lease_renewed(current_app._get_current_object(), mail.id, mail.attempts):  # type: ignore[attr-defined]
        delivery = _handed_over(postman, mail)
    with unit_of_work() as session:
        settled = outbox.settle(session, mail, delivery, now(), lifetime)
        if mail.letter is Letter.TOKEN and isinstance(delivery, HandedOver):
            audit.record(
                session, Tag.TOKEN_HANDED_OVER, mail.user, act_for(mail.client_address), mail=mail.id
            )
        if mail.state is MailState.FAILED:
            give_back_allowance(session, mail, now())
    fields = {
        "mail": mail.id,
        "letter": mail.letter,
        "outcome": type(delivery).__name__,
        "attempts": mail.attempts,
    }
    log.info("mail", extra={"fields": fields})
    if settled.began is not None:
        log.error("mail fault", extra={"fields": _fields_of(settled.began)})
    for fault in settled.ended:
        if fault.was_alarm:
            log.warning("mail fault is over", extra={"fields": _fields_of(fault)})
    return delivery


def _fields_of(fault: MailFault) -> dict[str, str]:
    return {"kind": fault.kind, "way": fault.way, "since": fault.since.isoformat(), "answer": fault.answer}


def _handed_over(postman: Postman, mail: OutboxMail) -> Delivery:
    """Hand a mail to the postman. If its text cannot be written, only this mail waits: it goes out after the
    fault is mended."""
    try:
        letter = portal().renderer.render(mail, now())
        return postman.deliver(letter, mail.to_address, mail.message_id)
    except Exception as accident:
        log.error("accident", exc_info=accident)
        return NotWritten(f"cannot be written: {type(accident).__name__}")


@contextmanager
def _lease_renewed(app: Flask, mail_id: int, attempts: int) -> Iterator[None]:
    """Renew the lease of the mail again and again, to show that this worker lives and has it. Most mails are
    handed over before the first renewal."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(SECONDS_BETWEEN_LEASES):
            try:
                with app.app_context(), unit_of_work() as session:
                    if not OutboxMail.renew_lease(session, mail_id, attempts, now()):
                        return
            except Exception as fault:  # the next renewal may succeed
                log.error("lease", exc_info=fault)

    threading.Thread(target=renew, daemon=True).start()
    try:
        yield
    finally:
        done.set()
