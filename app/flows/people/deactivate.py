"""An admin closes an account, or opens it again."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.domain.pusat_reports import ReportKind
from app.flows.identity.change_identity import cancel_under_way
from app.flows.identity.recheck_decisions import recheck_decisions_of
from app.mail import letters
from app.mail.report_to_pusat import report_to_pusat
from app.models.audit_event import Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach

CLOSED = "menonaktifkan akun"  # to pusat


@dataclass(frozen=True)
class AlreadySo:
    """Somebody was faster: the account is in the wanted state."""


def deactivate(
    session: Session, person_id: int, reason: str, act: Act[Authority]
) -> User | AlreadySo | OutOfReach | NotToTouch:
    """Close the account: nobody can log in any more, and every token and session is dead. The owner is told
    why, and by which office. Pusat counts it: a large act cannot hide as many small ones."""
    person = act.by.person_to_act_on(session, person_id, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    outcome = close_account(session, person, reason, act)
    if isinstance(outcome, User):
        report_to_pusat(session, ReportKind.DEACTIVATIONS, act.by.admin, CLOSED, 1, act)
    return outcome


def close_account(session: Session, person: User, reason: str, act: Act[Authority]) -> User | AlreadySo:
    """The same for a person whom `Authority.person_to_act_on` has given. Here pusat counts nothing."""
    if person.is_deactivated:
        return AlreadySo()
    cancel_under_way(session, person, "Akun dinonaktifkan.", act)
    recheck_decisions_of(session, person, "Akun admin yang memutuskan sudah dinonaktifkan.", act)
    person.deactivate(act.by.office, reason, act.at)
    audit.record(session, Tag.DEACTIVATED, person, act, reason=reason)
    what = f"Akun Anda dinonaktifkan oleh {act.by.office}, jadi tidak dapat dipakai untuk masuk."
    letters.account_changed(session, person, what, reason, act)
    letters.act_on_holder(session, act.by.admin, person, CLOSED, act)
    return person


def reactivate(
    session: Session, person_id: int, reason: str, act: Act[Authority]
) -> User | AlreadySo | OutOfReach | NotToTouch:
    """Give the account back the activation that it had. Tokens and sessions from before stay dead."""
    person = act.by.person_to_act_on(session, person_id, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    if not person.is_deactivated:
        return AlreadySo()
    person.reactivate(act.at)
    audit.record(session, Tag.REACTIVATED, person, act, reason=reason)
    what = (
        f"Akun Anda diaktifkan kembali oleh {act.by.office}. Status akun sekarang: {person.activation.label}."
    )
    letters.account_changed(session, person, what, reason, act)
    letters.act_on_holder(session, act.by.admin, person, "mengaktifkan kembali akun", act)
    return person
