from datetime import date

from sqlalchemy import ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

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
    def waiting_from(cls, session: Session, former_id: int) -> "MandateHandover | None":
        """The one that a second admin has not answered yet."""
        waits = (AdminMandate.awaits_second.is_(True), AdminMandate.revoked_at.is_(None))
        of_it = select(cls).join(cls.mandate).where(cls.former_id == former_id, *waits)
        return session.scalars(of_it.limit(1)).one_or_none()

    @classmethod
    def count_from(cls, session: Session, former_id: int, on: date) -> int:
        asked = select(func.count()).where(cls.former_id == former_id, cls.asked_on == on)
        return session.scalar(asked) or 0

    @classmethod
    def is_done_from(cls, session: Session, former_id: int) -> bool:
        """Whether somebody has taken over from this mandate."""
        done = (AdminMandate.awaits_second.is_(False), AdminMandate.revoked_at.is_(None))
        of_it = select(cls.mandate_id).join(cls.mandate).where(cls.former_id == former_id, *done)
        return session.scalar(of_it.limit(1)) is not None
