"""Someone ends what is open: this session, all others, or what browsers remember of past ones."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.models.audit_event import Tag
from app.models.login_session import LoginSession
from app.models.user import User
from app.security import audit


def log_out(session: Session, user: User, id_hash: str, client: Client, now: datetime) -> None:
    LoginSession.end(session, id_hash)
    audit.record(session, Tag.LOGOUT, user, client, now, actor=user)


def end_other_sessions(session: Session, user: User, but: str, client: Client, now: datetime) -> bool:
    """Everything but the session with this hash, and what browsers remember of this person. False when a new
    password has just ended this session as well, and has made one browser known that is perhaps not this
    one."""
    has_forgotten = _forget_browsers(session, user)
    LoginSession.end_all_of(session, user.id, but=but)
    audit.record(session, Tag.OTHER_SESSIONS_ENDED, user, client, now, actor=user)
    return has_forgotten


def forget_browsers(session: Session, user: User, client: Client, now: datetime) -> None:
    """A phone was sold, or a login was made on a computer of others: no browser is known any more, nor is
    this one."""
    _forget_browsers(session, user)
    audit.record(session, Tag.BROWSERS_FORGOTTEN, user, client, now, actor=user)


def _forget_browsers(session: Session, user: User) -> bool:
    version = user.credential_version
    person = User.with_id(session, user.id, lock=True)
    if person is None or person.credential_version != version:
        return False
    person.forget_browsers()
    return True
