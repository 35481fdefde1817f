"""An admin lets the portal mail a token to the address on record. The admin never sees what is in the
mail."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import today_in_jakarta
from app.flows.reset.request_reset import Allowance, request_reset
from app.mail import letters
from app.models.audit_event import Tag
from app.models.outbox_mail import MailState, OutboxMail
from app.models.user import User
from app.security import audit, throttle
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class OnItsWay:
    """The mail is in the outbox."""

    masked_address: str


@dataclass(frozen=True)
class Held:
    """Enough mails with a token that still opens lie in the mailbox, so this one never leaves."""


@dataclass(frozen=True)
class NoAddress:
    """There is no address on record."""


@dataclass(frozen=True)
class IsDeactivated:
    """A token would open nothing."""


def send_token(
    session: Session, person_id: int, submission: str, act: Act[Authority]
) -> OnItsWay | Held | NoAddress | IsDeactivated | OutOfReach | NotToTouch:
    """Ask for a token as the owner would. The letter is the same, but the limit is higher, so that nobody who
    asks from outside can prevent the desk from helping. The same `submission` sent twice is one mail."""
    person = act.by.person_to_act_on(session, person_id, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    outcome = send_token_to(session, person, submission, act)
    if isinstance(outcome, OnItsWay | Held):
        letters.act_on_holder(session, act.by.admin, person, "mengirim token", act)
    return outcome


def send_token_to(
    session: Session, person: User, submission: str, act: Act[Authority], *, is_one_of_many: bool = False
) -> OnItsWay | Held | NoAddress | IsDeactivated:
    """The same for a person whom `Authority.person_to_act_on` has given. Pusat is told of nothing here."""
    if person.is_deactivated:
        return IsDeactivated()
    if person.email is None:
        return NoAddress()
    address = EmailAddress(person.email)
    allowance = Allowance(most=throttle.TOKENS_IN_A_MAILBOX_BY_DESK, is_one_of_many=is_one_of_many)
    asked = request_reset(session, person.shown_nip, address, submission, act.done_by(None), allowance)
    first = (
        select(OutboxMail)
        .where(OutboxMail.reset_request_id == asked.request.id)
        .order_by(OutboxMail.id)
        .limit(1)
    )
    mail = asked.mail or session.scalars(first).one()
    audit.record(session, Tag.TOKEN_SENT_BY_ADMIN, person, act, mail=mail.state)
    return Held() if mail.state is MailState.HELD else OnItsWay(address.masked)
