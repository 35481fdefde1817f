from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, delete, exists, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.domain.corrections import TAKEN_FOR
from app.domain.indonesian_time import today_in_jakarta
from app.models.admin_mandate import AdminMandate
from app.models.base import Base, UtcDateTime
from app.models.email_correction import EmailCorrection
from app.models.user import MAY_ENTER, User


class TakenCorrection(Base):
    """Which admin has a correction in hand, so that two colleagues do not call the same person. It binds
    nobody: whoever may decide, may decide. It ends by itself after a while, and when its admin is no longer
    in office."""

    __tablename__ = "taken_correction"
    __table_args__ = (
        Index("ix_taken_correction_taken_by_id", "taken_by_id", "taken_at"),
        Index("ix_taken_correction_taken_at", "taken_at"),
    )

    correction_id: Mapped[int] = mapped_column(
        ForeignKey("email_correction.id", ondelete="CASCADE"), primary_key=True
    )
    taken_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)

    taken_by: Mapped[User] = relationship(lazy="joined")

    @classmethod
    def of(cls, session: Session, correction_id: int, now: datetime) -> "TakenCorrection | None":
        """Who has this request in hand now. Lock the request first, if anything depends on it."""
        return cls.among(session, [correction_id], now).get(correction_id)

    @classmethod
    def among(
        cls, session: Session, correction_ids: Collection[int], now: datetime
    ) -> "dict[int, TakenCorrection]":
        """The requests among these that somebody has in hand now."""
        found = (
            select(cls)
            .join(EmailCorrection, EmailCorrection.id == cls.correction_id)
            .where(cls.correction_id.in_(correction_ids), cls._still_holds(now))
            .execution_options(populate_existing=True)
        )
        return {one.correction_id: one for one in session.scalars(found)}

    @classmethod
    def is_in_hand(cls, now: datetime, by: int | None = None) -> ColumnElement[bool]:
        """For a query over requests: whether somebody, or one admin, has the request in hand now."""
        of_request = exists().where(cls.correction_id == EmailCorrection.id, cls._still_holds(now))
        if by is not None:
            of_request = of_request.where(cls.taken_by_id == by)
        return of_request.correlate(EmailCorrection)

    @classmethod
    def take(cls, session: Session, correction_id: int, admin_id: int, now: datetime) -> None:
        """From now on this admin has the request in hand. Its row is locked."""
        session.merge(cls(correction_id=correction_id, taken_by_id=admin_id, taken_at=now))
        session.flush()

    @classmethod
    def give_back(cls, session: Session, correction_id: int) -> None:
        session.execute(delete(cls).where(cls.correction_id == correction_id))

    @classmethod
    def _still_holds(cls, now: datetime) -> ColumnElement[bool]:
        """Taken lately, by an admin who may still decide about the request."""
        covers = or_(
            AdminMandate.instansi_id.is_(None), AdminMandate.instansi_id == EmailCorrection.instansi_id
        )
        is_in_office = exists().where(
            AdminMandate.user_id == cls.taken_by_id, AdminMandate.holds_on(today_in_jakarta(now)), covers
        )
        may_enter = exists().where(User.id == cls.taken_by_id, User.activation.in_(MAY_ENTER))
        return (
            (cls.taken_at > now - TAKEN_FOR)
            & is_in_office.correlate(cls, EmailCorrection)
            & may_enter.correlate(cls)
        )
