from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    bindparam,
    column,
    exists,
    false,
    func,
    or_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, relationship

from app.domain.act import Act
from app.domain.corrections import OPEN_STATES, PROMISE, CorrectionField, CorrectionState, FilledForm
from app.domain.email_address import EmailAddress
from app.domain.nip import Nip
from app.models.base import (
    AddedOnce,
    Base,
    BigId,
    PartialIndex,
    UtcDateTime,
    table_of,
    text_enum,
)
from app.models.user import User

if TYPE_CHECKING:
    from app.models.correction_question import CorrectionQuestion


def _mailbox_of(row: DefaultExecutionContext) -> str:
    """The mailbox follows from the address, so code that writes a row does not have to name it."""
    values: dict[str, str] = row.get_current_parameters()  # type: ignore[no-untyped-call]
    return EmailAddress(values["new_email"]).mailbox


@dataclass(frozen=True)
class Sender:
    """Where a request came from, and for which mailbox."""

    correction_id: int
    client_address: str
    new_email: str


@dataclass(frozen=True)
class AskedOnRecord:
    """A correction of something other than the email, as its owner sees it on the home page."""

    reference: str
    ticket: str
    field: CorrectionField
    old_value: str
    new_value: str
    state: CorrectionState
    submitted_at: datetime
    decided_at: datetime | None
    decision: str | None
    awaits_answer: bool  # of its owner, to a question of the desk

    @property
    def promised_by(self) -> datetime:
        return self.submitted_at + PROMISE


# What was typed is still there. It is a text, because a partial index is used only for the very condition.
STILL_TYPED = text("(phone != '' OR reason != '')")


class EmailCorrection(AddedOnce, Base):
    """A person's request to replace the email on record by an address whose mailbox has been proven to be
    theirs. With another `field`, it is the request of an owner who was logged in to replace that part of the
    record. Then `new_email` is the address that was on record, and only `new_value` and `reason` were typed.

    A request for a NIP that nobody has is a row like any other, without a user and in nobody's queue. The
    portal itself answers it at `answer_at`. The values of `name`, `work_unit`, `reason` and `phone` were
    typed and prove nothing.
    """

    __tablename__ = "email_correction"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) = (instansi_id IS NULL)", name="instansi_is_the_users"),
        CheckConstraint("(state = 'diminta') = (submitted_at IS NULL)", name="submitted_when_filled_in"),
        CheckConstraint(
            "(state IN ('disetujui', 'ditolak')) = (decided_at IS NOT NULL)", name="decided_when_answered"
        ),
        Index(
            "ix_email_correction_instansi_id_state_submitted_at", "instansi_id", "state", "submitted_at", "id"
        ),
        Index("ix_email_correction_state_submitted_at", "state", "submitted_at", "id"),
        Index("ix_email_correction_nip", "nip"),
        Index("ix_email_correction_new_email_key", "new_email_key"),
        Index("ix_email_correction_new_mailbox", "new_mailbox"),
        Index("ix_email_correction_user_id", "user_id"),
        Index("ix_email_correction_asked_at", "asked_at"),
        Index("ix_email_correction_opened_by_id", "opened_by_id"),
        Index("ix_email_correction_decided_by_id", "decided_by_id"),
        PartialIndex("ix_email_correction_still_typed", "decided_at", only=STILL_TYPED),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(String(16), unique=True)  # the mailed link is signed over this
    ticket: Mapped[str] = mapped_column(String(12), unique=True)
    nip: Mapped[str] = mapped_column(String(18))
    new_email: Mapped[str] = mapped_column(String(254))
    new_email_key: Mapped[str] = mapped_column(String(254))
    # Where mails to the new address arrive
    new_mailbox: Mapped[str] = mapped_column(String(254), default=_mailbox_of)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    instansi_id: Mapped[int | None] = mapped_column(ForeignKey("instansi.id"))  # moves with the person
    state: Mapped[CorrectionState] = mapped_column(text_enum(CorrectionState, "correction_state"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the 24 hours begin here
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decision: Mapped[str | None] = mapped_column(String(500))  # the reason that the owner reads
    answer_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # A file was sent, and there was no place for it
    file_not_kept: Mapped[bool] = mapped_column(default=False, server_default=false())
    name: Mapped[str] = mapped_column(String(200), default="")
    work_unit: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(String(1000), default="")
    phone: Mapped[str] = mapped_column(String(30), default="")
    client_address: Mapped[str] = mapped_column(String(45))
    # What is asked for, and of a record also what it was and is to be. An email has columns of its own.
    field: Mapped[CorrectionField] = mapped_column(
        text_enum(CorrectionField, "correction_field", closed=False),
        default=CorrectionField.EMAIL,
        server_default=CorrectionField.EMAIL.value,
    )
    old_value: Mapped[str] = mapped_column(String(200), default="", server_default="")
    new_value: Mapped[str] = mapped_column(String(200), default="", server_default="")

    user: Mapped[User | None] = relationship(lazy="joined", foreign_keys=[user_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])
    questions: Mapped[list["CorrectionQuestion"]] = relationship(
        order_by="CorrectionQuestion.id", viewonly=True
    )

    @classmethod
    def with_reference(
        cls, session: Session, reference: str, *, lock: bool = False
    ) -> "EmailCorrection | None":
        found = select(cls).where(cls.reference == reference).execution_options(populate_existing=True)
        if lock:
            found = found.with_for_update(of=cls)
        return session.scalars(found).one_or_none()

    @classmethod
    def with_ticket(cls, session: Session, ticket: str) -> "EmailCorrection | None":
        return session.scalars(select(cls).where(cls.ticket == ticket)).one_or_none()

    @classmethod
    def with_id(cls, session: Session, correction_id: int, *, lock: bool = False) -> "EmailCorrection | None":
        """Lock the person first (`User.with_id`), then this row: the same order everywhere."""
        found = select(cls).where(cls.id == correction_id).execution_options(populate_existing=True)
        if lock:
            found = found.with_for_update(of=cls)
        return session.scalars(found).one_or_none()

    @classmethod
    def with_ids(cls, session: Session, ids: Collection[int]) -> "list[EmailCorrection]":
        """The rows as now stored, in the order in which people are locked."""
        found = (
            select(cls)
            .where(cls.id.in_(ids))
            .order_by(cls.user_id, cls.id)
            .execution_options(populate_existing=True)
        )
        return list(session.scalars(found))

    @classmethod
    def open_for(cls, session: Session, nip: Nip, address: EmailAddress) -> "EmailCorrection | None":
        """The request for this NIP and this mailbox that is not decided yet."""
        waits = select(cls).where(
            cls.nip == nip.digits,
            cls.new_email_key == address.key,
            cls.state.in_(OPEN_STATES),
            cls.is_of_email(),
        )
        return session.scalars(
            waits.order_by(cls.id).limit(1).execution_options(populate_existing=True)
        ).one_or_none()

    @classmethod
    def is_of_email(cls) -> ColumnElement[bool]:
        return cls.field == CorrectionField.EMAIL

    @classmethod
    def open_of_record(
        cls, session: Session, user_id: int, field: CorrectionField
    ) -> "EmailCorrection | None":
        """The request of this person about this part of the record that is not decided yet."""
        waits = select(cls).where(cls.user_id == user_id, cls.field == field, cls.state.in_(OPEN_STATES))
        return session.scalars(waits.order_by(cls.id).limit(1)).one_or_none()

    @classmethod
    def of_owner(cls, session: Session, user_id: int, since: datetime) -> list[AskedOnRecord]:
        """What this person has asked for while logged in, the newest first: all that is open, and what was
        decided since."""
        rows = session.execute(_OF_OWNER, {"user": user_id, "since": since})
        return [AskedOnRecord(*row) for row in rows]

    @classmethod
    def phone_replaced_among(
        cls, session: Session, user_ids: Collection[int], since: datetime
    ) -> frozenset[int]:
        """The ones among these people who asked for a new phone number, and have it on record since."""
        found = select(cls.user_id).where(
            cls.user_id.in_(user_ids),
            cls.field == CorrectionField.PHONE,
            cls.state == CorrectionState.APPROVED,
            cls.decided_at > since,
        )
        return frozenset(one for one in session.scalars(found) if one is not None)

    @classmethod
    def of_nobody(cls, session: Session, until: datetime, most: int) -> "list[EmailCorrection]":
        """Open requests for NIPs that nobody has, to be answered by `until`; locked, without waiting for rows
        that others have locked."""
        is_somebodys = exists().where(User.nip == cls.nip)
        due = select(cls).where(*cls._in_no_queue(), cls.answer_at <= until, ~is_somebodys)
        return cls._locked(session, due.order_by(cls.answer_at, cls.id).limit(most))

    @classmethod
    def waiting_people(cls, session: Session, room: int, most: int, fewest: int = 0) -> list[int]:
        """The ids of some people who have requests waiting in no queue yet, and at least `fewest` and fewer
        than `room` requests in the queue. People with many requests must not hide the others."""
        in_queue = aliased(cls)
        others = select(func.count()).where(
            in_queue.user_id == User.id, in_queue.state.in_(OPEN_STATES), in_queue.is_of_email()
        )
        in_the_queue = others.correlate(User).scalar_subquery()
        waiting = (
            select(User.id).join(cls, User.nip == cls.nip).where(*cls._in_no_queue(), in_the_queue < room)
        )
        if fewest:
            waiting = waiting.where(in_the_queue >= fewest)
        return list(session.scalars(waiting.group_by(User.id).order_by(func.random()).limit(most)))

    @classmethod
    def waiting_for(cls, session: Session, nip: Nip, most: int) -> "list[Sender]":
        """The senders of the requests for one NIP that wait in no queue: the oldest of every client address,
        then the second of each, and so on, so that the requests of one address do not hide the others."""
        turn = func.row_number().over(partition_by=cls.client_address, order_by=(cls.submitted_at, cls.id))
        waits = select(cls.id, cls.client_address, cls.new_email).where(
            *cls._in_no_queue(), cls.nip == nip.digits
        )
        rows = session.execute(waits.order_by(turn, cls.submitted_at, cls.id).limit(most))
        return [Sender(*row) for row in rows]

    @classmethod
    def in_queue_about(cls, session: Session, user_id: int) -> "list[Sender]":
        """The senders of the requests about one person that wait at the desk."""
        open_ones = select(cls.id, cls.client_address, cls.new_email).where(
            cls.user_id == user_id, cls.state.in_(OPEN_STATES), cls.is_of_email()
        )
        return [Sender(*row) for row in session.execute(open_ones)]

    @classmethod
    def to_hand_over(cls, session: Session, ids: Collection[int]) -> "list[EmailCorrection]":
        """The requests among these that still wait in no queue; locked."""
        return cls._locked(session, select(cls).where(*cls._in_no_queue(), cls.id.in_(ids)))

    @classmethod
    def _in_no_queue(cls) -> tuple[ColumnElement[bool], ...]:
        return cls.user_id.is_(None), cls.state.in_(OPEN_STATES)

    @classmethod
    def _locked(cls, session: Session, found: "Select[EmailCorrection]") -> "list[EmailCorrection]":
        locked = found.with_for_update(of=cls, skip_locked=True).execution_options(populate_existing=True)
        return list(session.scalars(locked))

    @property
    def promised_by(self) -> datetime:
        """The moment until which the owner was told to expect an answer."""
        return (self.submitted_at or self.asked_at) + PROMISE

    @property
    def letters_go_to(self) -> str:
        """The proven mailbox. The owner who was logged in is written to at the address on record."""
        on_record = self.user.email if self.user and self.field.is_of_record else None
        return on_record or self.new_email

    def submit(
        self, session: Session, reaches: User | None, form: FilledForm, answer_at: datetime, act: Act[object]
    ) -> bool:
        """Fill in the request, for the desk of the person whom it `reaches`. If one link is sent several
        times at the same moment, one sender gets True. The statement is the same for every person."""
        filled_in = session.execute(
            update(EmailCorrection)
            .where(EmailCorrection.id == self.id, EmailCorrection.state == CorrectionState.ASKED)
            .values(
                state=CorrectionState.NEW,
                submitted_at=act.at,
                answer_at=answer_at,
                user_id=reaches.id if reaches else None,
                instansi_id=reaches.instansi_id if reaches else None,
                name=form.name,
                work_unit=form.work_unit,
                reason=form.reason,
                phone=form.phone,
                client_address=act.client.address,
                file_not_kept=form.file_not_kept,
            )
            .execution_options(synchronize_session=False)
            .returning(EmailCorrection.id)
        )
        return filled_in.first() is not None

    @property
    def was_opened(self) -> bool:
        """Whether somebody at the desk has looked at the request on its own page. Nobody has seen a request
        that only the portal itself has in hand."""
        return self.opened_by_id is not None

    def take_in_hand(self, admin_id: int | None, now: datetime) -> None:
        self.state = CorrectionState.IN_HAND
        self.opened_at, self.opened_by_id = now, admin_id

    def decide(self, state: CorrectionState, reason: str | None, admin_id: int | None, now: datetime) -> None:
        self.state = state
        self.decision = reason
        self.decided_at, self.decided_by_id = now, admin_id

    def reopen(self) -> None:
        """Put the request back into the queue: the decision does not hold any more."""
        self.state = CorrectionState.NEW
        self.decision = self.decided_at = self.decided_by_id = self.opened_at = self.opened_by_id = None


MOST_OF_AN_OWNER = 8
_ROWS = table_of(EmailCorrection).c
_QUESTIONS = table("correction_question", column("correction_id"), column("answered_at"))
_AWAITS_ANSWER = exists().where(
    _QUESTIONS.c.correction_id == _ROWS.id, _QUESTIONS.c.answered_at.is_(None), _ROWS.state.in_(OPEN_STATES)
)
_OF_OWNER = (
    select(
        *(
            _ROWS[one.name] if one.name in _ROWS else _AWAITS_ANSWER.label(one.name)
            for one in fields(AskedOnRecord)
        )
    )
    .where(
        _ROWS.user_id == bindparam("user"),
        _ROWS.field != CorrectionField.EMAIL,
        or_(_ROWS.state.in_(OPEN_STATES), _ROWS.decided_at > bindparam("since", type_=UtcDateTime)),
    )
    .order_by(_ROWS.id.desc())
    .limit(MOST_OF_AN_OWNER)
)
