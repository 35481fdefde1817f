from dataclasses import dataclass
from datetime import date

from sqlalchemy import Date, Select, bindparam, exists, select
from sqlalchemy.orm import Session

from app.models.admin_mandate import AdminMandate
from app.models.identity_change import IdentityChange
from app.models.login_session import LoginSession
from app.models.user import User


@dataclass(frozen=True)
class OpenSession:
    """A session with its person, and whether there is more to read about them: few people are admins, and for
    few a change is under way."""

    login: LoginSession
    user: User
    has_mandate: bool
    has_change: bool

    @classmethod
    def with_hash(cls, session: Session, id_hash: str, today: date) -> "OpenSession | None":
        """Read with every page of somebody who is logged in."""
        row = session.execute(_WITH_HASH, {"id_hash": id_hash, "today": today}).one_or_none()
        return cls(*row) if row else None


def _with_hash() -> Select[LoginSession, User, bool, bool]:
    today = bindparam("today", type_=Date)
    has_mandate = exists().where(AdminMandate.user_id == User.id, AdminMandate.holds_on(today))
    has_change = exists().where(IdentityChange.user_id == User.id, IdentityChange.is_on_its_way())
    found = select(LoginSession, User, has_mandate, has_change).join(User, User.id == LoginSession.user_id)
    return found.where(LoginSession.id_hash == bindparam("id_hash"))


_WITH_HASH = _with_hash()
