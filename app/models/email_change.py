from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.domain.corrections import ChangeState, IdentityCheck
from app.models.base import Base, BigId, UtcDateTime, text_enum
from app.models.email_correction import EmailCorrection
from app.models.user import User

_UNDER_WAY = text("state IN ('menunggu_konfirmasi', 'dijadwalkan')")


class EmailChange(Base):
    """An admin's decision to put another address on record, by request or by himself, and what became of it."""

    __tablename__ = "email_change"
    __table_args__ = (
        CheckConstraint("confirmed_by_id IS NULL OR confirmed_by_id != decided_by_id", name="second_is_another"),
        Index("uq_email_change_under_way", "user_id", unique=True, sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),
        Index("ix_email_change_user_id", "user_id", "id"),
        Index("ix_email_change_instansi_id_state", "instansi_id", "state", "decided_at", "id"),
        Index("ix_email_change_state_effective_at", "state", "effective_at"),
        Index("ix_email_change_correction_id", "correction_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True)  # what the link "bukan saya" is signed over
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    instansi_id: Mapped[int] = mapped_column(ForeignKey("instansi.id"))
    correction_id: Mapped[int | None] = mapped_column(ForeignKey("email_correction.id"))
    old_email: Mapped[str | None] = mapped_column(String(254))
    new_email: Mapped[str] = mapped_column(String(254))
    state: Mapped[ChangeState] = mapped_column(text_enum(ChangeState, "change_state"))
    identity_check: Mapped[IdentityCheck] = mapped_column(text_enum(IdentityCheck, "identity_check", closed=False))
    reason: Mapped[str] = mapped_column(String(500))
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    effective_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it takes, or took, effect
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it was stopped or cancelled
    ended_because: Mapped[str | None] = mapped_column(String(300))

    user: Mapped[User] = relationship(lazy="joined", foreign_keys=[user_id])
    correction: Mapped[EmailCorrection | None] = relationship(foreign_keys=[correction_id])
    decided_by: Mapped[User] = relationship(foreign_keys=[decided_by_id])

    @classmethod
    def with_id(cls, session: Session, change_id: int, lock: bool = False) -> "EmailChange | None":
        """Lock the person first (`User.with_id`), then this: one order everywhere."""
        found = select(cls).where(cls.id == change_id).execution_options(populate_existing=True)
        if lock:
            found = found.with_for_update(of=cls)
        return session.scalars(found).one_or_none()

    @classmethod
    def with_reference(cls, session: Session, reference: str) -> "EmailChange | None":
        found = select(cls).where(cls.reference == reference).execution_options(populate_existing=True)
        return session.scalars(found).one_or_none()

    @classmethod
    def under_way_for(cls, session: Session, user_id: int) -> "EmailChange | None":
        """The one change of this person that is neither in effect nor ended."""
        under_way = cls.state.in_((ChangeState.NEEDS_SECOND, ChangeState.SCHEDULED))
        return session.scalars(select(cls).where(cls.user_id == user_id, under_way)).one_or_none()

    @classmethod
    def awaits_second_for(cls, session: Session, correction_id: int) -> bool:
        """Whether a first admin has approved the request, and a second one has not spoken yet."""
        waits = select(cls.id).where(cls.correction_id == correction_id, cls.state == ChangeState.NEEDS_SECOND)
        return session.scalar(waits.limit(1)) is not None

    @classmethod
    def latest_of_request(cls, session: Session, correction_id: int) -> "EmailChange | None":
        """What a request has last led to."""
        led_to = select(cls).where(cls.correction_id == correction_id).order_by(cls.id.desc()).limit(1)
        return session.scalars(led_to).one_or_none()

    @classmethod
    def due(cls, session: Session, now: datetime, most: int) -> list[int]:
        """The ids of those whose waiting time is over. Only the ids: one that cannot be read must not hide the others."""
        due = select(cls.id).where(cls.state == ChangeState.SCHEDULED, cls.effective_at <= now)
        return list(session.scalars(due.order_by(cls.effective_at, cls.id).limit(most)))

    @classmethod
    def done_after(cls, session: Session, change: "EmailChange") -> "list[EmailChange]":
        """Those in effect that followed a change of the same account, and that nobody has stopped."""
        later = (cls.user_id == change.user_id, cls.id > change.id, cls.state == ChangeState.DONE)
        return list(session.scalars(select(cls).where(*later).order_by(cls.id)))

    def end(self, state: ChangeState, because: str, now: datetime) -> None:
        self.state = state
        self.ended_at, self.ended_because = now, because
