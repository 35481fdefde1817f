"""The instansi does not open the accounts of CPNS, and says why."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.categories import Activation
from app.domain.client import Client
from app.flows.cpns.cpns_verdict import Verdict, passed_on, record_verdict
from app.mail import letters
from app.models.audit_event import AuditEvent, Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority


def reject_several_cpns(
    session: Session,
    authority: Authority,
    people: Collection[int],
    reason: str,
    client: Client,
    now: datetime,
) -> AuditEvent:
    """Deactivate the accounts of all who still wait; once reactivated, they wait again. See
    `approve_several_cpns`."""
    endings = passed_on(
        session,
        authority,
        people,
        lambda person: _close(session, authority, person, reason, client, now),
        now,
    )
    return record_verdict(session, authority, Verdict.REJECTED, endings, client, now, reason=reason)


def _close(
    session: Session, authority: Authority, person: User, reason: str, client: Client, now: datetime
) -> None:
    person.change_activation(Activation.DEACTIVATED, now)
    person.activation_reason = reason
    person.deactivated_by = authority.office
    audit.record(session, Tag.CPNS_REJECTED, person, client, now, actor=authority.admin, reason=reason)
    letters.cpns_rejected(session, person, reason, client, now)
