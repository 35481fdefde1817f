from datetime import datetime

from sqlalchemy import ForeignKey, Index, bindparam, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base, BigId, UtcDateTime, table_of


class CpnsWait(Base):
    """How long one CPNS has waited until an admin of the instansi decided. The row does not say whom it was
    about."""

    __tablename__ = "cpns_wait"
    __table_args__ = (Index("ix_cpns_wait_instansi_id", "instansi_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    instansi_id: Mapped[int] = mapped_column(ForeignKey("instansi.id"))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    hours: Mapped[int]

    @classmethod
    def note(cls, session: Session, instansi_id: int, at: datetime, hours: int, kept_since: datetime) -> None:
        """Add a wait, and remove those of this instansi that are older than anybody looks."""
        session.add(cls(instansi_id=instansi_id, decided_at=at, hours=hours))
        old = delete(cls).where(cls.instansi_id == instansi_id, cls.decided_at < kept_since)
        session.execute(old.execution_options(synchronize_session=False))

    @classmethod
    def last_of(cls, session: Session, instansi_id: int, since: datetime, most: int) -> list[int]:
        """The hours of the last decisions of an instansi."""
        return list(session.scalars(_LAST, {"instansi": instansi_id, "since": since, "most": most}))


_WAITS = table_of(CpnsWait).c
_LAST = (
    select(_WAITS.hours)
    .where(
        _WAITS.instansi_id == bindparam("instansi"),
        _WAITS.decided_at > bindparam("since", type_=UtcDateTime),
    )
    .order_by(_WAITS.id.desc())
    .limit(bindparam("most"))
)
