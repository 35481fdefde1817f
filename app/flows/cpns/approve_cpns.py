"""The instansi opens the accounts of CPNS who have waited for this, by a letter of appointment (SK)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Activation
from app.domain.nip import Nip
from app.flows.cpns.cpns_verdict import Verdict, decide_each, record_verdict
from app.flows.cpns.usual_wait import note_wait
from app.mail import letters
from app.models.audit_event import AuditEvent, Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority


@dataclass(frozen=True)
class Decree:
    """The letter of appointment (SK) by which the instansi approves."""

    number: str
    dated_on: date


def approve_cpns(session: Session, nip: Nip, act: Act[None]) -> User | None:
    """Open the account at the command line. None when nobody with this NIP is waiting."""
    user = User.with_nip(session, nip, lock=True)
    if user is None or user.activation is not Activation.WAITING_APPROVAL:
        return None
    open_account(session, user, None, act)
    return user


def approve_several_cpns(
    session: Session, people: Collection[int], decree: Decree, act: Act[Authority]
) -> AuditEvent:
    """Open the accounts of all who still wait. Returns the event of the verdict."""
    endings = decide_each(session, people, lambda person: open_account(session, person, decree, act), act)
    return record_verdict(session, Verdict.APPROVED, endings, act, sk=decree.number)


def open_account(session: Session, user: User, decree: Decree | None, act: Act[Authority | None]) -> None:
    """Of somebody who waits, and who is locked. The person's next login is the activation."""
    note_wait(session, user, act)
    user.change_activation(Activation.NOT_ACTIVATED, act.at)
    user.activation_reason = user.deactivated_by = None
    audit.record(
        session, Tag.CPNS_APPROVED, user, act, sk=decree.number if decree else None,
        sk_date=decree.dated_on.isoformat() if decree else None
    )  # fmt: skip
    letters.cpns_approved(session, user, act)
