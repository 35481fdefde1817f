from datetime import datetime

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime


class GuessBucket(Base):
    """How many wrong passwords are not yet forgotten under one key: a keyed hash of the limit's name and a
    NIP.

    The number itself is not kept. It follows from `forgotten_at`, which every try moves on by the time that
    one try is remembered for.
    """

    __tablename__ = "guess_bucket"
    __table_args__ = (Index("ix_guess_bucket_last_at", "last_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    # When all of its tries are forgotten: microseconds since 1970, because the database itself calculates
    # with it.
    forgotten_at: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the last try that was let through
    # The one before it, in case the last is taken back
    previous_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_try: Mapped[str] = mapped_column(String(32))  # its random mark
