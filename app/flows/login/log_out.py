"""Someone ends this session or all other sessions, or makes all browsers unknown."""

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.models.audit_event import Tag
from app.models.bulk_act import BulkAct
from app.models.login_session import LoginSession
from app.models.user import User
from app.security import audit


def log_out(session: Session, id_hash: str, act: Act[User]) -> None:
    LoginSession.end(session, id_hash)
    audit.record(session, Tag.LOGOUT, act.by, act)


def end_other_sessions(session: Session, but: str, act: Act[User]) -> bool:
    """End every session of this person except the one with this hash, and make all browsers unknown. False if
    a new password has just ended this session too. Then one browser is known, and it is perhaps not this
    one. What this person, as an admin, has begun to do to many people at once ends too: it may be the work of
    whoever is thrown out."""
    BulkAct.lock_those_of(session, act.by.id)
    BulkAct.end_those_of(session, act.by.id)
    has_forgotten = _forget_browsers(session, act.by)
    LoginSession.end_all_of(session, act.by.id, but=but)
    audit.record(session, Tag.OTHER_SESSIONS_ENDED, act.by, act)
    return has_forgotten


def forget_browsers(session: Session, act: Act[User]) -> None:
    """A phone was sold, or the person has logged in on somebody else's computer. No browser is known any
    more, and this one is not known either."""
    _forget_browsers(session, act.by)
    audit.record(session, Tag.BROWSERS_FORGOTTEN, act.by, act)


def _forget_browsers(session: Session, user: User) -> bool:
    version = user.credential_version
    person = User.with_id(session, user.id, lock=True)
    if person is None or person.credential_version != version:
        return False
    person.forget_browsers()
    return True
