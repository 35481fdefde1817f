"""The second admin confirms a change, and has seen what speaks against it: the same warnings as the first one had."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.email_address import EmailAddress
from app.domain.email_warnings import acknowledged_kinds, unacknowledged
from app.domain.identity import ChangeKind
from app.domain.indonesian_time import today_in_jakarta
from app.flows.change_identity import NotThatState, confirm_change
from app.flows.identity_gate import objection_to_second
from app.flows.put_on_record import Taken
from app.flows.weigh_correction import NotAcknowledged, about_address
from app.models.audit_event import Tag
from app.models.identity_change import IdentityChange
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


def confirm_at_desk(
    session: Session, authority: Authority, change_id: int, marks: frozenset[str], delay: timedelta, client: Client, now: datetime
) -> IdentityChange | OutOfReach | NotToTouch | NotThatState | Taken | NotAcknowledged:
    """Looked up in the transaction that confirms, so that a warning which arose meanwhile is met as well."""
    change = IdentityChange.with_id(session, change_id)
    if change is None or change.kind is not ChangeKind.EMAIL or not change.is_under_way:
        return confirm_change(session, authority, change_id, delay, client, now)
    person = authority.person_to_act_on(session, change.user_id, today_in_jakarta(now))
    if not isinstance(person, User):
        return person
    if objection := objection_to_second(session, authority, change, now):
        return objection
    warnings = about_address(session, authority, person, EmailAddress(change.new_value), now)
    if missing := unacknowledged(warnings, marks):
        unseen = ",".join(one.kind.value for one in missing)
        why = "warnings not acknowledged"
        audit.record(session, Tag.ADMIN_REFUSED, person, client, now, actor=authority.admin, reason=why, warnings=unseen)
        return NotAcknowledged(missing)
    outcome = confirm_change(session, authority, change_id, delay, client, now)
    if isinstance(outcome, IdentityChange) and (kinds := acknowledged_kinds(warnings)):
        audit.record(
            session, Tag.WARNINGS_ACKNOWLEDGED, person, client, now, actor=authority.admin, change=change_id, acknowledged=kinds
        )
    return outcome
