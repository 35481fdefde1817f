"""The second admin confirms a change, after seeing the same warnings as the first one."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind
from app.domain.indonesian_time import today_in_jakarta
from app.flows.correction.review_correction import (
    WarningsNotAcknowledged,
    about_address,
    check_acknowledged,
    record_acknowledged,
)
from app.flows.identity.change_identity import NotThatState, confirm_change
from app.flows.identity.identity_gate import objection_to_second
from app.flows.identity.put_on_record import TakenByAnother
from app.models.identity_change import IdentityChange
from app.models.user import User
from app.security.authority import Authority, NotToTouch, OutOfReach


def confirm_at_desk(
    session: Session, change_id: int, marks: frozenset[str], delay: timedelta, act: Act[Authority]
) -> IdentityChange | OutOfReach | NotToTouch | NotThatState | TakenByAnother | WarningsNotAcknowledged:
    """Look the warnings up in the transaction that confirms, so that the admin also sees a warning that is
    new since the page was opened."""
    change = IdentityChange.with_id(session, change_id)
    if change is None or change.kind is not ChangeKind.EMAIL or not change.is_under_way:
        return confirm_change(session, change_id, delay, act)
    person = act.by.person_to_act_on(session, change.user_id, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    if objection := objection_to_second(session, act.by, change, act.at):
        return objection
    warnings = about_address(session, act.by, person, EmailAddress(change.new_value), act.at)
    if refusal := check_acknowledged(session, person, warnings, marks, act):
        return refusal
    outcome = confirm_change(session, change_id, delay, act)
    if isinstance(outcome, IdentityChange):
        record_acknowledged(session, outcome, warnings, act)
    return outcome
