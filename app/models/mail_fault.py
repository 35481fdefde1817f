"""Why mails cannot leave."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    ColumnElement,
    Index,
    String,
    and_,
    bindparam,
    delete,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.domain.labelled import Labelled
from app.models.base import Base, UtcDateTime, text_enum, upsert, without_records

EVERYWHERE = "*"  # the way of all mails
_DOUBTED = "?"  # the same refusal from several domains

# The rests after the first, second, ... fault in a row. A fault of ours is usually repaired soon, and then
# everybody waits for a token.
CONNECTION_RESTS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 2 * 60, 5 * 60))
# The rests of a domain that takes no mails for now. Greylisting lets the second try pass after some minutes;
# an outage takes hours.
DOMAIN_RESTS = tuple(
    timedelta(seconds=seconds)
    for seconds in (30, 60, 2 * 60, 5 * 60, 15 * 60, 30 * 60, 3600, 2 * 3600, 4 * 3600)
)
# A mail that was never tried may find its domain working again: full mailboxes of strangers must not make the
# owner of another mailbox in the same domain wait for hours.
NEW_ONE_AFTER = timedelta(minutes=5)
PROBE_TAKES = timedelta(minutes=1)  # until the next mail may be tried, if this worker dies
DOMAINS_OF_A_FAULT_OF_OURS = 3  # this many domains, one after the other, that give the same bare refusal
KEPT_FOR = timedelta(days=1)  # after the last try
_WITH_ADDRESS = re.compile(r"\S*@\S*")
_DIFFERS = re.compile(r"\S*[@.\d]\S*")  # addresses, hosts, queue numbers


class MailFaultKind(Labelled):
    """Whose fault it is that a mail has not left."""

    LINE = "line", "line"
    SESSION = "session", "session"
    SENDER = "sender", "sender"
    RECIPIENT = "recipient", "recipient"
    LETTER = "letter", "letter"  # the letter cannot be written


OURS = (MailFaultKind.LINE, MailFaultKind.SESSION, MailFaultKind.SENDER)


@dataclass(frozen=True)
class NotPassed:
    """A letter that could not leave, and why. `is_new`: it was tried for the first time."""

    kind: MailFaultKind
    answer: str
    mailbox: str
    is_new: bool
    is_whole_domains: bool  # the fault, by what the answer says


class MailFault(Base):
    """One way on which mails cannot leave at present: the way of all mails, or of those to one domain. Mails
    on one way wait for the result of each other's try. All workers share this row. The fault is over with the
    first mail that passes."""

    __tablename__ = "mail_fault"
    __table_args__ = (Index("ix_mail_fault_has_letters_new_from", "has_letters", "new_from"),)

    way: Mapped[str] = mapped_column(String(253), primary_key=True)
    kind: Mapped[MailFaultKind] = mapped_column(text_enum(MailFaultKind, "fault_kind"))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The server's last answer, without addresses
    answer: Mapped[str] = mapped_column(String(500), default="")
    # In a row; 0 when the fault is over and its mails are leaving
    failures: Mapped[int] = mapped_column(default=0)
    # The mails of the way wait; otherwise only those to `mailbox` wait
    is_closed: Mapped[bool] = mapped_column(default=False)
    rests_until: Mapped[datetime] = mapped_column(UtcDateTime)
    # From this moment, a mail may be tried that was never tried before
    new_from: Mapped[datetime] = mapped_column(UtcDateTime)
    # New mails and those put off are tried in turn
    is_new_next: Mapped[bool] = mapped_column(default=False)
    mailbox: Mapped[str] = mapped_column(String(254), default="")  # the mailbox that was refused last
    has_letters: Mapped[bool] = mapped_column(default=False)  # whether mails wait for the domain
    # Of a doubt: the domains, and the mails that were given up
    seen: Mapped[list[list[str | int]]] = mapped_column(JSON, default=list)

    @classmethod
    def on(cls, session: Session, way: str, *, lock: bool = False) -> "MailFault | None":
        found = select(cls).where(cls.way == way).execution_options(populate_existing=True)
        return session.scalars(found.with_for_update() if lock else found).one_or_none()

    @classmethod
    def closed_among(cls, session: Session, ways: Iterable[str]) -> list["MailFault"]:
        """Those of these ways whose mails wait."""
        found = select(cls).where(cls.way.in_(sorted(ways)), cls.is_closed).order_by(cls.way)
        return list(session.scalars(found.execution_options(populate_existing=True)))

    @classmethod
    def alarms(cls, session: Session) -> list["MailFault"]:
        """Faults of our side, which somebody must repair. The oldest comes first."""
        is_ours = or_(cls.way == EVERYWHERE, cls.kind == MailFaultKind.SENDER)
        found = select(cls).where(is_ours, cls.way != _DOUBTED, cls.failures > 0).order_by(cls.since, cls.way)
        return list(session.scalars(found.execution_options(populate_existing=True)))

    @classmethod
    def forget(cls, session: Session, now: datetime, still_waits: ColumnElement[bool]) -> int:
        """Removes the domains that no mail waits for and that nobody has tried for a day. Returns how many
        were removed, plus how many are no longer looked at when a mail leaves."""
        of_domain = (cls.way != EVERYWHERE, ~still_waits)
        is_empty = (
            update(cls)
            .where(*of_domain, cls.has_letters.is_(True), cls.failures == 0)
            .values(has_letters=False)
        )
        gone = delete(cls).where(*of_domain, cls.last_at < now - KEPT_FOR)
        changes = [
            change.returning(cls.way).execution_options(synchronize_session=False)
            for change in (is_empty, gone)
        ]
        return sum(len(session.execute(change).all()) for change in changes)

    @classmethod
    def rests_all(cls, now: ColumnElement[datetime]) -> ColumnElement[bool]:
        """That no mail at all may leave."""
        return and_(cls.way == EVERYWHERE, cls.is_closed, cls.rests_until > now)

    @property
    def is_alarm(self) -> bool:
        return self.failures > 0 and self.was_alarm

    @property
    def was_alarm(self) -> bool:
        """Whether this is a fault of our side, or was one until a mail passed."""
        return self.way == EVERYWHERE or self.kind is MailFaultKind.SENDER

    @property
    def is_everywhere(self) -> bool:
        return self.way == EVERYWHERE

    @classmethod
    def note_everywhere(
        cls, session: Session, kind: MailFaultKind, answer: str, now: datetime, *, is_short: bool
    ) -> "MailFault":
        """No mail can leave: all of them rest for a moment. The rest is short if the server had begun to
        take a mail.

        Several workers meet an outage at the same time, each with a mail in hand. This is one fault.
        Otherwise people would wait longer for a token, the more workers there are."""
        fault = cls._lock_or_make(session, EVERYWHERE, kind, now)
        if fault.is_closed and fault.rests_until > now:
            fault._note(kind, answer, now)
        else:
            fault._grow(kind, answer, CONNECTION_RESTS[:2] if is_short else CONNECTION_RESTS, now)
        fault.is_closed = True
        return fault

    @classmethod
    def note_domain(
        cls,
        session: Session,
        domain: str,
        letter: NotPassed,
        now: datetime,
    ) -> "MailFault":
        """A letter could not leave. Its domain closes where the fault is the whole domain's, and where a
        second mailbox of it is refused with none between that was not."""
        kind, answer, mailbox, is_new = letter.kind, letter.answer, letter.mailbox, letter.is_new
        fault = cls._lock_or_make(session, domain, kind, now)
        if is_new and kind is MailFaultKind.RECIPIENT and fault.took_later:
            return fault
        is_second = fault.failures > 0 and fault.mailbox != mailbox
        fault.is_closed = fault.is_closed or letter.is_whole_domains or is_second
        # This mail was tried early, so the mails that were put off do not wait longer because of it
        if is_new and fault.rests_until > now + PROBE_TAKES:
            fault._note(kind, answer, now)
        else:
            fault._grow(kind, answer, CONNECTION_RESTS if kind is MailFaultKind.LINE else DOMAIN_RESTS, now)
        fault.mailbox, fault.is_new_next = mailbox, not is_new
        return fault

    @classmethod
    def note_refusal(
        cls, session: Session, domain: str, answer: str, mail_id: int | None, now: datetime, *, counts: bool
    ) -> list[int] | None:
        """Remember a refusal that perhaps says nothing about one recipient or domain. That is so when several
        domains gave the same refusal in a row, or when all mails get it. Then the mails that were given up
        for it are returned, and must be tried again. Otherwise None."""
        words = _same_words(answer)
        fault = cls.on(session, EVERYWHERE)
        if (
            fault
            and fault.failures
            and fault.kind is MailFaultKind.SENDER
            and _same_words(fault.answer) == words
        ):
            return []
        if not counts:
            return None
        doubt = cls._lock_or_make(session, _DOUBTED, MailFaultKind.RECIPIENT, now)
        if doubt.answer != words[:500] or doubt.last_at < now - KEPT_FOR:
            doubt.answer, doubt.seen = words[:500], []
        doubt.last_at = now
        if domain not in [one[0] for one in doubt.seen]:
            doubt.seen = [*doubt.seen, [domain, mail_id or 0]]
        if len(doubt.seen) < DOMAINS_OF_A_FAULT_OF_OURS:
            return None
        given_up = [int(one[1]) for one in doubt.seen if one[1]]
        session.delete(doubt)
        return given_up

    @classmethod
    def end(cls, session: Session, passed: Mapping[str, bool], now: datetime) -> list["MailFault"]:
        """Mails to these domains have passed, so nothing stops mails to them; returns the faults that did. If
        a mail had been put off before, `passed` says so of its domain, and that is remembered for a day."""
        ended, ways = [], {"ways": [EVERYWHERE, _DOUBTED, *passed]}
        # Usually there is none, and to prepare for records costs more than this look
        if without_records(session, _ANY_ON_WAYS, ways).first() is None:
            return []
        for fault in session.scalars(_ON_WAYS, ways):
            if fault.failures and fault.way != _DOUBTED:
                ended.append(fault)
            if fault.has_letters or passed.get(fault.way):
                fault.open(now)
            else:
                session.delete(fault)
        return ended

    def open(self, now: datetime) -> None:
        self.failures, self.is_closed, self.rests_until, self.new_from = 0, False, now, now
        self.last_at = now

    @property
    def took_later(self) -> bool:
        """Whether the domain has lately taken a mail that it had put off. Many domains put off everything
        that is new to them (greylisting), so there a mail that was never tried before says nothing about the
        others."""
        return not self.failures and bool(self.answer)

    def let_one_try(self, now: datetime) -> None:
        """One mail is on its way to see whether the domain takes it; the others wait for the result."""
        if self.is_closed:
            self.new_from = now + PROBE_TAKES
            self.rests_until = max(self.rests_until, self.new_from)

    def take_letters(self, now: datetime) -> None:
        """Mails begin to wait for this domain."""
        self.has_letters = True
        self.new_from = (
            max(now, min(self.rests_until, self.last_at + NEW_ONE_AFTER)) if self.rests_until > now else now
        )

    def _grow(self, kind: MailFaultKind, answer: str, rests: tuple[timedelta, ...], now: datetime) -> None:
        self.since = self.since if self.failures else now
        self.failures += 1
        self.rests_until = now + rests[min(self.failures, len(rests)) - 1]
        self._note(kind, answer, now)

    def _note(self, kind: MailFaultKind, answer: str, now: datetime) -> None:
        if not self.is_alarm or kind in OURS:
            self.kind = kind
        self.last_at, self.answer = now, _WITH_ADDRESS.sub("***", answer)[:500]
        self.new_from = min(self.rests_until, now + NEW_ONE_AFTER)

    @classmethod
    def _lock_or_make(cls, session: Session, way: str, kind: MailFaultKind, now: datetime) -> "MailFault":
        """The row of this way, made where there is none, and nobody else's until the transaction ends."""
        first = upsert(session, cls).values(
            way=way, kind=kind, since=now, last_at=now, answer="", failures=0, is_closed=False,
            rests_until=now, new_from=now,
            is_new_next=False, mailbox="", has_letters=False, seen=[],
        )  # fmt: skip
        session.execute(first.on_conflict_do_nothing(index_elements=[cls.way]))
        fault = cls.on(session, way, lock=True)
        assert fault is not None
        return fault


_IS_ON_WAYS = MailFault.way.in_(bindparam("ways", expanding=True))
_ANY_ON_WAYS = select(literal(1)).where(_IS_ON_WAYS).limit(1)
_ON_WAYS = (
    select(MailFault)
    .where(_IS_ON_WAYS)
    .order_by(MailFault.way)
    .with_for_update()
    .execution_options(populate_existing=True)
)


def _same_words(answer: str) -> str:
    """Two refusals are the same when their basic codes are the same, and their words too, without the parts
    that name one mail."""
    return f"{answer[:3]} {' '.join(_DIFFERS.sub('', answer[3:]).lower().split())}"
