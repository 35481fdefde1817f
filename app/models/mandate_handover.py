from datetime import date

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

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
    mandate: Mapped[AdminMandate] = relationship(foreign_keys=[mandate_id], lazy="joined")
