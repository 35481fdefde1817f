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


def end_other_sessions(session: Session, user: User, but: str, client: Client, now: datetime) -> None:
    """Everything but the session with this hash. No browser is known any more; this one may be, by the new mark."""
    _forget_browsers(session, user)
    LoginSession.end_all_of(session, user.id, but=but)
    audit.record(session, Tag.OTHER_SESSIONS_ENDED, user, client, now, actor=user)


def forget_browsers(session: Session, user: User, client: Client, now: datetime) -> None:
    """A phone was sold, or a login was made on a computer of others: no browser is known any more, nor is this one."""
    _forget_browsers(session, user)
    audit.record(session, Tag.BROWSERS_FORGOTTEN, user, client, now, actor=user)


def _forget_browsers(session: Session, user: User) -> None:
    """But not the one in which a new password was set a moment ago: that ended the session this was asked in."""
    version = user.credential_version
    person = User.with_id(session, user.id, lock=True)
    if person is not None and person.credential_version == version:
        person.forget_browsers()
