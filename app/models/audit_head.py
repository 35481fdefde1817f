from sqlalchemy import BigInteger, CheckConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base


class AuditHead(Base):
    """The one row that says where the sealed trail ends. Whoever seals locks it first, so there is one chain
    only."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seal_no: Mapped[int] = mapped_column(BigInteger)
    seal: Mapped[str] = mapped_column(String(64))
    # Over all the others: nobody without the key moves the end back
    mark: Mapped[str] = mapped_column(String(64))
    # The latest moment of a sealed row, or when the trail began; a text, for what somebody else put there
    # must be read too.
    newest_at: Mapped[str | None] = mapped_column(String(32))
    # While all rows are sealed anew: how far that is, and the seal of that row now and before. NULL when it
    # is not under way.
    resealed_no: Mapped[int | None] = mapped_column(BigInteger)
    resealed_seal: Mapped[str | None] = mapped_column(String(64))
    replaced_seal: Mapped[str | None] = mapped_column(String(64))

    @classmethod
    def now(cls, session: Session, *, lock: bool = False) -> "AuditHead | None":
        """As now stored; with `lock`, nobody else seals until the transaction ends."""
        found = select(cls).where(cls.id == 1).execution_options(populate_existing=True)
        return session.scalars(found.with_for_update() if lock else found).one_or_none()
