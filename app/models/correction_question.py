from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, exists, select, text, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from app.models.base import Base, BigId, PartialIndex, UtcDateTime
from app.models.email_correction import EmailCorrection
from app.models.user import User

_OPEN = text("answered_at IS NULL")


class CorrectionQuestion(Base):
    """A question of the desk to the person who sent a correction, and the answer. While it has none, the
    correction waits for the person, not for the desk. A decision closes it: then the answer is empty."""

    __tablename__ = "correction_question"
    __table_args__ = (
        CheckConstraint("(answered_at IS NULL) = (answer IS NULL)", name="answered_when_there_is_an_answer"),
        Index("ix_correction_question_correction_id", "correction_id", "id"),
        Index("ix_correction_question_asked_by_id", "asked_by_id"),
        PartialIndex("ix_correction_question_open", "correction_id", only=_OPEN, unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    correction_id: Mapped[int] = mapped_column(ForeignKey("email_correction.id", ondelete="CASCADE"))
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    question: Mapped[str] = mapped_column(String(500))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # or when the decision closed it
    answer: Mapped[str | None] = mapped_column(String(1000))

    asked_by: Mapped[User] = relationship()

    @classmethod
    def of(cls, session: Session, correction_id: int) -> "list[CorrectionQuestion]":
        """The questions about a request, the oldest first, as now stored."""
        return cls.among(session, [correction_id])[correction_id]

    @classmethod
    def among(
        cls, session: Session, correction_ids: Collection[int]
    ) -> "defaultdict[int, list[CorrectionQuestion]]":
        """The questions about each of these requests."""
        found = (
            select(cls)
            .where(cls.correction_id.in_(correction_ids))
            .order_by(cls.id)
            .options(joinedload(cls.asked_by))
            .execution_options(populate_existing=True)
        )
        questions: defaultdict[int, list[CorrectionQuestion]] = defaultdict(list)
        for one in session.scalars(found):
            questions[one.correction_id].append(one)
        return questions

    @classmethod
    def open_of(cls, session: Session, correction_id: int) -> "CorrectionQuestion | None":
        """The question that waits for its answer."""
        found = select(cls).where(cls.correction_id == correction_id, cls.answered_at.is_(None))
        return session.scalars(found.execution_options(populate_existing=True)).one_or_none()

    @classmethod
    def answered_among(cls, session: Session, correction_ids: Collection[int]) -> frozenset[int]:
        """The requests among these whose person has answered a question."""
        found = select(cls.correction_id).where(
            cls.correction_id.in_(correction_ids), cls.answered_at.is_not(None), cls.answer != ""
        )
        return frozenset(session.scalars(found))

    @classmethod
    def is_open(cls) -> ColumnElement[bool]:
        """For a query over requests: whether the request waits for its person."""
        return (
            exists()
            .where(cls.correction_id == EmailCorrection.id, cls.answered_at.is_(None))
            .correlate(EmailCorrection)
        )

    @classmethod
    def close_of(cls, session: Session, correction_id: int, now: datetime) -> None:
        """The desk has decided, so it waits for no answer any more. The request is locked."""
        session.execute(
            update(cls)
            .where(cls.correction_id == correction_id, cls.answered_at.is_(None))
            .values(answered_at=now, answer="")
        )

    @property
    def was_answered(self) -> bool:
        return bool(self.answer)

    def take_answer(self, words: str, now: datetime) -> None:
        self.answer, self.answered_at = words, now
