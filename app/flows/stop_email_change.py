"""Somebody hears that the address of the own account is to be another, or is already, and says: not me.

The change is frozen and the instansi looks again. Whoever came in through the new address is out: sessions and tokens
are dead, and a password that was set since then opens nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.corrections import ChangeState
from app.domain.email_address import EmailAddress
from app.flows.change_email import cancel_under_way, reopen_request_of
from app.mail import letters
from app.models.audit_event import Tag
from app.models.email_change import EmailChange
from app.models.user import User
from app.security import audit

STOP_LINK_DAYS = 30
_FROM_OLD_ADDRESS = "Dihentikan dari alamat email lama."
_ANOTHER_WAS_STOPPED = "Perubahan email sebelumnya dibekukan oleh pemiliknya."
_FROM_SESSION = "Dihentikan oleh pemilik akun yang sedang masuk."


@dataclass(frozen=True)
class NothingToStop:
    """It was stopped before, taken back, or another address has replaced it since."""


def stop_from_old_address(session: Session, reference: str, client: Client, now: datetime) -> EmailChange | NothingToStop:
    """By the link in the letter to the old address. Works before the change holds and, for a month, after."""
    seen = EmailChange.with_reference(session, reference)
    return _stop(session, seen.id, seen.user_id, _FROM_OLD_ADDRESS, None, client, now) if seen else NothingToStop()


def stop_from_session(session: Session, owner: User, client: Client, now: datetime) -> EmailChange | NothingToStop:
    """By who is logged in, before the change holds: afterwards no session is left."""
    seen = EmailChange.under_way_for(session, owner.id)
    return _stop(session, seen.id, seen.user_id, _FROM_SESSION, owner, client, now) if seen else NothingToStop()


def can_be_stopped(session: Session, change: EmailChange, person: User) -> bool:
    """Not yet in effect; or in effect, be it that another one has followed: a thief may have moved on to a third address."""
    if change.state is ChangeState.DONE:
        address = EmailAddress(change.new_email)
        return person.has_email(address) or bool(EmailChange.done_after(session, change))
    return change.state in (ChangeState.SCHEDULED, ChangeState.NEEDS_SECOND)


def _stop(
    session: Session, change_id: int, user_id: int, because: str, actor: User | None, client: Client, now: datetime
) -> EmailChange | NothingToStop:
    person = User.with_id(session, user_id, lock=True)
    change = EmailChange.with_id(session, change_id, lock=True)
    if person is None or change is None or not can_be_stopped(session, change, person):
        return NothingToStop()
    if change.state is ChangeState.DONE:
        _close_the_door(person, change)
        for later in EmailChange.done_after(session, change):
            later.end(ChangeState.FROZEN, _ANOTHER_WAS_STOPPED, now)
        cancel_under_way(session, person, _ANOTHER_WAS_STOPPED, actor, client, now)
    change.end(ChangeState.FROZEN, because, now)
    correction = reopen_request_of(session, change, person)
    audit.record(session, Tag.EMAIL_CHANGE_STOPPED, person, client, now, actor=actor, change=change.id, because=because)
    if correction:
        letters.correction_frozen(session, correction, client, now)
    return change


def _close_the_door(person: User, change: EmailChange) -> None:
    """No address until the instansi has looked again, for nobody knows which of the two is right."""
    set_since = person.password_changed_at is not None and change.effective_at is not None
    if set_since and person.password_changed_at >= change.effective_at:  # type: ignore[operator]
        person.remove_password()
    person.set_email(None)
