from datetime import date, datetime

from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base, UtcDateTime, upsert


class PusatDigest(Base):
    """The digest of one day. Its letters were posted in the transaction that wrote the row, so each admin of
    pusat gets one a day, however many workers there are."""

    __tablename__ = "pusat_digest"

    day: Mapped[date] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @classmethod
    def begin(cls, session: Session, day: date, now: datetime) -> bool:
        """True for the one who writes this day's digest. Others wait here for its end, and get False."""
        first = upsert(session, cls).values(day=day, made_at=now).on_conflict_do_nothing()
        return session.scalar(first.returning(cls.day)) is not None
