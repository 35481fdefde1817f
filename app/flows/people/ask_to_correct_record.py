"""Somebody who is logged in sees that their name, unit, phone number or NIP on record is wrong, and asks the
desk to put it right.

The session proves who asks, so no mailbox has to be proven. It proves nothing about the new value: an admin
decides, as about any other correction. Nothing is said about whether somebody else has the new NIP.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.corrections import CorrectionField, CorrectionState, new_ticket
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind
from app.domain.reset_secret import new_reference
from app.flows.correction.request_correction import added
from app.flows.people.correct_record import Record
from app.mail import letters
from app.models.audit_event import Tag
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.user import User
from app.security import audit, throttle
from app.security.throttle import TooManyTries


@dataclass(frozen=True)
class Wish:
    """How one part of the record should be, as the record writes it, and why."""

    field: CorrectionField
    value: str
    reason: str


@dataclass(frozen=True)
class SessionIsOver:
    """The account has changed since the page was sent, so this session ends."""


@dataclass(frozen=True)
class NoAddressOnRecord:
    """There is no address to which the answer could go."""


@dataclass(frozen=True)
class NothingToCorrect:
    """The record says so already."""


@dataclass(frozen=True)
class AskedBefore:
    """An earlier request about this part of the record waits for its answer, or for its effect."""

    ticket: str | None


Refusal = SessionIsOver | NoAddressOnRecord | NothingToCorrect | AskedBefore | TooManyTries


def ask_to_correct_record(session: Session, wish: Wish, act: Act[User]) -> EmailCorrection | Refusal:
    """Put the wish into the queue of the person's desk. The same form sent twice is one request."""
    person = User.with_id(session, act.by.id, lock=True)
    if person is None or person.credential_version != act.by.credential_version:
        return SessionIsOver()
    if person.email is None:
        return NoAddressOnRecord()
    on_record = Record.of(person).written(wish.field) or ""
    if earlier := EmailCorrection.open_of_record(session, person.id, wish.field):
        return earlier if earlier.new_value == wish.value else AskedBefore(earlier.ticket)
    if on_record == wish.value:
        return NothingToCorrect()
    under_way = IdentityChange.under_way_for(session, person.id)
    if wish.field is CorrectionField.NIP and under_way and under_way.kind is ChangeKind.NIP:
        return AskedBefore(None)
    limit = throttle.RECORD_CORRECTIONS_PER_PERSON
    if isinstance(taken := throttle.take(session, limit, str(person.id), act.at), TooManyTries):
        return taken

    person.has_asked = True
    correction = added(session, _request(person, person.email, wish, on_record, act))
    audit.record(
        session, Tag.CORRECTION_SUBMITTED, person, act, ticket=correction.ticket, field=wish.field
    )  # fmt: skip
    letters.correction_received(session, correction, act)
    return correction


def _request(person: User, email: str, wish: Wish, on_record: str, act: Act[User]) -> EmailCorrection:
    return EmailCorrection(
        reference=new_reference(),
        ticket=new_ticket(),
        nip=person.nip,
        new_email=email,
        new_email_key=EmailAddress(email).key,
        user=person,
        instansi_id=person.instansi_id,
        state=CorrectionState.NEW,
        asked_at=act.at,
        submitted_at=act.at,
        name=person.name,
        work_unit=person.work_unit,
        reason=wish.reason,
        client_address=act.client.address,
        field=wish.field,
        old_value=on_record,
        new_value=wish.value,
    )
