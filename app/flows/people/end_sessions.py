"""An admin logs a person out everywhere: a phone is lost, or a browser at a counter was left open."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.domain.pusat_reports import ReportKind
from app.mail import letters
from app.mail.report_to_pusat import report_to_pusat
from app.models.audit_event import Tag
from app.models.bulk_act import BulkAct
from app.models.login_session import LoginSession
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach

ENDED = "mengakhiri semua sesi"  # to pusat


@dataclass(frozen=True)
class SessionsEnded:
    how_many: int


@dataclass(frozen=True)
class NothingOpen:
    """The person is logged in nowhere, so there is nothing to end and nobody to tell."""


def end_sessions(
    session: Session, person_id: int, reason: str, act: Act[Authority]
) -> SessionsEnded | NothingOpen | OutOfReach | NotToTouch:
    """End every session of the person, and nothing else: password, tokens and the account stay as they are.
    The owner is told why, and by which office. Pusat counts it. If the person is an admin, what they have
    begun to do to many people at once ends too, also if no session is open any more."""
    seen = act.by.person(session, person_id)
    if not isinstance(seen, User):
        return seen
    BulkAct.lock_those_of(session, person_id)
    person = act.by.person_to_act_on(session, person_id, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    BulkAct.end_those_of(session, person_id)
    outcome = end_sessions_of(session, person, reason, act)
    if isinstance(outcome, SessionsEnded):
        report_to_pusat(session, ReportKind.ENDED_SESSIONS, act.by.admin, ENDED, 1, act)
    return outcome


def end_sessions_of(
    session: Session, person: User, reason: str, act: Act[Authority]
) -> SessionsEnded | NothingOpen:
    """The same for a person whom `Authority.person_to_act_on` has given. Here pusat counts nothing."""
    ended = LoginSession.end_all_by_desk(session, person.id, person.credential_version, act.at)
    if not ended:
        return NothingOpen()
    audit.record(session, Tag.SESSIONS_ENDED, person, act, how_many=ended, reason=reason)
    what = (
        f"Semua sesi akun Anda diakhiri oleh {act.by.office}, jadi Anda perlu masuk lagi di setiap browser. "
        "Password Anda tidak diubah."
    )
    letters.account_changed(session, person, what, reason, act)
    letters.act_on_holder(session, act.by.admin, person, ENDED, act)
    return SessionsEnded(ended)
