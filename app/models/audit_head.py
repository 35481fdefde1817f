from sqlalchemy import BigInteger, CheckConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base


class AuditHead(Base):
    """The one row that says where the sealed trail ends. A process that seals locks this row first, so there
    is only one chain."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seal_no: Mapped[int] = mapped_column(BigInteger)
    seal: Mapped[str] = mapped_column(String(64))
    # A keyed hash over all the other columns: nobody without the key can move the end back
    mark: Mapped[str] = mapped_column(String(64))
    # The latest moment of a sealed row, or the moment when the trail began. It is a text, because a value
    # that somebody else put there must be readable too.
    newest_at: Mapped[str | None] = mapped_column(String(32))
    # While all rows are sealed anew: how far that has come, and the seal of that row, new and old. Otherwise
    # NULL.
    resealed_no: Mapped[int | None] = mapped_column(BigInteger)
    resealed_seal: Mapped[str | None] = mapped_column(String(64))
    replaced_seal: Mapped[str | None] = mapped_column(String(64))

    @classmethod
    def now(cls, session: Session, *, lock: bool = False) -> "AuditHead | None":
        """The head as now stored. With `lock`, nobody else seals until the transaction ends."""
        return session.scalars(_LOCKED_HEAD if lock else _HEAD).one_or_none()


_HEAD = select(AuditHead).where(AuditHead.id == 1).execution_options(populate_existing=True)
_LOCKED_HEAD = _HEAD.with_for_update()
