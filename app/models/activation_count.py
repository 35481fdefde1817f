from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime


class ActivationDay(Base):
    """How many people of one instansi stood where at the end of one day in Jakarta. The worker counts today's
    row again and again, so that no page has to count everything. An instansi without people has its row
    too."""

    __tablename__ = "activation_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    instansi_id: Mapped[int] = mapped_column(ForeignKey("instansi.id"), primary_key=True)
    not_activated: Mapped[int]
    waiting_approval: Mapped[int]
    active: Mapped[int]
    deactivated: Mapped[int]
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ActivationUnit(Base):
    """The same for one work unit, as last counted."""

    __tablename__ = "activation_unit"

    instansi_id: Mapped[int] = mapped_column(ForeignKey("instansi.id"), primary_key=True)
    work_unit: Mapped[str] = mapped_column(String(200), primary_key=True)
    not_activated: Mapped[int]
    waiting_approval: Mapped[int]
    active: Mapped[int]
    deactivated: Mapped[int]
