"""An admin answers the request of an owner, who was logged in and wants another name, unit, phone number or
NIP on record.

A yes goes the way of the desk's own edit: the same gate for a NIP, the same event, the same letter to the
owner. Before that, the record is compared with what it was when the owner asked. A no is that of every
correction.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.corrections import CorrectionField, CorrectionState
from app.domain.identity import ChangeState
from app.flows.correction.change_email import Outdated
from app.flows.correction.decide_correction import AlreadyDecided, SameAnswer, lock_to_decide
from app.flows.identity.change_identity import UnderWay
from app.flows.identity.put_on_record import NipTaken
from app.flows.people.correct_record import Corrected, Decision, OneAtATime, Record, Stale, correct_record
from app.models.audit_event import Tag
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class RecordGrounds:
    """The reason for an approval, which the owner reads. `seen` names the state of the record that was on the
    screen."""

    note: str
    seen: str


@dataclass(frozen=True)
class ChangedSince:
    """The record is no longer what it was when the person asked, and not what they asked for."""


NotApproved = (
    SameAnswer | AlreadyDecided | OutOfReach | NotToTouch | ChangedSince | Outdated | UnderWay | NipTaken
)


def approve_record_correction(
    session: Session, correction_id: int, grounds: RecordGrounds, delay: timedelta, act: Act[Authority]
) -> Corrected | NotApproved:
    """Put the requested value on record: now, or as the gate lets a new NIP through."""
    found = lock_to_decide(session, correction_id, act)
    if isinstance(found, AlreadyDecided):
        return SameAnswer(found.correction) if _has_approved(act.by, found) else found
    if not isinstance(found, EmailCorrection):
        return found
    person = found.user
    if not found.field.is_of_record or person is None:
        return OutOfReach()
    before = Record.of(person)
    if not found.new_value:
        return ChangedSince()  # it was put back into the queue so late that housekeeping has blanked it
    if (before.written(found.field) or "") not in (found.old_value, found.new_value):
        return ChangedSince()
    if found.field is CorrectionField.NIP and (other := IdentityChange.under_way_for(session, person.id)):
        return UnderWay(other)

    decision = Decision(
        before.with_value(found.field, found.new_value), grounds.note, grounds.seen, correction=found
    )
    match correct_record(session, person.id, decision, delay, act, cpns_open_by_themselves=False):
        case Stale():
            return Outdated()
        case Corrected() as corrected:
            _close(session, found, person, corrected, act)
            return corrected
        case OneAtATime():
            raise AssertionError("one column was changed")
        case refusal:
            return refusal


def _close(
    session: Session, correction: EmailCorrection, person: User, corrected: Corrected, act: Act[Authority]
) -> None:
    """A request whose change waits for a second admin stays open. The gate itself closes the request of a
    change that has passed it."""
    if corrected.change is None:
        correction.decide(CorrectionState.APPROVED, None, act.by.admin.id, act.at)
    CorrectionQuestion.close_of(session, correction.id, act.at)
    audit.record(
        session, Tag.CORRECTION_APPROVED, person, act, ticket=correction.ticket, field=correction.field
    )  # fmt: skip


def _has_approved(authority: Authority, found: AlreadyDecided) -> bool:
    """Whether this admin has said yes before: a double click."""
    correction, change = found.correction, found.change
    if correction.state is CorrectionState.REJECTED:
        return False
    decider = change.decided_by_id if change else correction.decided_by_id
    is_over = change is not None and change.state in (ChangeState.CANCELLED, ChangeState.FROZEN)
    return decider == authority.admin.id and not is_over
