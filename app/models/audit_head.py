from sqlalchemy import BigInteger, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class AuditHead(Base):
    """The one row that says where the sealed trail ends. Whoever seals locks it first, so there is one chain only."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seal_no: Mapped[int] = mapped_column(BigInteger)
    seal: Mapped[str] = mapped_column(String(64))
