"""An operator or an admin removes the limits that wrong tries have set on a NIP."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.flows.login import log_in
from app.mail import letters
from app.models.audit_event import Tag
from app.models.user import User
from app.security import audit, throttle
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class Limited:
    """What the person cannot do now, in words, and until when."""

    what: str
    until: datetime


def unlock(session: Session, nip: Nip, act: Act[audit.Actor]) -> None:
    """Forget the tries at login and token for this NIP, even if nobody has it. Also forget the mails that
    others have caused to its address on record. Tokens need no unlocking: they are held back only while there
    is one in the mailbox."""
    user = User.with_nip(session, nip)
    log_in.forget_tries(session, nip)
    for _, limit, counted in _buckets(nip, user.email if user else None):
        throttle.forget(session, limit, counted)
    audit.record(session, Tag.UNLOCKED, user, act)


def unlock_person(session: Session, person_id: int, act: Act[Authority]) -> User | OutOfReach | NotToTouch:
    """Unlock the NIP of a person within an admin's reach."""
    person = act.by.person_to_act_on(session, person_id, today_in_jakarta(act.at))
    if isinstance(person, User):
        unlock(session, person.shown_nip, act)
        letters.act_on_holder(session, act.by.admin, person, "membuka batas percobaan", act)
    return person


def limits_on(session: Session, person: User, now: datetime) -> list[Limited]:
    """What slows this person down at this moment."""
    found = (
        (what, throttle.refused_until(session, limit, counted, now))
        for what, limit, counted in _buckets(person.shown_nip, person.email)
    )
    held = [(what, until) for what, until in found if until]
    return [
        Limited(what, until) for what, until in log_in.slowed_until(session, person.shown_nip, now) + held
    ]


def _buckets(nip: Nip, email: str | None) -> Iterator[tuple[str, throttle.Limit, str]]:
    """The limits that know a person, but for the login: what is held up, by which limit, what is
    counted."""
    yield "Mengetik token", throttle.TOKEN_PER_NIP, nip.digits
    if email:
        limit = throttle.OTHER_MAILS_PER_MAILBOX
        yield "Email selain token ke kotak surat ini", limit, EmailAddress(email).mailbox
