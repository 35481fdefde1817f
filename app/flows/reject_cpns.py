"""The instansi does not open the accounts of CPNS, and says why."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.categories import Activation
from app.domain.client import Client
from app.domain.indonesian_time import today_in_jakarta
from app.flows.cpns_verdict import Ending, Verdict, record_verdict
from app.mail import letters
from app.models.audit_event import AuditEvent, Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


def reject_several_cpns(
    session: Session, authority: Authority, people: Collection[int], reason: str, client: Client, now: datetime
) -> AuditEvent:
    """Deactivate the accounts of all who still wait; once reactivated, they wait again. See `approve_several_cpns`."""
    endings: dict[int, Ending] = {}
    for person_id in sorted(set(people)):
        match authority.person_to_act_on(session, person_id, today_in_jakarta(now)):
            case OutOfReach():
                continue
            case NotToTouch():
                endings[person_id] = Ending.REFUSED
            case User() as person if person.activation is Activation.WAITING_APPROVAL:
                _close(session, authority, person, reason, client, now)
                endings[person_id] = Ending.DONE
            case User():
                endings[person_id] = Ending.NOT_WAITING
    return record_verdict(session, authority, Verdict.REJECTED, endings, client, now, reason=reason)


def _close(session: Session, authority: Authority, person: User, reason: str, client: Client, now: datetime) -> None:
    person.change_activation(Activation.DEACTIVATED, now)
    person.activation_reason = reason
    person.deactivated_by = authority.office
    audit.record(session, Tag.CPNS_REJECTED, person, client, now, actor=authority.admin, reason=reason)
    letters.cpns_rejected(session, person, reason, client, now)
