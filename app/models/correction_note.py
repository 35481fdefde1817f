from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.models.base import Base, BigId, UtcDateTime
from app.models.user import User


class CorrectionNote(Base):
    """What one admin has written down about a correction for the colleagues at the desk. The person whom it
    is about never reads it, and no letter has it."""

    __tablename__ = "correction_note"
    __table_args__ = (
        Index("ix_correction_note_correction_id", "correction_id", "id"),
        Index("ix_correction_note_written_by_id", "written_by_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    correction_id: Mapped[int] = mapped_column(ForeignKey("email_correction.id", ondelete="CASCADE"))
    written_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)
    words: Mapped[str] = mapped_column(String(500))

    written_by: Mapped[User] = relationship(lazy="joined")

    @classmethod
    def of(cls, session: Session, correction_id: int) -> "list[CorrectionNote]":
        """The notes about a request, the oldest first."""
        found = select(cls).where(cls.correction_id == correction_id).order_by(cls.id)
        return list(session.scalars(found))

    @classmethod
    def counts(cls, session: Session, correction_ids: list[int]) -> dict[int, int]:
        """How many notes each of these requests has. One without a note is left out."""
        found = (
            select(cls.correction_id, func.count())
            .where(cls.correction_id.in_(correction_ids))
            .group_by(cls.correction_id)
        )
        return {one: count for one, count in session.execute(found)}  # noqa: C416  # rows are no pairs to mypy
