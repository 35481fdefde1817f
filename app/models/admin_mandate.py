from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, and_, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from app.models.base import Base, UtcDateTime, text_enum
from app.models.instansi import Instansi
from app.models.user import User


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
        Index("ix_admin_mandate_instansi_id", "instansi_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    role: Mapped[Role] = mapped_column(text_enum(Role, "role"))
    instansi_id: Mapped[int | None] = mapped_column(ForeignKey("instansi.id"))
    sk_number: Mapped[str] = mapped_column(String(100))
    starts_on: Mapped[date]
    ends_on: Mapped[date]  # the last day on which it holds
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))  # NULL: at the command line

    user: Mapped[User] = relationship(lazy="joined", foreign_keys=[user_id])
    granted_by: Mapped[User | None] = relationship(foreign_keys=[granted_by_id])
    instansi: Mapped[Instansi | None] = relationship(lazy="joined")

    @classmethod
    def holds_for(cls, session: Session, user_id: int, today: date) -> bool:
        """Whether the person is an admin of any kind today."""
        return session.scalar(select(cls.id).where(cls.user_id == user_id, cls.holds_on(today)).limit(1)) is not None

    @classmethod
    def held_by(cls, session: Session, user_id: int, today: date) -> "list[AdminMandate]":
        """The person's mandates that hold today."""
        return list(session.scalars(select(cls).where(cls.user_id == user_id, cls.holds_on(today))))

    @classmethod
    def holds_on(cls, today: date) -> ColumnElement[bool]:
        return and_(cls.starts_on <= today, cls.ends_on >= today, cls.revoked_at.is_(None))

    @classmethod
    def is_of_pusat(cls, session: Session, user_id: int, today: date) -> bool:
        """Whether the person is an admin of the centre today, wherever he sits."""
        held = select(cls.id).where(cls.user_id == user_id, cls.role == Role.ADMIN_PUSAT, cls.holds_on(today)).limit(1)
        return session.scalar(held) is not None

    @classmethod
    def people_of_pusat(cls, session: Session, today: date) -> list[User]:
        """Everybody who answers for the centre today, each once."""
        holders = select(cls.user_id).where(cls.role == Role.ADMIN_PUSAT, cls.holds_on(today))
        return list(session.scalars(select(User).where(User.id.in_(holders)).order_by(User.id)))

    @classmethod
    def held_over(cls, session: Session, user_id: int, instansi_id: int | None, today: date) -> "list[AdminMandate]":
        """What the person holds today over this instansi, or over all for None."""
        return [mandate for mandate in cls.held_by(session, user_id, today) if mandate.instansi_id == instansi_id]

    @classmethod
    def listed(
        cls, session: Session, reach: ColumnElement[bool], today: date | None, before: int | None, most: int | None
    ) -> "list[AdminMandate]":
        """The newest first, from the one `before`; only those that hold on `today`, where it is given."""
        statement = select(cls).where(reach).options(joinedload(cls.granted_by))
        if today is not None:
            statement = statement.where(cls.holds_on(today))
        if before is not None:
            statement = statement.where(cls.id < before)
        return list(session.scalars(statement.order_by(cls.id.desc()).limit(most)))

    @property
    def scope(self) -> str:
        """Over what, in words."""
        return self.instansi.name if self.instansi else "Pusat (semua instansi)"

    def is_in_force(self, today: date) -> bool:
        return self.starts_on <= today <= self.ends_on and self.revoked_at is None

    def days_left(self, today: date) -> int:
        return (self.ends_on - today).days

    def revoke(self, now: datetime) -> None:
        self.revoked_at = now
