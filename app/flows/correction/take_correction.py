"""An admin takes a request in hand, so that no colleague works on it at the same time, and gives it back.

Nobody is kept from deciding by this: the first decision counts, whoever has the request in hand. The person
who asked is told once that somebody looks at the request, and hears nothing of who it is or who it was.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.flows.correction.decide_correction import (
    AlreadyDecided,
    InHandOfAnother,
    WaitsForPerson,
    decided_already,
    lock_to_decide,
    within_reach,
)
from app.models.audit_event import Tag
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.models.taken_correction import TakenCorrection
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class NotInHand:
    """This admin does not have the request in hand any more, so there is nothing to give back."""

    correction: EmailCorrection


def take(
    session: Session, correction_id: int, seen: int | None, act: Act[Authority]
) -> EmailCorrection | InHandOfAnother | WaitsForPerson | AlreadyDecided | OutOfReach | NotToTouch:
    """Take over a request, unless it waits for its person: then it is in nobody's hand. `seen` is the admin
    whom the page named: of two who take over from the same colleague, the second one learns who was first."""
    found = lock_to_decide(session, correction_id, act)
    if not isinstance(found, EmailCorrection):
        return found
    if CorrectionQuestion.open_of(session, found.id):
        return WaitsForPerson()
    taken = TakenCorrection.of(session, found.id, act.at)
    if taken and taken.taken_by_id == act.by.admin.id:
        return found
    if taken and taken.taken_by_id != seen:
        return InHandOfAnother(taken)
    TakenCorrection.take(session, found.id, act.by.admin.id, act.at)
    audit.record(session, Tag.CORRECTION_TAKEN, found.user, act, ticket=found.ticket)
    return found


def give_back(
    session: Session, correction_id: int, act: Act[Authority]
) -> EmailCorrection | NotInHand | AlreadyDecided | OutOfReach:
    """Let a colleague go on. Who has the request in hand may always do so, even if they may not decide about
    its person any more."""
    seen = within_reach(session, act.by, correction_id)
    if isinstance(seen, OutOfReach):
        return seen
    person = User.with_id(session, seen.user_id or 0, lock=True)
    found = EmailCorrection.with_id(session, correction_id, lock=True)
    if person is None or found is None or not act.by.covers(person.instansi_id):
        return OutOfReach()
    if decided := decided_already(session, found):
        return decided
    taken = TakenCorrection.of(session, found.id, act.at)
    if taken is None or taken.taken_by_id != act.by.admin.id:
        return NotInHand(found)
    TakenCorrection.give_back(session, found.id)
    audit.record(session, Tag.CORRECTION_GIVEN_BACK, found.user, act, ticket=found.ticket)
    return found
