"""An admin puts another address on record. Nobody has asked for it through the form: the person came to the
desk."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.flows.correction.change_email import EmailDecision, Refusal, change_email
from app.flows.correction.review_correction import (
    CheckImpossible,
    WarningsNotAcknowledged,
    about_address,
    check_approval,
    record_acknowledged,
)
from app.models.identity_change import IdentityChange
from app.models.user import User
from app.security.authority import Authority


def change_email_at_desk(
    session: Session,
    person_id: int,
    decision: EmailDecision,
    acknowledged: frozenset[str],
    delay: timedelta,
    act: Act[Authority],
) -> IdentityChange | Refusal | CheckImpossible | WarningsNotAcknowledged:
    """Show the same warnings as for a request, looked up in the transaction that decides. If the change
    itself would refuse the address anyway, its refusal is returned instead of warnings."""
    person = act.by.person_to_act_on(session, person_id, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    # Somebody has the address, or this person has it already
    is_taken = bool(User.taken_addresses(session, [decision.address]))
    warnings = [] if is_taken else about_address(session, act.by, person, decision.address, act.at)
    if why := check_approval(session, person, warnings, decision.identity_check, acknowledged, act):
        return why
    outcome = change_email(session, person_id, decision, delay, act)
    if isinstance(outcome, IdentityChange):
        record_acknowledged(session, outcome, warnings, act)
    return outcome
