from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, BigId


class ImportChange(Base):
    """One field of one person that a file would change (the dry run) or has changed: the value before, and
    the value from the file. Addresses are kept whole; they are removed together with the refused rows. For a
    person whom the import has added, the column is `nip` and there is no old value."""

    __tablename__ = "import_change"
    __table_args__ = (
        Index("ix_import_change_batch_id", "batch_id", "is_dry_run", "column", "id"),
        Index("ix_import_change_line", "batch_id", "is_dry_run", "line"),
        Index("ix_import_change_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"))
    is_dry_run: Mapped[bool]
    line: Mapped[int]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    # name, email, phone, category, instansi (its code), work_unit or nip
    column: Mapped[str] = mapped_column(String(20))
    old_value: Mapped[str | None] = mapped_column(String(320))
    new_value: Mapped[str | None] = mapped_column(String(320))
