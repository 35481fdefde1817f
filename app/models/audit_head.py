from sqlalchemy import BigInteger, CheckConstraint, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base


class AuditHead(Base):
    """The one row that says where the sealed trail ends. Whoever seals locks it first, so there is one chain only."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seal_no: Mapped[int] = mapped_column(BigInteger)
    seal: Mapped[str] = mapped_column(String(64))
    mark: Mapped[str] = mapped_column(String(64))  # over the two above: nobody without the key moves the end back

    @classmethod
    def now(cls, session: Session, lock: bool = False) -> "AuditHead | None":
        """As now stored; with `lock`, nobody else seals until the transaction ends."""
        found = select(cls).where(cls.id == 1).execution_options(populate_existing=True)
        return session.scalars(found.with_for_update() if lock else found).one_or_none()
