from datetime import date

from sqlalchemy import ColumnElement, ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from app.models.admin_mandate import AdminMandate
from app.models.base import Base


class MandateHandover(Base):
    """One mandate takes the place of another one, from the moment at which it takes effect."""

    __tablename__ = "mandate_handover"
    __table_args__ = (Index("ix_mandate_handover_former_id", "former_id"),)

    # The mandate of the successor
    mandate_id: Mapped[int] = mapped_column(ForeignKey("admin_mandate.id"), primary_key=True)
    former_id: Mapped[int] = mapped_column(ForeignKey("admin_mandate.id"))
    former_until: Mapped[date | None]  # the last day of the former one; NULL: it ends at that moment
    asked_on: Mapped[date]

    former: Mapped[AdminMandate] = relationship(foreign_keys=[former_id], lazy="joined")
    mandate: Mapped[AdminMandate] = relationship(foreign_keys=[mandate_id])

    @classmethod
    def to(cls, session: Session, mandate_id: int | None) -> "MandateHandover | None":
        """What the successor's mandate takes over from; None if it takes no other one's place."""
        return session.get(cls, mandate_id) if mandate_id is not None else None

    @classmethod
    def all_from(cls, session: Session, former_id: int) -> "list[MandateHandover]":
        return list(session.scalars(select(cls).where(cls.former_id == former_id)))

    @classmethod
    def waiting_from(cls, session: Session, former: AdminMandate) -> "list[MandateHandover]":
        """Those that a second admin has not answered yet, whichever SK they were asked under: who holds the
        mandate may have got a new SK for it since."""
        waits = (AdminMandate.awaits_second.is_(True), AdminMandate.revoked_at.is_(None))
        return list(session.scalars(select(cls).join(cls.mandate).where(cls._is_from(former), *waits)))

    @classmethod
    def count_from(cls, session: Session, former: AdminMandate, on: date) -> int:
        """How many were asked for on this day, whichever SK they were asked under."""
        asked = select(func.count()).select_from(cls).where(cls._is_from(former), cls.asked_on == on)
        return session.scalar(asked) or 0

    @classmethod
    def _is_from(cls, former: AdminMandate) -> ColumnElement[bool]:
        """The condition that the same person was to hand over the same scope."""
        same = aliased(AdminMandate)
        held = select(same.id).where(
            same.user_id == former.user_id, same.instansi_id.is_not_distinct_from(former.instansi_id)
        )
        return cls.former_id.in_(held)

    @classmethod
    def is_done_from(cls, session: Session, former_id: int) -> bool:
        """Whether somebody has taken over from this mandate."""
        done = (AdminMandate.awaits_second.is_(False), AdminMandate.revoked_at.is_(None))
        of_it = select(cls.mandate_id).join(cls.mandate).where(cls.former_id == former_id, *done)
        return session.scalar(of_it.limit(1)) is not None
