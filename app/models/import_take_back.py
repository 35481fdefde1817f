from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.labelled import Labelled
from app.models.base import Base, BigId, UtcDateTime, text_enum
from app.models.import_batch import ImportBatch
from app.models.user import User


class TakeBackState(Labelled):
    """How far the taking back of a batch has come."""

    ASKED = "menunggu", "menunggu"  # waits for the worker
    RUNNING = "berjalan", "berjalan"
    DONE = "selesai", "selesai"
    STOPPED = "dihentikan", "dihentikan"  # by itself; what it had done until then stays

    @property
    def is_under_way(self) -> bool:
        return self in (TakeBackState.ASKED, TakeBackState.RUNNING)


class ImportTakeBack(Base):
    """What a batch has written is made undone: who asked for it and why, and how far the worker has come.
    Possible once for each batch."""

    __tablename__ = "import_take_back"
    __table_args__ = (Index("ix_import_take_back_state", "state", "batch_id"),)

    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"), primary_key=True)
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(300))  # as typed; the people concerned read it
    state: Mapped[TakeBackState] = mapped_column(
        text_enum(TakeBackState, "take_back_state"), default=TakeBackState.ASKED
    )
    leased_until: Mapped[datetime | None] = mapped_column("held_until", UtcDateTime)  # as of a batch
    down_to: Mapped[int | None]  # of the file: this line and all behind it are taken back and counted
    result: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)  # lines: put_back, removed, left
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str | None] = mapped_column(String(500))  # why it was stopped

    batch: Mapped[ImportBatch] = relationship(lazy="joined")
    asked_by: Mapped[User] = relationship(foreign_keys=[asked_by_id])


class ImportLeft(Base):
    """What a batch has written and what was not taken back: the line number in the file, the columns, and
    why."""

    __tablename__ = "import_left"
    __table_args__ = (Index("ix_import_left_batch_id", "batch_id", "line"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"))
    line: Mapped[int]
    # Empty for a person out of the admin's reach; the line number says which row it is
    nip: Mapped[str] = mapped_column(String(18))
    # Comma separated; columns of the record, not of the file
    columns: Mapped[str] = mapped_column(String(200))
    sentences: Mapped[str] = mapped_column(String(2000))
