from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base, upsert


class MandateReminder(Base):
    """The holder of a mandate was told how soon it ends. There is one row for each last day and each
    distance from it, so nobody is told twice; a mandate with another last day begins anew."""

    __tablename__ = "mandate_reminder"

    mandate_id: Mapped[int] = mapped_column(ForeignKey("admin_mandate.id"), primary_key=True)
    ends_on: Mapped[date] = mapped_column(primary_key=True)
    days_before: Mapped[int] = mapped_column(primary_key=True)

    @classmethod
    def note(cls, session: Session, mandate_id: int, ends_on: date, days_before: int) -> bool:
        """True for the one who writes the row, and so the letters. Others get False."""
        values = {"mandate_id": mandate_id, "ends_on": ends_on, "days_before": days_before}
        first = upsert(session, cls).values(values).on_conflict_do_nothing()
        return session.scalar(first.returning(cls.mandate_id)) is not None
