from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import (
    BindParameter,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    and_,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from app.domain.identity import LOOKS_BACK
from app.domain.labelled import Labelled
from app.models.base import Base, UtcDateTime, text_enum
from app.models.instansi import Instansi
from app.models.user import User


class Role(Labelled):
    ADMIN_INSTANSI = "admin_instansi", "admin instansi"
    ADMIN_PUSAT = "admin_pusat", "admin pusat"


class AdminMandate(Base):
    """A person's right over one instansi, or over all, by a letter of appointment (SK). It ends by itself."""

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
    # NULL: granted at the command line
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # The second admin, if any
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # One admin has granted it, and a second one has not yet confirmed it: it does not hold
    awaits_second: Mapped[bool] = mapped_column(default=False)

    user: Mapped[User] = relationship(lazy="joined", foreign_keys=[user_id])
    granted_by: Mapped[User | None] = relationship(foreign_keys=[granted_by_id])
    instansi: Mapped[Instansi | None] = relationship(lazy="joined")

    @classmethod
    def holds_for(cls, session: Session, user_id: int, today: date) -> bool:
        """Whether the person is an admin of any kind today."""
        return (
            session.scalar(select(cls.id).where(cls.user_id == user_id, cls.holds_on(today)).limit(1))
            is not None
        )

    @classmethod
    def holders_among(cls, session: Session, user_ids: Collection[int], today: date) -> frozenset[int]:
        """The ones among these people who are admins of any kind today."""
        held = select(cls.user_id).where(cls.user_id.in_(user_ids), cls.holds_on(today))
        return frozenset(session.scalars(held))

    @classmethod
    def held_by(cls, session: Session, user_id: int, today: date) -> "list[AdminMandate]":
        """The person's mandates that hold today."""
        return list(session.scalars(select(cls).where(cls.user_id == user_id, cls.holds_on(today))))

    @classmethod
    def holds_on(cls, today: date | BindParameter[date]) -> ColumnElement[bool]:
        return and_(
            cls.starts_on <= today,
            cls.ends_on >= today,
            cls.revoked_at.is_(None),
            cls.awaits_second.is_(False),
        )

    @classmethod
    def ends_without_another(cls, today: date, until: date) -> ColumnElement[bool]:
        """The condition that the mandate ends in these days, and that the person has none over the same that
        goes on."""
        other = aliased(cls)
        goes_on = (
            select(other.id)
            .where(
                other.user_id == cls.user_id,
                other.instansi_id.is_not_distinct_from(cls.instansi_id),
                other.ends_on > until,
                other.revoked_at.is_(None),
                other.awaits_second.is_(False),
            )
            .correlate(cls)
        )
        return and_(cls.holds_on(today), cls.ends_on <= until, ~goes_on.exists())

    @classmethod
    def held_lately(cls, session: Session, user_ids: Collection[int], today: date) -> frozenset[int]:
        """The ones among these people who are admins of any kind today, or were within the last 30 days."""
        if not user_ids:
            return frozenset()
        since = today - LOOKS_BACK
        did_hold = and_(
            cls.starts_on <= today,
            cls.ends_on >= since,
            or_(cls.revoked_at.is_(None), cls.revoked_at >= datetime.combine(since, time.min, UTC)),
            cls.awaits_second.is_(False),
        )
        return frozenset(session.scalars(select(cls.user_id).where(cls.user_id.in_(user_ids), did_hold)))

    @classmethod
    def appointed_lately_by(cls, session: Session, user_id: int, today: date) -> frozenset[int]:
        """The admins who made this person an admin within the last 30 days. A new SK for a mandate that the
        person already had does not count."""
        since = today - LOOKS_BACK
        mandates = list(
            session.scalars(select(cls).where(cls.user_id == user_id, cls.awaits_second.is_(False)))
        )
        fresh = [
            one
            for one in mandates
            if one.starts_on >= since and not any(old.leads_to(one, since) for old in mandates)
        ]
        return frozenset(
            by for one in fresh for by in (one.granted_by_id, one.confirmed_by_id) if by is not None
        )

    @classmethod
    def is_of_pusat(cls, session: Session, user_id: int, today: date) -> bool:
        """Whether the person is an admin of pusat today, in whichever instansi they work."""
        held = (
            select(cls.id)
            .where(cls.user_id == user_id, cls.role == Role.ADMIN_PUSAT, cls.holds_on(today))
            .limit(1)
        )
        return session.scalar(held) is not None

    @classmethod
    def people_of_pusat(cls, session: Session, today: date) -> list[User]:
        """All admins of pusat today, each once."""
        holders = select(cls.user_id).where(cls.role == Role.ADMIN_PUSAT, cls.holds_on(today))
        return list(session.scalars(select(User).where(User.id.in_(holders)).order_by(User.id)))

    @classmethod
    def people_of_desks(cls, session: Session, instansi_ids: Collection[int], today: date) -> list[User]:
        """The admins of these instansi and of pusat today, each once."""
        of_desk = or_(cls.instansi_id.in_(instansi_ids), cls.role == Role.ADMIN_PUSAT)
        holders = select(cls.user_id).where(of_desk, cls.holds_on(today))
        return list(session.scalars(select(User).where(User.id.in_(holders)).order_by(User.id)))

    @classmethod
    def people_over(cls, session: Session, instansi_id: int | None, today: date) -> list[User]:
        """The admins of this instansi alone today, each once."""
        holders = select(cls.user_id).where(cls.instansi_id == instansi_id, cls.holds_on(today))
        return list(session.scalars(select(User).where(User.id.in_(holders)).order_by(User.id)))

    @classmethod
    def held_over(
        cls, session: Session, user_id: int, instansi_id: int | None, today: date
    ) -> "list[AdminMandate]":
        """The mandates that the person holds today over this instansi; None means over all."""
        return [
            mandate for mandate in cls.held_by(session, user_id, today) if mandate.instansi_id == instansi_id
        ]

    @classmethod
    def listed(cls, session: Session, reach: ColumnElement[bool], today: date) -> "list[AdminMandate]":
        """All that hold today, the newest first."""
        held = select(cls).where(reach, cls.holds_on(today))
        return list(session.scalars(held.order_by(cls.id.desc())))

    @property
    def scope(self) -> str:
        """What the mandate covers, in words."""
        return self.instansi.name if self.instansi else "Pusat (semua instansi)"

    def is_in_force(self, today: date) -> bool:
        return self.starts_on <= today <= self.ends_on and self.revoked_at is None and not self.awaits_second

    def leads_to(self, newer: "AdminMandate", since: date) -> bool:
        """Whether `newer` only prolongs this one, which is older than `since`."""
        held_until = min(self.ends_on, self.revoked_at.date()) if self.revoked_at else self.ends_on
        return (
            self.instansi_id == newer.instansi_id
            and self.starts_on < since
            and held_until >= newer.starts_on - timedelta(days=1)
        )

    @classmethod
    def goes_on_after(cls, session: Session, mandate: "AdminMandate", today: date, *, by_same: bool) -> bool:
        """Whether the same person, or another one, holds a mandate over the same that ends later."""
        same_scope = (
            cls.instansi_id == mandate.instansi_id
            if mandate.instansi_id is not None
            else cls.role == Role.ADMIN_PUSAT
        )
        whose = cls.user_id == mandate.user_id if by_same else cls.user_id != mandate.user_id
        later = select(cls.id).where(same_scope, whose, cls.holds_on(today), cls.ends_on > mandate.ends_on)
        return session.scalar(later.limit(1)) is not None

    def days_left(self, today: date) -> int:
        return (self.ends_on - today).days

    def revoke(self, now: datetime) -> None:
        self.revoked_at = now

    def shorten(self, last_day: date) -> None:
        self.ends_on = last_day
