from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, delete, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from app.models.base import Base, UtcDateTime, table_of, without_records

# No account ever has this credential version, so the row opens nothing. It stays for a while, so that its
# browser can be told who has ended it.
_ENDED_BY_DESK = 0


class LoginSession(Base):
    """One browser in which one person is logged in. The cookie holds a random id; this row holds only its
    SHA-256."""

    __tablename__ = "login_session"
    __table_args__ = (
        Index("ix_login_session_user_id", "user_id"),
        Index("ix_login_session_ends_at", "ends_at"),
    )

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    credential_version: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # When the password was last typed in this session
    proven_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the absolute end, even if the session is in use
    opens_desk: Mapped[bool]  # the password that opened the session satisfies the rules for admins
    previous_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    client_address: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))
    # Hash of the login form's session: a double click opens one session
    form: Mapped[str] = mapped_column(String(64))

    @classmethod
    def open(cls, session: Session, **columns: object) -> None:
        without_records(session, _OPEN, columns)

    def note_use(self, session: Session, now: datetime) -> None:
        """The session was used. If it was ended meanwhile, it stays ended."""
        statement = update(LoginSession).where(LoginSession.id_hash == self.id_hash).values(seen_at=now)
        session.execute(statement.execution_options(synchronize_session=False))
        set_committed_value(self, "seen_at", now)

    def note_password_confirmed(self, session: Session, now: datetime) -> None:
        """The password was typed once more."""
        statement = update(LoginSession).where(LoginSession.id_hash == self.id_hash).values(proven_at=now)
        session.execute(statement.execution_options(synchronize_session=False))
        set_committed_value(self, "proven_at", now)

    @classmethod
    def all_of(
        cls, session: Session, user_id: int, credential_version: int, now: datetime
    ) -> list["LoginSession"]:
        """The person's sessions before their absolute end, the last used first."""
        found = select(cls).where(
            cls.user_id == user_id, cls.credential_version == credential_version, cls.ends_at > now
        )
        return list(session.scalars(found.order_by(cls.seen_at.desc())))

    @classmethod
    def end_all_of(cls, session: Session, user_id: int, but: str | None = None) -> None:
        statement = delete(cls).where(cls.user_id == user_id)
        if but is not None:
            statement = statement.where(cls.id_hash != but)
        session.execute(statement)

    @classmethod
    def end_all_by_desk(cls, session: Session, user_id: int, credential_version: int, now: datetime) -> int:
        """End all sessions that `all_of` finds. Returns how many these were."""
        ended = (
            update(cls)
            .where(cls.user_id == user_id, cls.credential_version == credential_version, cls.ends_at > now)
            .values(credential_version=_ENDED_BY_DESK)
            .returning(cls.id_hash)
            .execution_options(synchronize_session=False)
        )
        return len(session.scalars(ended).all())

    @property
    def is_ended_by_desk(self) -> bool:
        return self.credential_version == _ENDED_BY_DESK

    @classmethod
    def end_of_form(cls, session: Session, user_id: int, form: str) -> None:
        """End the session that the same form has opened for the same person a moment ago: the answer never
        reached the browser."""
        session.execute(delete(cls).where(cls.user_id == user_id, cls.form == form))

    @classmethod
    def end(cls, session: Session, id_hash: str) -> None:
        session.execute(delete(cls).where(cls.id_hash == id_hash))


_OPEN = insert(table_of(LoginSession)).inline()
