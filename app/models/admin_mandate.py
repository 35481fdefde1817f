from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base, text_enum


class Role(StrEnum):
    ADMIN_INSTANSI = "admin_instansi"
    ADMIN_PUSAT = "admin_pusat"


class AdminMandate(Base):
    """A person's right over one instansi, or over all, by a letter of appointment (SK). It expires by itself."""

    __tablename__ = "admin_mandate"
    __table_args__ = (
        CheckConstraint("(role = 'admin_pusat') = (instansi_id IS NULL)", name="scope_fits_role"),
        CheckConstraint("starts_on <= ends_on", name="ends_after_start"),
        Index("ix_admin_mandate_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    role: Mapped[Role] = mapped_column(text_enum(Role, "role"))
    instansi_id: Mapped[int | None] = mapped_column(ForeignKey("instansi.id"))
    sk_number: Mapped[str] = mapped_column(String(100))
    starts_on: Mapped[date]
    ends_on: Mapped[date]  # the last day on which it holds

    @classmethod
    def holds_for(cls, session: Session, user_id: int, today: date) -> bool:
        """Whether the person is an admin of any kind today."""
        found = select(cls.id).where(cls.user_id == user_id, cls.starts_on <= today, cls.ends_on >= today).limit(1)
        return session.scalar(found) is not None
