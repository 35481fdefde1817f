"""Someone ends a session: this one, one elsewhere, or all others."""

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
    """Everything but the session with this hash."""
    LoginSession.end_all_of(session, user.id, but=but)
    audit.record(session, Tag.OTHER_SESSIONS_ENDED, user, client, now, actor=user)
