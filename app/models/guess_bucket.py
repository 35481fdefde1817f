from datetime import datetime

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime


class GuessBucket(Base):
    """How many wrong passwords are not yet forgotten under one key: a keyed hash of the limit's name and a
    NIP.

    The number itself is not kept. It follows from `forgotten_at`: every try moves this moment on by the time
    for which one try is remembered.
    """

    __tablename__ = "guess_bucket"
    __table_args__ = (Index("ix_guess_bucket_last_at", "last_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    # The moment when all of its tries are forgotten, in microseconds since 1970, because the database itself
    # calculates with it.
    forgotten_at: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the last try that was not refused
    # The try before it, in case the last one is taken back
    previous_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_try: Mapped[str] = mapped_column(String(32))  # the random mark of the last try
