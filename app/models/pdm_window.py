from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base


class PdmWindow(Base):
    """When the Pemutakhiran Data Mandiri is open: for the whole country, or for one instansi, which overrides the country's."""

    __tablename__ = "pdm_window"
    __table_args__ = (
        CheckConstraint("opens_on <= closes_on", name="closes_after_opening"),
        Index("uq_pdm_window_instansi_id", "instansi_id", unique=True),
        Index(
            "uq_pdm_window_national", text("(1)"), unique=True,
            sqlite_where=text("instansi_id IS NULL"), postgresql_where=text("instansi_id IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    instansi_id: Mapped[int | None] = mapped_column(ForeignKey("instansi.id"))
    opens_on: Mapped[date]  # both days in Jakarta, both included
    closes_on: Mapped[date]

    @classmethod
    def of(cls, session: Session, instansi_id: int | None) -> "PdmWindow | None":
        """The row kept for exactly this instansi, or the national one for None."""
        return session.scalars(select(cls).where(cls.instansi_id.is_not_distinct_from(instansi_id))).one_or_none()

    @classmethod
    def in_force_for(cls, session: Session, instansi_id: int) -> "PdmWindow | None":
        """The instansi's own window where there is one, else the national one."""
        found = select(cls).where(or_(cls.instansi_id == instansi_id, cls.instansi_id.is_(None)))
        return min(session.scalars(found), key=lambda window: window.instansi_id is None, default=None)
