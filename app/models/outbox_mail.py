from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    SmallInteger,
    String,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship, selectinload

from app.domain.labelled import Labelled
from app.models.base import (
    Base,
    BigId,
    PartialIndex,
    UtcDateTime,
    note_written,
    table_of,
    text_enum,
    without_records,
)
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.mail_fault import MailFault, MailFaultKind
from app.models.reset_request import LONGEST_BY_RESENDS, ResetRequest
from app.models.user import User

LONGEST_DELIVERY = timedelta(minutes=60)  # well above the sum of all time-outs of one SMTP talk
# A worker that delivers renews its lease again and again. A worker that does not renew it for this long has
# died in the middle of a delivery.
LEASE = timedelta(seconds=10)
# The number of times that a worker may die, or the talk over a token may break off, with one mail in hand.
# The mail is sent again each time, with the same Message-ID: to receive it twice is harmless, never to
# receive it is not. After that the mail is uncertain, because this mail itself may be the cause.
MOST_BREAKS = 3
PARKED_AT_ONCE = 500

PUT_OFF_FOR = timedelta(minutes=5)  # a mail that cannot be read
NEARLY_OVER = timedelta(minutes=2)  # hardly enough time to fetch a token and think of a password
# Longer than the longest wait for a server and the longest life of a token together
_ASKED_LATELY = timedelta(days=3)


class MailState(Labelled):
    WAITING = "menunggu", "menunggu"
    SENDING = "mengirim", "mengirim"  # the talk with the mail server has begun
    SENT = "dikirim", "dikirim"  # handed over to the mail server
    DEFERRED = "ditunda", "ditunda"  # refused for now, tried again
    FAILED = "gagal", "gagal"  # refused for good
    # The talk broke off where the server may have taken the mail; it is sent again only when the operator
    # says so
    UNCERTAIN = "tidak_pasti", "tidak pasti"
    HELD = "ditahan", "ditahan"  # a limit on mails keeps it back; never sent


_ON_THE_WAY = (MailState.WAITING, MailState.SENDING, MailState.DEFERRED)


class Letter(Labelled):
    """The kinds of letter; each has a folder of this name in templates/emails/."""

    TOKEN = "token", "Token"
    ADDRESS_NOT_REGISTERED = "address_not_registered", "Alamat tidak terdaftar"
    ACCOUNT_DEACTIVATED = "account_deactivated", "Akun dinonaktifkan, jadi tanpa token"
    PASSWORD_CHANGED = "password_changed", "Pemberitahuan: password diganti"
    EMAIL_CHANGED = "email_changed", "Pemberitahuan: email diganti"
    EMAIL_WILL_CHANGE = "email_will_change", "Pemberitahuan: email akan diganti"
    CORRECTION_LINK = "correction_link", "Tautan perbaikan email"
    CORRECTION_RECEIVED = "correction_received", "Perbaikan email: diterima"
    CORRECTION_IN_HAND = "correction_in_hand", "Perbaikan email: diproses"
    CORRECTION_QUESTION = "correction_question", "Perbaikan email: pertanyaan admin"
    CORRECTION_APPROVED = "correction_approved", "Perbaikan email: disetujui"
    CORRECTION_REJECTED = "correction_rejected", "Perbaikan email: ditolak"
    CORRECTION_FROZEN = "correction_frozen", "Perbaikan email: dibekukan"
    CPNS_APPROVED = "cpns_approved", "CPNS: akun dibuka"
    CPNS_REJECTED = "cpns_rejected", "CPNS: akun tidak dibuka"
    ACCOUNT_CHANGED = "account_changed", "Pemberitahuan: data atau status akun berubah"
    OFFICE_NOTICE = "office_notice", "Pemberitahuan yang ditulis admin"
    BULK_ACT = "bulk_act", "Laporan tindakan admin"
    PUSAT_DIGEST = "pusat_digest", "Ringkasan harian untuk admin pusat"
    MANDATE_GRANTED = "mandate_granted", "Pemberitahuan: mandat admin diberikan"
    MANDATE_REVOKED = "mandate_revoked", "Pemberitahuan: mandat admin dicabut"
    MANDATE_ENDS = "mandate_ends", "Pemberitahuan: mandat admin segera berakhir"
    DESK_NOTICE = "desk_notice", "Pemberitahuan untuk admin"

    @property
    def answer(self) -> str:
        """What a person who asked for a token got, as the trail notes it."""
        match self:
            case Letter.TOKEN:
                return "token"
            case Letter.ADDRESS_NOT_REGISTERED:
                return "alamat tidak terdaftar untuk NIP itu"
            case Letter.ACCOUNT_DEACTIVATED:
                return "akun dinonaktifkan, jadi tanpa token"
            case _:
                return self.label

    @property
    def urgency(self) -> "Urgency":
        if self is Letter.TOKEN:
            return Urgency.TOKEN
        if self is Letter.PASSWORD_CHANGED:
            return Urgency.PASSWORD
        return Urgency.CAN_WAIT if self in _CAN_WAIT else Urgency.USUAL


class Urgency(IntEnum):
    """Which mails go first."""

    TOKEN = 0  # somebody waits for it in front of a page
    PASSWORD = 1  # an owner must read it before a thief goes on
    USUAL = 2
    CAN_WAIT = 3  # a file with 100,000 rows must not delay any of the others


_CAN_WAIT = frozenset((
    Letter.ACCOUNT_CHANGED, Letter.BULK_ACT, Letter.PUSAT_DIGEST, Letter.OFFICE_NOTICE, Letter.CPNS_APPROVED,
    Letter.CPNS_REJECTED,
))  # fmt: skip
_TO_BE_SENT = (MailState.WAITING, MailState.DEFERRED)  # mails that were never tried come first


def _domain_of_address(context: DefaultExecutionContext) -> str:
    return str(context.get_current_parameters()["to_address"]).rpartition("@")[2].lower()[:253]  # type: ignore[no-untyped-call]


def _urgency_of_letter(context: DefaultExecutionContext) -> int:
    return Letter(context.get_current_parameters()["letter"]).urgency  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class InMailbox:
    """How many mails with a token that still opens are in a mailbox, and how many answers went there within
    the last hour."""

    live: int
    of_this_hour: int

    def is_full(self, most: int) -> bool:
        """Whether no further token leaves: at least one token is in the mailbox, and as many mails as are
        allowed."""
        return self.live > 0 and max(self.live, self.of_this_hour) >= most


@dataclass(frozen=True)
class PostedMail:
    """What the reader of a report needs to know about the mail."""

    id: int
    user_id: int | None
    to_address: str
    posted_at: datetime


_BOUNCED = text("bounced_at IS NOT NULL")


class OutboxMail(Base):
    """One letter to one address, written in the transaction of the act that it tells of. The row never holds
    a secret."""

    __tablename__ = "outbox_mail"
    __table_args__ = (
        Index("ix_outbox_mail_queue", "state", "is_parked", "urgency", "due_at", "id"),
        Index("ix_outbox_mail_domain", "domain", "is_parked", "state", "urgency", "due_at", "id"),
        Index("ix_outbox_mail_state_due_at", "state", "due_at"),
        Index("ix_outbox_mail_user_id", "user_id"),
        Index("ix_outbox_mail_reset_request_id", "reset_request_id"),
        Index("ix_outbox_mail_email_correction_id", "email_correction_id"),
        Index("ix_outbox_mail_identity_change_id", "identity_change_id"),
        Index("ix_outbox_mail_posted_at", "posted_at"),
        PartialIndex("ix_outbox_mail_bounced_at", "bounced_at", only=_BOUNCED),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    letter: Mapped[Letter] = mapped_column(text_enum(Letter, "letter", closed=False))
    to_address: Mapped[str] = mapped_column(String(254))
    message_id: Mapped[str] = mapped_column(String(200), unique=True)  # the same on every try
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    reset_request_id: Mapped[int | None] = mapped_column(ForeignKey("reset_request.id"))
    email_correction_id: Mapped[int | None] = mapped_column(ForeignKey("email_correction.id"))
    identity_change_id: Mapped[int | None] = mapped_column(ForeignKey("identity_change.id"))
    # Words that no record holds, as the letter's template takes them; they are never a secret
    about: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    client_address: Mapped[str] = mapped_column(String(45))  # the address from which the act was asked
    state: Mapped[MailState] = mapped_column(text_enum(MailState, "mail_state"), default=MailState.WAITING)
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    urgency: Mapped[int] = mapped_column(SmallInteger, default=_urgency_of_letter)
    # The domain of the address, in lower case
    domain: Mapped[str] = mapped_column(String(253), default=_domain_of_address)
    is_parked: Mapped[bool] = mapped_column(default=False)  # waits for its domain, not for its own time
    # Why the mail has not left
    fault: Mapped[MailFaultKind | None] = mapped_column(text_enum(MailFaultKind, "mail_fault_kind"))
    attempts: Mapped[int] = mapped_column(default=0)
    # The number of times that the talk, or a worker, ended in the middle of the delivery
    breaks: Mapped[int] = mapped_column(default=0)
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # while a worker delivers it
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    server_answer: Mapped[str | None] = mapped_column(String(500))
    # A report came back later: the mail did not arrive. Hard if the reason is the address; otherwise nobody
    # is told.
    bounced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    bounce_is_hard: Mapped[bool | None]
    bounce_answer: Mapped[str | None] = mapped_column(String(500))

    user: Mapped[User | None] = relationship(lazy="joined")
    reset_request: Mapped[ResetRequest | None] = relationship(lazy="joined")
    # Loaded with the mail, because the letter is written when no transaction is open.
    email_correction: Mapped[EmailCorrection | None] = relationship(lazy="selectin")
    identity_change: Mapped[IdentityChange | None] = relationship(lazy="selectin")

    @classmethod
    def kinds_due(cls, session: Session, now: datetime) -> "KindsDue":
        """What could leave now, in one look that takes no lock."""
        *heads, of_domains, everything_rests = without_records(session, _look(), {"now": now}).one()
        if everything_rests:
            return KindsDue(frozenset(), of_domains=False)
        is_due = dict(zip(_KINDS, heads, strict=True))
        return KindsDue(frozenset(kind for kind in _KINDS if is_due[kind]), of_domains)

    @classmethod
    def due(cls, session: Session, now: datetime, most: int) -> "list[OutboxMail]":
        """The mails whose turn it is, at most `most`, locked so that no other worker takes them. Urgent mails
        come before the others; of the same urgency, mails that were never tried come before those that were.
        A mail that cannot be read, because only a newer release knows words in it, is put off and delays no
        other mail."""
        while found := cls._ids_due(session, now, most):
            if mails := cls._read(session, found, now):
                return mails
        return []

    @classmethod
    def _ids_due(cls, session: Session, now: datetime, most: int) -> list[int]:
        kinds, found = cls.kinds_due(session, now), list[int]()
        of_domains = kinds.of_domains
        for urgency, state in _KINDS:
            if (urgency, state) in kinds.heads:
                heads, has_parked = cls._heads(session, state, urgency, now, most - len(found))
                found += heads
                of_domains = of_domains or has_parked
            if len(found) == most:
                break
            # They end the list, because another look at this domain would find them again
            if of_domains and (waiting := cls._of_waiting_domain(session, urgency, now, most - len(found))):
                return found + waiting
        return found

    @classmethod
    def _read(cls, session: Session, ids: list[int], now: datetime) -> "list[OutboxMail]":
        """These mails with all that their letters tell of, in the same order."""
        try:
            return _in_order(ids, session.scalars(_with_words(), {"ids": ids}).unique().all())
        except LookupError:
            return [mail for mail_id in ids if (mail := cls._read_or_put_off(session, mail_id, now))]

    @classmethod
    def _read_or_put_off(cls, session: Session, mail_id: int, now: datetime) -> "OutboxMail | None":
        try:
            return session.scalars(_with_words(), {"ids": [mail_id]}).unique().one_or_none()
        except LookupError as unknown:
            put_off = {"due_at": now + PUT_OFF_FOR, "server_answer": f"cannot be read: {unknown}"[:500]}
            session.execute(
                update(cls)
                .where(cls.id == mail_id)
                .values(**put_off)
                .execution_options(synchronize_session=False)
            )
            return None

    @classmethod
    def _heads(
        cls, session: Session, state: MailState, urgency: Urgency, now: datetime, most: int
    ) -> tuple[list[int], bool]:
        """The oldest mails of one state and urgency, as an index gives them. Mails whose domain takes nothing
        are put aside on the way, many in one step, so that later calls do not meet them again; the second
        value says whether there were any."""
        kind = {"of_state": state, "of_urgency": int(urgency), "now": now}
        has_parked = False
        while rows := without_records(session, _oldest_of_kind(), {**kind, "most": most}).all():
            if not any(row.is_closed for row in rows):
                return [int(row.id) for row in rows], has_parked
            closed = {way.way: way for way in MailFault.closed_among(session, {row.domain for row in rows})}
            for way in closed.values():
                session.execute(_park(), {**kind, "of_domain": way.way, "most": PARKED_AT_ONCE})
                way.take_letters(now)
                session.flush()
                has_parked = True
            if open_ones := [int(row.id) for row in rows if row.domain not in closed]:
                return open_ones, has_parked
        return [], has_parked

    @classmethod
    def _of_waiting_domain(cls, session: Session, urgency: Urgency, now: datetime, most: int) -> list[int]:
        """One mail to a domain that may be tried again, or mails that waited for a domain that takes mails
        again."""
        fits = or_(
            cls.state == MailState.WAITING,
            and_(cls.state == MailState.DEFERRED, MailFault.rests_until <= now),
        )
        waits = (
            cls.domain == MailFault.way,
            cls.is_parked.is_(True),
            cls.urgency == int(urgency),
            cls.due_at <= now,
        )
        of_domain = exists().where(*waits, cls.state.in_(_TO_BE_SENT), fits)
        due = select(MailFault).where(MailFault.has_letters.is_(True), MailFault.new_from <= now, of_domain)
        first = due.order_by(MailFault.new_from, MailFault.way).limit(1).with_for_update(skip_locked=True)
        way = session.scalars(first.execution_options(populate_existing=True)).one_or_none()
        if way is None:
            return []
        states = _TO_BE_SENT if way.is_new_next or not way.is_closed else _TO_BE_SENT[::-1]
        for state in states if way.rests_until <= now else (MailState.WAITING,):
            its = select(cls.id).where(
                cls.domain == way.way,
                cls.is_parked.is_(True),
                cls.state == state,
                cls.urgency == int(urgency),
                cls.due_at <= now,
            )
            some = its.order_by(cls.due_at, cls.id).limit(1 if way.is_closed else most)
            if found := session.scalars(some.with_for_update(skip_locked=True)).all():
                way.let_one_try(now)
                return list(found)
        return []

    @classmethod
    def hurry(cls, session: Session, domains: Sequence[str], now: datetime) -> None:
        """Mails that waited for these domains do not have to wait any longer."""
        waits = (
            cls.domain.in_(domains),
            cls.is_parked.is_(True),
            cls.state == MailState.DEFERRED,
            cls.due_at > now,
        )
        session.execute(
            update(cls).where(*waits).values(due_at=now).execution_options(synchronize_session=False)
        )

    @classmethod
    def forget_faults(cls, session: Session, now: datetime) -> int:
        """Removes the ways that no mail waits for any more. Returns how many."""
        waits = exists().where(
            cls.domain == MailFault.way, cls.is_parked.is_(True), cls.state.in_(_TO_BE_SENT)
        )
        return MailFault.forget(session, now, waits)

    @classmethod
    def in_mailbox_of(cls, session: Session, nip: str, owner: User | None, now: datetime) -> "InMailbox":
        """The answers to reset requests that are in an owner's mailbox, or will arrive there. The database is
        asked the same even if there is no owner.

        A token that is nearly over does not count, unless its mail has only just left. A token whose mail
        came back does not count either. A mail that waits for its server counts for as long as its token
        could be sent again.
        """
        values = {
            "nip": nip,
            "owner": owner.id if owner else 0,
            "version": owner.credential_version if owner else 0,
            "now": now,
            "nearly_over": now + NEARLY_OVER,
            "just_left": now - NEARLY_OVER,
            "longest_ago": now - LONGEST_BY_RESENDS,
            "an_hour_ago": now - timedelta(hours=1),
            "asked_lately": now - _ASKED_LATELY,
        }
        return InMailbox(*without_records(session, _IN_MAILBOX, values).one())

    @classmethod
    def has_link_of(
        cls, session: Session, correction_id: int, since: datetime, in_any_case_since: datetime
    ) -> bool:
        """Whether a mail with the link to a correction left, or will leave, since a moment. A mail that was
        held or has failed counts only if it was posted after `in_any_case_since`."""
        leaves = cls.state.not_in((MailState.HELD, MailState.FAILED)) & (cls.posted_at > since)
        links = select(cls.id).where(
            cls.email_correction_id == correction_id, cls.letter == Letter.CORRECTION_LINK
        )
        return (
            session.scalar(links.where(or_(leaves, cls.posted_at > in_any_case_since)).limit(1)) is not None
        )

    @classmethod
    def link_posted_at(cls, session: Session, correction_id: int) -> datetime | None:
        """When a mail with the link to a correction was last posted, whether or not it left."""
        links = select(func.max(cls.posted_at)).where(
            cls.email_correction_id == correction_id, cls.letter == Letter.CORRECTION_LINK
        )
        return session.scalar(links)

    @classmethod
    def is_any_unsent_about(cls, session: Session, change_id: int) -> bool:
        """Whether a mail about this change still waits to leave. A mail that was refused for good does not
        wait any more."""
        waits = cls.state.in_((MailState.WAITING, MailState.SENDING, MailState.DEFERRED))
        return (
            session.scalar(select(cls.id).where(cls.identity_change_id == change_id, waits).limit(1))
            is not None
        )

    @classmethod
    def mark_broken_off(cls, session: Session, now: datetime) -> int:
        """Mails that a worker had in hand when it died. Most were not tried yet, and nobody knows which: they
        are sent again, with the same Message-ID. Returns how many mails there were."""
        is_silent = or_(cls.leased_until < now, and_(cls.leased_until.is_(None), cls.begun_at < now - LEASE))
        silent = (
            select(cls.id)
            .where(cls.state == MailState.SENDING, is_silent)
            .limit(1000)
            .with_for_update(skip_locked=True)
        )
        marked = 0
        for mail_id in session.scalars(silent).all():
            is_again = cls.breaks < MOST_BREAKS
            marked += 1
            session.execute(
                update(cls)
                .where(cls.id == mail_id)
                .values(
                    state=case((is_again, MailState.DEFERRED.value), else_=MailState.UNCERTAIN.value),
                    breaks=cls.breaks + 1,
                    due_at=now,
                    settled_at=case((is_again, None), else_=now),
                    leased_until=None,
                    server_answer="worker ended during delivery",
                )
                .execution_options(synchronize_session=False)
            )
        return marked

    @classmethod
    def renew_lease(cls, session: Session, mail_id: int, attempts: int, now: datetime) -> bool:
        """Whether the worker that began this try still has the lease on the mail. If so, the lease is
        renewed."""
        own = (
            cls.id == mail_id,
            cls.state == MailState.SENDING,
            cls.attempts == attempts,
            cls.begun_at > now - LONGEST_DELIVERY,
        )
        renewed = (
            update(cls)
            .where(*own)
            .values(leased_until=now + LEASE)
            .execution_options(synchronize_session=False)
        )
        return session.execute(renewed.returning(cls.id)).first() is not None

    @classmethod
    def lock_in_hand(cls, session: Session, mails: "Sequence[OutboxMail]") -> "set[OutboxMail]":
        """Lock mails that this worker has begun, and read what became of them meanwhile. Returns those that
        it still has; another worker has taken the others, because it took this one for dead."""
        rows = session.execute(_IN_HAND, {"ids": [mail.id for mail in mails]})
        stored = {row.id: (row.state, row.attempts) for row in rows}
        for mail in mails:
            if mail.state is not stored[mail.id][0]:
                note_written(mail, state=stored[mail.id][0])
        return {mail for mail in mails if stored[mail.id] == (MailState.SENDING, mail.attempts)}

    @classmethod
    def how_many_wait(cls, session: Session, most: int, domain: str | None = None) -> int:
        """How many mails are still to be sent, counted up to `most`."""
        waiting = select(cls.id).where(cls.state.in_(_TO_BE_SENT)).limit(most + 1)
        if domain is not None:
            waiting = waiting.where(cls.domain == domain)
        return session.scalar(select(func.count()).select_from(waiting.subquery())) or 0

    @classmethod
    def counts(cls, session: Session) -> dict[MailState, int]:
        """How many mails are in each state. Sent mails are not counted, because they are too many and say
        nothing."""
        rows = session.execute(
            select(cls.state, func.count())
            .where(cls.state.not_in((MailState.SENT, MailState.HELD)))
            .group_by(cls.state)
        )
        return dict(rows.all())

    @classmethod
    def oldest_unsent(cls, session: Session) -> datetime | None:
        unsent = cls.state.in_((MailState.WAITING, MailState.DEFERRED))
        return session.scalar(select(func.min(cls.posted_at)).where(unsent))

    @classmethod
    def posted_with(cls, session: Session, message_id: str) -> "PostedMail | None":
        columns = select(cls.id, cls.user_id, cls.to_address, cls.posted_at).where(
            cls.message_id == message_id
        )
        found = session.execute(columns).one_or_none()
        return PostedMail(*found) if found else None

    @classmethod
    def note_bounce(
        cls, session: Session, mail_id: int, answer: str, now: datetime, *, is_hard: bool
    ) -> bool:
        """A mail that was handed over has not arrived. False if that was already known. A hard bounce
        replaces a soft one."""
        is_new = (
            or_(cls.bounced_at.is_(None), cls.bounce_is_hard.is_(False))
            if is_hard
            else cls.bounced_at.is_(None)
        )
        fate = {"bounced_at": now, "bounce_is_hard": is_hard, "bounce_answer": answer[:500]}
        noted = update(cls).where(cls.id == mail_id, is_new).values(**fate).returning(cls.id)
        return session.scalar(noted.execution_options(synchronize_session=False)) is not None

    @property
    def is_bounced_hard(self) -> bool:
        return bool(self.bounce_is_hard)

    @classmethod
    def begin(cls, session: Session, mails: "Sequence[OutboxMail]", now: datetime) -> None:
        """A worker has these mails in hand from now on. The records learn only what the worker asks them."""
        if not mails:
            return
        ids = [mail.id for mail in mails]
        session.execute(_BEGIN, {"ids": ids, "begun_at": now, "leased_until": now + LEASE})
        for mail in mails:
            note_written(mail, attempts=mail.attempts + 1, state=MailState.SENDING)

    @classmethod
    def note_sent(cls, session: Session, sent: "Sequence[tuple[OutboxMail, datetime, str]]") -> None:
        """The mail server has taken these mails, each at its moment and with this answer."""
        session.execute(
            _NOTE_SENT, [{"mail": mail.id, "at": at, "answer": answer[:500]} for mail, at, answer in sent]
        )

    @classmethod
    def give_back(cls, session: Session, mails: "Sequence[OutboxMail]") -> None:
        """These mails were begun and not tried: they keep their places in the queue."""
        if not mails:
            return
        state = case((cls.attempts <= 1, MailState.WAITING.value), else_=MailState.DEFERRED.value)
        its = update(cls).where(cls.id.in_([mail.id for mail in mails]))
        session.execute(
            its.values(attempts=cls.attempts - 1, state=state, leased_until=None).execution_options(
                synchronize_session=False
            )
        )

    def settle(self, state: MailState, now: datetime, answer: str) -> None:
        """Record how a try ended; `answer` is what the mail server itself said."""
        self.state = state
        self.settled_at = now
        self.leased_until = None
        self.server_answer = answer[:500]

    def defer(self, until: datetime, answer: str) -> None:
        self.state = MailState.DEFERRED
        self.due_at = until
        self.leased_until = None
        self.server_answer = answer[:500]

    def give_back_turn(self) -> None:
        """The try does not count: the mail keeps its place in the queue."""
        self.attempts -= 1
        self.state = MailState.WAITING if self.attempts <= 0 else MailState.DEFERRED
        self.leased_until = None

    def send_again(self, now: datetime) -> None:
        """Send the mail as if it had never been tried, with the same Message-ID."""
        self.state, self.fault, self.is_parked = MailState.WAITING, None, False
        self.attempts = self.breaks = 0
        self.due_at, self.settled_at = now, None


def _moment(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=UtcDateTime)


def _in_mailbox() -> Select[int, int]:
    is_alive = ResetRequest.used_at.is_(None) & (ResetRequest.credential_version == bindparam("version"))
    has_time = or_(
        ResetRequest.expires_at > _moment("nearly_over"), OutboxMail.posted_at > _moment("just_left")
    )
    arrived = (
        (OutboxMail.state == MailState.SENT)
        & OutboxMail.bounced_at.is_(None)
        & (ResetRequest.expires_at > _moment("now"))
        & has_time
    )
    will_arrive = OutboxMail.state.in_(_ON_THE_WAY) & (OutboxMail.posted_at > _moment("longest_ago"))
    is_live = and_(OutboxMail.letter == Letter.TOKEN, is_alive, or_(arrived, will_arrive))
    is_of_this_hour = and_(
        OutboxMail.state.not_in((MailState.HELD, MailState.FAILED)),
        OutboxMail.bounced_at.is_(None),
        OutboxMail.posted_at > _moment("an_hour_ago"),
    )
    counted = select(
        *(func.coalesce(func.sum(case((one, 1), else_=0)), 0) for one in (is_live, is_of_this_hour))
    )
    return counted.join_from(ResetRequest, OutboxMail, OutboxMail.reset_request_id == ResetRequest.id).where(
        ResetRequest.nip == bindparam("nip"),
        ResetRequest.user_id == bindparam("owner"),
        ResetRequest.asked_at > _moment("asked_lately"),
    )


_IN_MAILBOX = _in_mailbox()


@dataclass(frozen=True)
class KindsDue:
    """Which mails could leave: the urgency and state of those that wait for their own time, and whether any
    wait for a domain that may be tried."""

    heads: frozenset[tuple[Urgency, MailState]]
    of_domains: bool

    def __bool__(self) -> bool:
        return bool(self.heads) or self.of_domains


_KINDS = tuple((urgency, state) for urgency in Urgency for state in _TO_BE_SENT)


@cache
def _look() -> Select[*tuple[Any, ...]]:
    """Asks for each of `_KINDS`, in this order, whether a mail of it is due; then whether a domain may be
    tried, and whether all mails rest."""
    now = bindparam("now", type_=UtcDateTime)
    asked = [
        exists().where(
            OutboxMail.state == state,
            OutboxMail.is_parked.is_(False),
            OutboxMail.urgency == int(urgency),
            OutboxMail.due_at <= now,
        )
        for urgency, state in _KINDS
    ]
    of_domains = exists().where(MailFault.has_letters.is_(True), MailFault.new_from <= now)
    return select(*asked, of_domains, exists().where(MailFault.rests_all(now)))


_IDS: BindParameter[int] = bindparam("ids", expanding=True)


@cache
def _with_words() -> Select[OutboxMail]:
    """The mails of `ids` with all that their letters tell of."""
    # The person of the request is the person of the mail
    words = joinedload(OutboxMail.reset_request).lazyload(ResetRequest.user)
    questions = selectinload(OutboxMail.email_correction).selectinload(EmailCorrection.questions)
    return (
        select(OutboxMail)
        .where(OutboxMail.id.in_(_IDS))
        .options(words, questions)
        .execution_options(populate_existing=True)
    )


def _of_kind() -> tuple[ColumnElement[bool], ...]:
    return (
        OutboxMail.state == bindparam("of_state"),
        OutboxMail.is_parked.is_(False),
        OutboxMail.urgency == bindparam("of_urgency"),
        OutboxMail.due_at <= _moment("now"),
    )


@cache
def _oldest_of_kind() -> Select[int, str, bool]:
    """The oldest mails of a state and an urgency, and whether the domain of each takes nothing."""
    is_closed = exists().where(MailFault.way == OutboxMail.domain, MailFault.is_closed)
    oldest = select(OutboxMail.id, OutboxMail.domain, is_closed.label("is_closed")).where(*_of_kind())
    oldest = oldest.order_by(OutboxMail.due_at, OutboxMail.id).limit(bindparam("most"))
    return oldest.with_for_update(skip_locked=True, of=OutboxMail)


@cache
def _park() -> Update:
    """Put the oldest of them aside that are for one domain."""
    its = select(OutboxMail.id).where(*_of_kind(), OutboxMail.domain == bindparam("of_domain"))
    its = its.order_by(OutboxMail.due_at, OutboxMail.id).limit(bindparam("most"))
    some = OutboxMail.id.in_(its.with_for_update(skip_locked=True).scalar_subquery())
    return update(OutboxMail).where(some).values(is_parked=True).execution_options(synchronize_session=False)


_MAILS = table_of(OutboxMail)
_IN_HAND = (
    select(_MAILS.c.id, _MAILS.c.state, _MAILS.c.attempts)
    .where(_MAILS.c.id.in_(_IDS))
    .order_by(_MAILS.c.id)
    .with_for_update()
)
_AT_THE_START = {
    "state": MailState.SENDING,
    "is_parked": False,
    # The report was about the try before
    **dict.fromkeys(("bounced_at", "bounce_is_hard", "bounce_answer")),
}
_BEGIN = (
    update(_MAILS)
    .where(_MAILS.c.id.in_(_IDS))
    .values(
        attempts=_MAILS.c.attempts + 1,
        begun_at=_moment("begun_at"),
        leased_until=_moment("leased_until"),
        **_AT_THE_START,
    )
)
_NOTE_SENT = (
    update(_MAILS)
    .where(_MAILS.c.id == bindparam("mail"))
    .values(
        state=MailState.SENT,
        settled_at=_moment("at"),
        leased_until=None,
        server_answer=bindparam("answer"),
        fault=None,
        is_parked=False,
    )
)


def _in_order(ids: Sequence[int], mails: Sequence[OutboxMail]) -> list[OutboxMail]:
    by_id = {mail.id: mail for mail in mails}
    return [by_id[mail_id] for mail_id in ids]
