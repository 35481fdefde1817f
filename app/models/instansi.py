from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base


class Instansi(Base):
    """A ministry, agency, province, regency or city that employs people and answers for their accounts."""

    __tablename__ = "instansi"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    helpdesk_contact: Mapped[str] = mapped_column(String(300))

    @classmethod
    def with_code(cls, session: Session, code: str) -> "Instansi | None":
        return session.scalars(select(cls).where(cls.code == code)).one_or_none()

    @classmethod
    def all(cls, session: Session) -> "list[Instansi]":
        """By name."""
        return list(session.scalars(select(cls).order_by(cls.name)))
