from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime


class ThrottleBucket(Base):
    """How often something was tried under one key: a keyed hash of the limit's name and what was typed."""

    __tablename__ = "throttle_bucket"
    __table_args__ = (Index("ix_throttle_bucket_last_at", "last_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)  # of the window
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the last try that was not refused
    last_try: Mapped[str] = mapped_column(String(32))  # the random mark of the last try
