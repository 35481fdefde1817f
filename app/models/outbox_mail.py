from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, and_, case, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.models.base import Base, BigId, UtcDateTime, text_enum
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.reset_request import LONGEST_BY_RESENDS, ResetRequest
from app.models.user import User

LONGEST_DELIVERY = timedelta(minutes=10)  # well above all time-outs of one SMTP talk together

PUT_OFF_FOR = timedelta(minutes=5)  # a letter that cannot be read
NEARLY_OVER = timedelta(minutes=2)  # hardly enough to fetch a token and think of a password
_ASKED_LATELY = timedelta(days=3)  # longer than the longest wait for a server and the longest life of a token together


class MailState(StrEnum):
    WAITING = "menunggu"
    SENDING = "mengirim"  # the talk with the mail server has begun
    SENT = "dikirim"  # handed over to the mail server
    DEFERRED = "ditunda"  # refused for now, tried again
    FAILED = "gagal"  # refused for good
    UNCERTAIN = "tidak_pasti"  # the talk broke off where the server may have taken it; never sent again blindly
    HELD = "ditahan"  # a limit on mails keeps it back; never sent

    @property
    def label(self) -> str:
        return self.value.replace("_", " ")


_ON_THE_WAY = (MailState.WAITING, MailState.SENDING, MailState.DEFERRED)


class Letter(StrEnum):
    """The kinds of letter; each has a folder of this name in templates/emails/."""

    TOKEN = "token"
    ADDRESS_NOT_REGISTERED = "address_not_registered"
    ACCOUNT_DEACTIVATED = "account_deactivated"
    PASSWORD_CHANGED = "password_changed"
    EMAIL_CHANGED = "email_changed"
    EMAIL_WILL_CHANGE = "email_will_change"
    CORRECTION_LINK = "correction_link"
    CORRECTION_RECEIVED = "correction_received"
    CORRECTION_IN_HAND = "correction_in_hand"
    CORRECTION_APPROVED = "correction_approved"
    CORRECTION_REJECTED = "correction_rejected"
    CORRECTION_FROZEN = "correction_frozen"
    CPNS_APPROVED = "cpns_approved"
    CPNS_REJECTED = "cpns_rejected"
    ACCOUNT_CHANGED = "account_changed"
    BULK_ACT = "bulk_act"
    MANDATE_GRANTED = "mandate_granted"
    MANDATE_REVOKED = "mandate_revoked"
    DESK_NOTICE = "desk_notice"

    @property
    def can_wait(self) -> bool:
        """Nobody sits in front of a page for it: a file with 100,000 rows must not hold up one token."""
        return self in _CAN_WAIT


_CAN_WAIT = frozenset((Letter.ACCOUNT_CHANGED, Letter.BULK_ACT, Letter.CPNS_APPROVED, Letter.CPNS_REJECTED))


@dataclass(frozen=True)
class InMailbox:
    """How many mails with a token that still opens lie in a mailbox, and how many answers went there within the hour."""

    live: int
    of_this_hour: int

    def is_full(self, most: int) -> bool:
        """Whether no further token leaves: one lies there, and as many as may be."""
        return self.live > 0 and max(self.live, self.of_this_hour) >= most


@dataclass(frozen=True)
class Posted:
    """What a report on a letter needs to know of it."""

    id: int
    user_id: int | None
    to_address: str
    posted_at: datetime


_BOUNCED = text("bounced_at IS NOT NULL")


class OutboxMail(Base):
    """One letter to one address, written in the transaction of the act that it tells of. It never holds a secret."""

    __tablename__ = "outbox_mail"
    __table_args__ = (
        Index("ix_outbox_mail_state_can_wait_due_at", "state", "can_wait", "due_at", "id"),
        Index("ix_outbox_mail_state_due_at", "state", "due_at"),
        Index("ix_outbox_mail_user_id", "user_id"),
        Index("ix_outbox_mail_reset_request_id", "reset_request_id"),
        Index("ix_outbox_mail_email_correction_id", "email_correction_id"),
        Index("ix_outbox_mail_identity_change_id", "identity_change_id"),
        Index("ix_outbox_mail_posted_at", "posted_at"),
        Index("ix_outbox_mail_bounced_at", "bounced_at", sqlite_where=_BOUNCED, postgresql_where=_BOUNCED),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    letter: Mapped[Letter] = mapped_column(text_enum(Letter, "letter", closed=False))
    to_address: Mapped[str] = mapped_column(String(254))
    message_id: Mapped[str] = mapped_column(String(200), unique=True)  # the same on every try
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    reset_request_id: Mapped[int | None] = mapped_column(ForeignKey("reset_request.id"))
    email_correction_id: Mapped[int | None] = mapped_column(ForeignKey("email_correction.id"))
    identity_change_id: Mapped[int | None] = mapped_column(ForeignKey("identity_change.id"))
    about: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # words that no record holds; never a secret
    client_address: Mapped[str] = mapped_column(String(45))  # from where the act was asked
    state: Mapped[MailState] = mapped_column(text_enum(MailState, "mail_state"), default=MailState.WAITING)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    can_wait: Mapped[bool] = mapped_column(default=False)  # letters that somebody waits for are sent before it
    attempts: Mapped[int] = mapped_column(default=0)
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    server_answer: Mapped[str | None] = mapped_column(String(500))
    # A report came back later: it did not arrive. Hard where that lies with the address; else nobody is told.
    bounced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    bounce_is_hard: Mapped[bool | None]
    bounce_answer: Mapped[str | None] = mapped_column(String(500))

    user: Mapped[User | None] = relationship(lazy="joined")
    reset_request: Mapped[ResetRequest | None] = relationship(lazy="joined")
    # Loaded with the mail where there is one: a letter is written when no transaction is open.
    email_correction: Mapped[EmailCorrection | None] = relationship(lazy="selectin")
    identity_change: Mapped[IdentityChange | None] = relationship(lazy="selectin")

    @classmethod
    def next_due(cls, session: Session, now: datetime) -> "OutboxMail | None":
        """The oldest letter whose time has come, locked so that no other worker takes it; those that can wait come last. One
        that cannot be read, because words in it are known to a newer release only, is put off and holds up nobody."""
        while (found := cls._oldest_due(session, now, False) or cls._oldest_due(session, now, True)) is not None:
            try:
                return session.get(cls, found, populate_existing=True)
            except LookupError as unknown:
                put_off = {"due_at": now + PUT_OFF_FOR, "server_answer": f"cannot be read: {unknown}"[:500]}
                session.execute(update(cls).where(cls.id == found).values(**put_off).execution_options(synchronize_session=False))
        return None

    @classmethod
    def _oldest_due(cls, session: Session, now: datetime, can_wait: bool) -> int | None:
        """State by state, for so an index gives it without a look at the others."""
        found: list[tuple[datetime, int]] = []
        for state in (MailState.WAITING, MailState.DEFERRED):
            due = select(cls.due_at, cls.id).where(cls.state == state, cls.can_wait.is_(can_wait), cls.due_at <= now)
            oldest = due.order_by(cls.due_at, cls.id).limit(1).with_for_update(skip_locked=True)
            found += [(due_at, mail_id) for due_at, mail_id in session.execute(oldest)]
        return min(found)[1] if found else None

    @classmethod
    def in_mailbox_of(cls, session: Session, nip: str, owner: User | None, now: datetime) -> "InMailbox":
        """What lies in an owner's mailbox as answers to wishes for a token, or will arrive there. The same is asked of the
        database where there is no owner.

        A token that is nearly over counts no more, unless its mail has only just left, nor one whose letter came back. A
        letter that waits for its server counts for as long as its token could be sent again.
        """
        version = owner.credential_version if owner else 0
        is_alive = ResetRequest.used_at.is_(None) & (ResetRequest.credential_version == version)
        has_time = or_(ResetRequest.expires_at > now + NEARLY_OVER, cls.posted_at > now - NEARLY_OVER)
        arrived = (cls.state == MailState.SENT) & cls.bounced_at.is_(None) & (ResetRequest.expires_at > now) & has_time
        will_arrive = cls.state.in_(_ON_THE_WAY) & (cls.posted_at > now - LONGEST_BY_RESENDS)
        is_live = and_(cls.letter == Letter.TOKEN, is_alive, or_(arrived, will_arrive))
        is_of_this_hour = and_(
            cls.state.not_in((MailState.HELD, MailState.FAILED)),
            cls.bounced_at.is_(None),
            cls.posted_at > now - timedelta(hours=1),
        )
        counted = select(*(func.coalesce(func.sum(case((one, 1), else_=0)), 0) for one in (is_live, is_of_this_hour)))
        found = counted.join_from(ResetRequest, cls, cls.reset_request_id == ResetRequest.id).where(
            ResetRequest.nip == nip,
            ResetRequest.user_id == (owner.id if owner else 0),
            ResetRequest.asked_at > now - _ASKED_LATELY,
        )
        return InMailbox(*session.execute(found).one())

    @classmethod
    def has_link_of(cls, session: Session, correction_id: int, since: datetime, in_any_case_since: datetime) -> bool:
        """Whether a letter with the link to a correction left, or will leave, since a moment; a held one only lately."""
        leaves = cls.state.not_in((MailState.HELD, MailState.FAILED)) & (cls.posted_at > since)
        links = select(cls.id).where(cls.email_correction_id == correction_id, cls.letter == Letter.CORRECTION_LINK)
        return session.scalar(links.where(or_(leaves, cls.posted_at > in_any_case_since)).limit(1)) is not None

    @classmethod
    def is_any_unsent_about(cls, session: Session, change_id: int) -> bool:
        """Whether a letter about this change still waits to leave. One that was refused for good waits no more."""
        waits = cls.state.in_((MailState.WAITING, MailState.SENDING, MailState.DEFERRED))
        return session.scalar(select(cls.id).where(cls.identity_change_id == change_id, waits).limit(1)) is not None

    @classmethod
    def mark_broken_off(cls, session: Session, now: datetime) -> int:
        """Letters whose worker died in the middle: nobody knows whether they arrived. Returns how many."""
        marked = session.execute(
            update(cls)
            .where(cls.state == MailState.SENDING, cls.begun_at < now - LONGEST_DELIVERY)
            .values(state=MailState.UNCERTAIN, settled_at=now, server_answer="worker ended during delivery")
            .returning(cls.id)
        )
        return len(marked.all())

    @classmethod
    def counts(cls, session: Session) -> dict[MailState, int]:
        """How many letters stand where; sent ones are not counted, they are too many and say nothing."""
        rows = session.execute(
            select(cls.state, func.count()).where(cls.state.not_in((MailState.SENT, MailState.HELD))).group_by(cls.state)
        )
        return dict(rows.all())

    @classmethod
    def oldest_unsent(cls, session: Session) -> datetime | None:
        unsent = cls.state.in_((MailState.WAITING, MailState.DEFERRED))
        return session.scalar(select(func.min(cls.posted_at)).where(unsent))

    @classmethod
    def posted_with(cls, session: Session, message_id: str) -> "Posted | None":
        columns = select(cls.id, cls.user_id, cls.to_address, cls.posted_at).where(cls.message_id == message_id)
        found = session.execute(columns).one_or_none()
        return Posted(*found) if found else None

    @classmethod
    def note_bounce(cls, session: Session, mail_id: int, is_hard: bool, answer: str, now: datetime) -> bool:
        """Of a letter that was handed over: it has not arrived. False when that was known; a hard bounce outweighs a soft one."""
        is_new = or_(cls.bounced_at.is_(None), cls.bounce_is_hard.is_(False)) if is_hard else cls.bounced_at.is_(None)
        fate = {"bounced_at": now, "bounce_is_hard": is_hard, "bounce_answer": answer[:500]}
        noted = update(cls).where(cls.id == mail_id, is_new).values(**fate).returning(cls.id)
        return session.scalar(noted.execution_options(synchronize_session=False)) is not None

    @property
    def is_bounced_hard(self) -> bool:
        return bool(self.bounce_is_hard)

    def begin(self, now: datetime) -> None:
        self.bounced_at = self.bounce_is_hard = self.bounce_answer = None  # what came back was the try before
        self.state = MailState.SENDING
        self.begun_at = now
        self.attempts += 1

    def settle(self, state: MailState, now: datetime, answer: str) -> None:
        """Record how a try ended; `answer` is the mail server's own word."""
        self.state = state
        self.settled_at = now
        self.server_answer = answer[:500]

    def defer(self, until: datetime, answer: str) -> None:
        self.state = MailState.DEFERRED
        self.due_at = until
        self.server_answer = answer[:500]
