from datetime import date

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, and_, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base, upsert
from app.models.pdm_window import NATIONAL

LONGEST_TITLE = 60


class CampaignDay(Base):
    """A day on which an instansi, or pusat for all, called on its people to activate their accounts. The
    overview marks it, so that one sees what the call did."""

    __tablename__ = "campaign_day"
    __table_args__ = (
        CheckConstraint("scope = coalesce(instansi_id, 0)", name="scope_is_instansi"),
        Index("ix_campaign_day_instansi_id", "instansi_id"),
    )

    # The id of the instansi; 0 means all, because a key cannot hold NULL
    scope: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)  # in Jakarta
    instansi_id: Mapped[int | None] = mapped_column(ForeignKey("instansi.id"))
    title: Mapped[str] = mapped_column(String(LONGEST_TITLE))

    @classmethod
    def noted(
        cls, session: Session, instansi_id: int | None, since: date, until: date
    ) -> "list[CampaignDay]":
        """Those between two days that the instansi has noted itself, or pusat for None; the newest first."""
        found = select(cls).where(cls.scope == (instansi_id or NATIONAL), cls.day.between(since, until))
        return list(session.scalars(found.order_by(cls.day.desc())))

    @classmethod
    def shown_to(
        cls, session: Session, instansi_id: int | None, since: date, until: date
    ) -> "list[CampaignDay]":
        """Those between two days that concern the instansi: its own, and those of pusat. For None: only those
        of pusat. The oldest first."""
        scopes = {NATIONAL, instansi_id or NATIONAL}
        found = select(cls).where(cls.scope.in_(sorted(scopes)), cls.day.between(since, until))
        return list(session.scalars(found.order_by(cls.day, cls.scope)))

    @classmethod
    def lock_year(cls, session: Session, instansi_id: int | None, day: date) -> None:
        """Lock what is noted in the same year until the transaction ends. Who counts afterwards sees what
        others have noted meanwhile."""
        noted = select(cls.day).where(cls._is_in_year(instansi_id, day))
        session.execute(noted.order_by(cls.day).with_for_update())

    @classmethod
    def others_in_year(cls, session: Session, instansi_id: int | None, day: date) -> int:
        """How many other days of the same year are noted."""
        found = select(func.count()).where(cls._is_in_year(instansi_id, day), cls.day != day)
        return session.scalar(found) or 0

    @classmethod
    def _is_in_year(cls, instansi_id: int | None, day: date) -> ColumnElement[bool]:
        in_year = cls.day.between(date(day.year, 1, 1), date(day.year, 12, 31))
        return and_(cls.scope == (instansi_id or NATIONAL), in_year)

    @classmethod
    def write(cls, session: Session, instansi_id: int | None, day: date, title: str) -> None:
        """Note the day. Who notes it again changes its title; this is safe while others do the same."""
        first = upsert(session, cls).values(
            scope=instansi_id or NATIONAL, instansi_id=instansi_id, day=day, title=title
        )
        session.execute(
            first.on_conflict_do_update(index_elements=[cls.scope, cls.day], set_={"title": title})
        )

    @classmethod
    def drop(cls, session: Session, instansi_id: int | None, day: date) -> str | None:
        """Forget the day. Returns its title; None if it was not noted."""
        its = delete(cls).where(cls.scope == (instansi_id or NATIONAL), cls.day == day)
        return session.scalar(its.returning(cls.title))
