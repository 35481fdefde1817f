from datetime import date, timedelta

from sqlalchemy import ForeignKey, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.admin_mandate import AdminMandate
from app.models.base import Base, upsert


class MandateReminder(Base):
    """The holder of a mandate was told how soon it ends. There is one row for each last day and each
    distance from it, so nobody is told twice; a mandate with another last day begins anew."""

    __tablename__ = "mandate_reminder"

    mandate_id: Mapped[int] = mapped_column(ForeignKey("admin_mandate.id"), primary_key=True)
    ends_on: Mapped[date] = mapped_column(primary_key=True)
    days_before: Mapped[int] = mapped_column(primary_key=True)

    @classmethod
    def due(
        cls, session: Session, days_before: int, not_before: int, today: date, most: int
    ) -> list[AdminMandate]:
        """Mandates that end within so many days, but not within `not_before`, and whose holders were not told
        so yet. In the order in which people are locked."""
        is_told = exists().where(
            cls.mandate_id == AdminMandate.id,
            cls.ends_on == AdminMandate.ends_on,
            cls.days_before == days_before,
        )
        ends_soon = AdminMandate.ends_on.between(
            today + timedelta(days=not_before), today + timedelta(days=days_before)
        )
        found = select(AdminMandate).where(AdminMandate.holds_on(today), ends_soon, ~is_told)
        return list(session.scalars(found.order_by(AdminMandate.user_id, AdminMandate.id).limit(most)))

    @classmethod
    def note(cls, session: Session, mandate_id: int, ends_on: date, days_before: int) -> bool:
        """True for the one who writes the row, and so the letters. Others get False."""
        values = {"mandate_id": mandate_id, "ends_on": ends_on, "days_before": days_before}
        first = upsert(session, cls).values(values).on_conflict_do_nothing()
        return session.scalar(first.returning(cls.mandate_id)) is not None
