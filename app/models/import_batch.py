from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.labelled import Labelled
from app.models.base import Base, BigId, UtcDateTime, text_enum
from app.models.user import User


class BatchState(Labelled):
    """How far a batch has come."""

    UPLOADED = "diunggah", "diunggah"  # waits for the worker's dry run
    CHECKING = "diperiksa", "diperiksa"  # the dry run is going on
    CHECKED = "siap", "menunggu keputusan"  # its report waits for the admin
    CONFIRMED = "dikonfirmasi", "dikonfirmasi"  # waits for the worker
    RUNNING = "berjalan", "berjalan"
    DONE = "selesai", "selesai"
    UNREADABLE = "tidak_terbaca", "tidak terbaca"
    CANCELLED = "dibatalkan", "dibatalkan"

    @property
    def is_under_way(self) -> bool:
        return self in (BatchState.UPLOADED, BatchState.CHECKING, BatchState.CONFIRMED, BatchState.RUNNING)


class ImportBatch(Base):
    """One file of staff that an admin handed over: who and when, what it would do (the dry run), and what it
    did."""

    __tablename__ = "import_batch"
    __table_args__ = (
        Index("ix_import_batch_state", "state", "id"),
        Index("ix_import_batch_uploaded_by_id", "uploaded_by_id", "id"),
        Index("ix_import_batch_instansi_id", "instansi_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # NULL: by pusat, for any instansi
    instansi_id: Mapped[int | None] = mapped_column(ForeignKey("instansi.id"))
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(300), default="")  # as typed; the people concerned read it
    file_name: Mapped[str] = mapped_column(String(200))
    file_size: Mapped[int]  # bytes
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[BatchState] = mapped_column(text_enum(BatchState, "batch_state"))
    # A worker has a lease on the batch, and renews it again and again
    leased_until: Mapped[datetime | None] = mapped_column("held_until", UtcDateTime)
    position: Mapped[int] = mapped_column(default=0)  # how far the current pass has come, out of `total`
    total: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)  # rows of the current pass whose outcome is counted
    dry_run: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)  # new, changed, unchanged, refused
    result: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    # Of the current pass: sentence -> the number of rows that were refused for it, then the first line
    # numbers.
    reasons: Mapped[dict[str, list[int]]] = mapped_column(JSON, default=dict)
    # Of the current pass: column -> the number of people for whom it changes
    column_counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    # The delimiter of the file; the list of refused rows uses the same
    delimiter: Mapped[str] = mapped_column(String(1), default=",")
    # Why the file could not be read, or why the portal cancelled it
    problem: Mapped[str | None] = mapped_column(String(500))

    uploaded_by: Mapped[User] = relationship(foreign_keys=[uploaded_by_id])
    confirmed_by: Mapped[User | None] = relationship(foreign_keys=[confirmed_by_id])

    @property
    def waits_for_nothing(self) -> bool:
        """The report is there, and says that the batch would change nothing."""
        return self.state is BatchState.CHECKED and not self.dry_run.get("new", 0) + self.dry_run.get(
            "changed", 0
        )

    @property
    def has_changed_something(self) -> bool:
        return self.confirmed_at is not None and self.result.get("new", 0) + self.result.get("changed", 0) > 0


class ImportFile(Base):
    """The bytes of an uploaded file, kept while they may still be needed."""

    __tablename__ = "import_file"

    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportRefusal(Base):
    """A row of an uploaded file that was refused: as it came, with the reason, so that it can be corrected
    and imported again."""

    __tablename__ = "import_refusal"
    __table_args__ = (Index("ix_import_refusal_batch_id", "batch_id", "is_dry_run", "line"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"))
    is_dry_run: Mapped[bool]
    line: Mapped[int]
    cells: Mapped[dict[str, str]] = mapped_column(JSON)
    columns: Mapped[str] = mapped_column(String(200))  # the columns at fault, comma separated
    sentences: Mapped[str] = mapped_column(String(2000))
