from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.domain.attachment import REDRAWN_AS, Attachment, Photo, is_redrawn
from app.models.base import Base, UtcDateTime


class CorrectionAttachment(Base):
    """The photo or PDF that came with a correction. It is in the database, so that it is written, backed up
    and removed together with its correction. Only an admin who may see the correction gets it: a photo drawn
    anew is shown, a PDF is only handed out as a download."""

    __tablename__ = "correction_attachment"

    correction_id: Mapped[int] = mapped_column(
        ForeignKey("email_correction.id", ondelete="CASCADE"), primary_key=True
    )
    media_type: Mapped[str] = mapped_column(String(40))  # according to its content
    content: Mapped[bytes] = mapped_column(LargeBinary)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def as_to_be_seen(self) -> Attachment | Photo:
        """Older releases kept photos as they came, and those must still be drawn anew."""
        if self.media_type.startswith("image/") and not (
            self.media_type == REDRAWN_AS and is_redrawn(self.content)
        ):
            return Photo(self.content)
        return Attachment(self.media_type, self.content)

    def replace(self, file: Attachment) -> None:
        """Keep the clean file. Nothing is written if it is the same."""
        self.media_type, self.content = file.media_type, file.content

    @classmethod
    def are_at_least(cls, session: Session, many: int) -> bool:
        """Whether at least this many are kept."""
        some = select(cls.correction_id).limit(many).subquery()
        return (session.scalar(select(func.count()).select_from(some)) or 0) >= many

    @classmethod
    def of(cls, session: Session, correction_id: int) -> "CorrectionAttachment | None":
        return session.get(cls, correction_id)

    @classmethod
    def is_picture(cls, session: Session, correction_id: int) -> bool:
        """Whether a photo came with the correction. The content is not loaded."""
        found = select(cls.media_type).where(cls.correction_id == correction_id)
        return (session.scalar(found) or "").startswith("image/")

    @classmethod
    def among(cls, session: Session, correction_ids: Collection[int]) -> frozenset[int]:
        """The corrections among these that have an attachment. The content is not loaded."""
        return frozenset(
            session.scalars(select(cls.correction_id).where(cls.correction_id.in_(correction_ids)))
        )
