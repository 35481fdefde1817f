"""The transactional outbox: a letter is a row, written with the act it tells of and sent later by a worker.

A letter that was posted is never lost: it ends as sent, failed or uncertain, and each end says why.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.corrections import IdentityCheck
from app.domain.reset_secret import new_reference
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.outbox_mail import Letter, MailState, OutboxMail
from app.models.reset_request import ResetRequest
from app.models.user import User

# How long to wait after the first, second, ... try that the server refused for now, or that could not reach it.
# Never long: after an outage of hours, people wait for their token at most the last of these.
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 2 * 60, 5 * 60))
GIVE_UP_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class HandedOver:
    """The server has taken it."""

    answer: str


@dataclass(frozen=True)
class RefusedForNow:
    """The server said 4xx, or could not be reached before it had the letter."""

    answer: str


@dataclass(frozen=True)
class RefusedForGood:
    """The server said 5xx."""

    answer: str


@dataclass(frozen=True)
class BrokenOff:
    """The talk ended after the letter had been sent and before the server's word on it."""

    answer: str


Delivery = HandedOver | RefusedForNow | RefusedForGood | BrokenOff


def post(
    session: Session,
    letter: Letter,
    to_address: str,
    client: Client,
    now: datetime,
    *,
    user: User | None = None,
    reset_request: ResetRequest | None = None,
    email_correction: EmailCorrection | None = None,
    identity_change: IdentityChange | None = None,
    about: dict[str, str] | None = None,
    held: bool = False,
) -> OutboxMail:
    """Put one letter to one address into the outbox; `held` keeps the row and never sends it.

    `about` are words for its template that no record holds, never a secret.
    """
    mail = OutboxMail(
        letter=letter,
        to_address=to_address,
        message_id=new_reference(),
        user_id=user.id if user else None,
        reset_request_id=reset_request.id if reset_request else None,
        email_correction_id=email_correction.id if email_correction else None,
        identity_change_id=identity_change.id if identity_change else None,
        about=about or {},
        client_address=client.address,
        state=MailState.HELD if held else MailState.WAITING,
        posted_at=now,
        due_at=now,
        can_wait=letter.can_wait or (identity_change is not None and identity_change.identity_check is IdentityCheck.BY_FILE),
        attempts=0,
    )
    session.add(mail)
    return mail


def claim(session: Session, now: datetime, token_lifetime: timedelta) -> OutboxMail | None:
    """Take the next letter that is due and mark its delivery as begun.

    A token lives from here: should the worker die before it hears the server's word, a letter that did arrive works.
    """
    mail = OutboxMail.next_due(session, now)
    if mail is None:
        return None
    mail.begin(now)
    _let_token_live(mail, now, token_lifetime)
    return mail


def settle(session: Session, mail: OutboxMail, delivery: Delivery, now: datetime, token_lifetime: timedelta) -> None:
    """Record how the delivery ended, and when to try again if it may be."""
    session.add(mail)
    match delivery:
        case HandedOver(answer):
            mail.settle(MailState.SENT, now, answer)
            _note_that_the_owner_waits(session, mail)
            _let_token_live(mail, now, token_lifetime)
        case RefusedForGood(answer):
            _fail(session, mail, answer, now)
        case BrokenOff(answer):
            mail.settle(MailState.UNCERTAIN, now, answer)
        case RefusedForNow(answer):
            if now - mail.posted_at >= GIVE_UP_AFTER:
                _fail(session, mail, f"given up: {answer}", now)
            else:
                mail.defer(now + BACK_OFF[min(mail.attempts, len(BACK_OFF)) - 1], answer)


def _let_token_live(mail: OutboxMail, now: datetime, lifetime: timedelta) -> None:
    if mail.letter is Letter.TOKEN and (request := mail.reset_request) is not None:
        request.expires_at = request.lives_until(mail.posted_at, now, lifetime)


def _fail(session: Session, mail: OutboxMail, answer: str, now: datetime) -> None:
    mail.settle(MailState.FAILED, now, answer)
    if mail.user_id is not None:
        User.note_failed_mail(session, mail.user_id, now)


def _note_that_the_owner_waits(session: Session, mail: OutboxMail) -> None:
    """The desk sees who got a token and never came in. Noted here, where no stranger can see who has an account."""
    if mail.letter is Letter.TOKEN and mail.user_id is not None:
        User.note_token(session, mail.user_id, mail.posted_at)
