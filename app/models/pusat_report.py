from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, String, delete, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.domain.pusat_reports import ReportKind
from app.models.base import Base, BigId, PartialIndex, UtcDateTime, text_enum

_TO_TELL = text("told_on IS NULL AND NOT is_at_once")
LONGEST_SUBJECT = 500


@dataclass(frozen=True)
class Sum:
    """What the reports about one subject come to."""

    kind: ReportKind
    subject: str
    times: int
    how_many: int
    first_at: datetime


class PusatReport(Base):
    """One thing that pusat is told of: by a mail at once, or in the digest of the next morning. `subject` are
    the words of a line: who did it, or what will be. They hold no NIP."""

    __tablename__ = "pusat_report"
    __table_args__ = (
        PartialIndex("ix_pusat_report_to_tell", "at", only=_TO_TELL),
        Index("ix_pusat_report_actor_id", "actor_id", "kind", "at"),
        Index("ix_pusat_report_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[ReportKind] = mapped_column(text_enum(ReportKind, "report_kind", closed=False))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    # NULL: the time has come, and nobody acted
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    subject: Mapped[str] = mapped_column(String(LONGEST_SUBJECT))
    how_many: Mapped[int]
    is_at_once: Mapped[bool]
    told_on: Mapped[date | None]  # the day of the digest that has told it

    @classmethod
    def mailed_at(cls, session: Session, actor_id: int, kind: ReportKind, since: datetime) -> list[datetime]:
        """When mails about this admin and this kind were posted, the newest first."""
        mailed = select(cls.at).where(*cls._of(actor_id, kind), cls.at > since, cls.is_at_once)
        return list(session.scalars(mailed.order_by(cls.at.desc())))

    @classmethod
    def sum_of(cls, session: Session, actor_id: int, kind: ReportKind, since: datetime) -> int:
        """How many people or rows the reports of this admin and kind come to that no mail has told."""
        counted = select(func.sum(cls.how_many)).where(*cls._of(actor_id, kind), cls.at > since)
        return session.scalar(counted.where(cls.is_at_once.is_(False))) or 0

    @classmethod
    def is_any_to_tell(cls, session: Session, before: datetime) -> bool:
        return session.scalar(select(cls.id).where(_TO_TELL, cls.at < before).limit(1)) is not None

    @classmethod
    def tell(cls, session: Session, before: datetime, on: date) -> list[Sum]:
        """Mark what waits for a digest as told on this day. Returns it in the order of the digest: one sum
        for each kind and subject, the largest of a kind first."""
        told = update(cls).where(_TO_TELL, cls.at < before).values(told_on=on)
        of_each = told.returning(cls.kind, cls.subject, cls.how_many, cls.at)
        found = defaultdict[tuple[ReportKind, str], list[tuple[int, datetime]]](list)
        for kind, subject, how_many, at in session.execute(
            of_each.execution_options(synchronize_session=False)
        ):
            found[kind, subject].append((how_many, at))
        sums = [
            Sum(*about, len(parts), sum(count for count, _ in parts), min(at for _, at in parts))
            for about, parts in found.items()
        ]
        order = list(ReportKind)
        return sorted(sums, key=lambda one: (order.index(one.kind), -one.how_many, one.subject))

    @classmethod
    def forget(cls, session: Session, before: datetime, most: int) -> int:
        """Remove old ones that pusat has been told of. One that nobody could be told of yet stays."""
        is_told = or_(cls.told_on.is_not(None), cls.is_at_once)
        old = select(cls.id).where(cls.at < before, is_told).order_by(cls.at).limit(most)
        gone = delete(cls).where(cls.id.in_(old)).execution_options(synchronize_session=False)
        return len(session.execute(gone.returning(cls.id)).all())

    @classmethod
    def _of(cls, actor_id: int, kind: ReportKind) -> tuple[ColumnElement[bool], ...]:
        return (cls.actor_id == actor_id, cls.kind == kind)
