"""The instansi does not open the accounts of CPNS, and says why."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Activation
from app.flows.cpns.cpns_verdict import Verdict, decide_each, record_verdict
from app.flows.cpns.usual_wait import note_wait
from app.mail import letters
from app.models.audit_event import AuditEvent, Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority


def reject_several_cpns(
    session: Session, people: Collection[int], reason: str, act: Act[Authority]
) -> AuditEvent:
    """Deactivate the accounts of all who still wait. A person whose account is reactivated waits again. See
    `approve_several_cpns`."""
    endings = decide_each(session, people, lambda person: close_account(session, person, reason, act), act)
    return record_verdict(session, Verdict.REJECTED, endings, act, reason=reason)


def close_account(session: Session, person: User, reason: str, act: Act[Authority]) -> None:
    """Of somebody who waits, and who is locked."""
    note_wait(session, person, act)
    person.change_activation(Activation.DEACTIVATED, act.at)
    person.activation_reason = reason
    person.deactivated_by = act.by.office
    audit.record(session, Tag.CPNS_REJECTED, person, act, reason=reason)
    letters.cpns_rejected(session, person, reason, act)
