"""The operator and everybody who waits for a token want to know how the portal is doing: a worker counts what
only the database knows.

Every statement reads a bounded part of an index, however many people, old mails and rows of the trail there
are. What is very much is counted up to a limit.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any, TypedDict

from sqlalchemy import CompoundSelect, Select, String, bindparam, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from app.models.audit_event import AuditEvent
from app.models.base import UtcDateTime
from app.models.figures import Figures
from app.models.login_session import LoginSession
from app.models.mail_fault import MailFault
from app.models.outbox_mail import Letter, MailState, OutboxMail, Urgency

MOST_MAILS, MOST_SESSIONS, MOST_ROWS = 20_000, 100_000, 100_000
OF_LATE = timedelta(minutes=15)
_MOST_ANSWERS = 500
# What people get who ask for a token. All of these count, the tokens and the others, so that nobody can learn
# from a figure that everybody may read which of them has just left.
_ANSWERS = (Letter.TOKEN, Letter.ADDRESS_NOT_REGISTERED, Letter.ACCOUNT_DEACTIVATED)
_THEIR_URGENCIES = sorted({one.urgency for one in _ANSWERS})
_UNSENT = (MailState.WAITING, MailState.SENDING, MailState.DEFERRED, MailState.UNCERTAIN)
RENEWED_AFTER = timedelta(seconds=9)  # another worker has just counted
# Although nothing has changed, so that everybody sees that a worker lives
RENEWED_IN_ANY_CASE_AFTER = timedelta(seconds=55)


class Unsent(TypedDict):
    """Mails of one kind and state."""

    letter: str
    state: str
    how_many: int
    oldest: str


@dataclass(frozen=True)
class Counted:
    """What a worker has counted. Moments are texts in ISO 8601: as long as nothing happens, nothing in here
    changes."""

    unsent: list[Unsent] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    sessions: int = 0
    unsealed: int = 0
    unsealed_since: str | None = None
    # Of the answers to asks that have left of late, at the first try: seconds until the mail server had them
    answers_typical: float | None = None
    answers_slowest: float | None = None
    answer_waits_since: str | None = None  # posted then, and not tried yet

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Counted":
        """What another release has counted besides is left out."""
        return cls(**{name: content[name] for name in cls.__dataclass_fields__ if name in content})

    def written(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def count_figures(session: Session, now: datetime) -> Counted:
    delays = _delays_of_answers(session, now)
    return Counted(
        unsent=_unsent(session),
        faults=dict(Counter(fault.kind.value for fault in MailFault.alarms(session))),
        sessions=session.scalar(_SESSIONS, {"now": now}) or 0,
        unsealed=session.scalar(_UNSEALED) or 0,
        unsealed_since=_written(session.scalar(_OLDEST_UNSEALED)),
        answers_typical=round(median(delays), 1) if delays else None,
        answers_slowest=round(max(delays), 1) if delays else None,
        answer_waits_since=_written(min(session.scalars(_OLDEST_ANSWERS), default=None)),
    )


def is_due(found: Figures | None, now: datetime) -> bool:
    """Whether nobody has just counted. A moment that lies ahead is that of a clock which was wrong."""
    return found is None or not timedelta() <= now - found.made_at < RENEWED_AFTER


def renew(session: Session, counted: Counted, found: Figures | None, now: datetime) -> None:
    Figures.renew(session, counted.written(), now, instead_of=found)


def has_to_be_written(counted: Counted, found: Figures | None, now: datetime) -> bool:
    """Whether there is anything new to tell: an idle portal writes once a minute."""
    if found is None or found.content != counted.written():
        return True
    return not timedelta() <= now - found.made_at < RENEWED_IN_ANY_CASE_AFTER


def _unsent(session: Session) -> list[Unsent]:
    rows = session.execute(_OF_EACH_STATE).all()
    return [
        {"letter": row.letter, "state": row.state, "how_many": row.how_many, "oldest": row.oldest.isoformat()}
        for row in sorted(rows)
    ]


def _delays_of_answers(session: Session, now: datetime) -> list[float]:
    """Seconds. Only mails that left at the first try: the others say something about their recipients."""
    rows = session.execute(_ANSWERS_OF_LATE, {"since": now - OF_LATE}).all()
    answers = {letter.value for letter in _ANSWERS}
    return [
        (row.settled_at - row.posted_at).total_seconds()
        for row in rows
        if row.letter in answers and row.attempts == 1 and row.settled_at is not None
    ]


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


# -- statements, built once
# As texts, because a newer release may have written words that this one does not know
_LETTER, _STATE = (
    cast(OutboxMail.letter, String).label("letter"),
    cast(OutboxMail.state, String).label("state"),
)


def _of_each_state() -> Select[*tuple[Any, ...]]:
    found = union_all(*(_together(_oldest_in(state)) for state in _UNSENT)).subquery()
    columns = (found.c.letter, found.c.state, func.count().label("how_many"))
    oldest = func.min(found.c.posted_at, type_=UtcDateTime).label("oldest")
    return select(*columns, oldest).group_by(found.c.letter, found.c.state)


def _oldest_in(state: MailState) -> Select[*tuple[Any, ...]]:
    found = select(_LETTER, _STATE, OutboxMail.posted_at).where(OutboxMail.state == state)
    return found.order_by(OutboxMail.due_at).limit(MOST_MAILS)


def _answers_of_late() -> CompoundSelect[Any]:
    return union_all(*(_together(_newest_sent(urgency)) for urgency in _THEIR_URGENCIES))


def _newest_sent(urgency: Urgency) -> Select[*tuple[Any, ...]]:
    columns = (_LETTER, OutboxMail.attempts, OutboxMail.posted_at, OutboxMail.settled_at)
    since = OutboxMail.due_at > bindparam("since", type_=UtcDateTime)
    sent = select(*columns).where(*_of(MailState.SENT, urgency), since)
    return sent.order_by(OutboxMail.due_at.desc()).limit(_MOST_ANSWERS)


def _oldest_answers() -> CompoundSelect[Any]:
    waiting = (
        select(OutboxMail.posted_at)
        .where(*_of(MailState.WAITING, urgency))
        .order_by(OutboxMail.due_at)
        .limit(1)
        for urgency in _THEIR_URGENCIES
    )
    return union_all(*map(_together, waiting))


def _of(state: MailState, urgency: Urgency) -> tuple[Any, ...]:
    """In the order of `ix_outbox_mail_queue`."""
    return OutboxMail.state == state, OutboxMail.is_parked.is_(False), OutboxMail.urgency == int(urgency)


def _together(ordered: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """SQLite takes an order and a limit within a union only in this form."""
    return select(ordered.subquery())


def _how_many(found: Select[*tuple[Any, ...]], most: int) -> Select[*tuple[Any, ...]]:
    return select(func.count()).select_from(found.limit(most).subquery())


_OF_EACH_STATE = _of_each_state()
_ANSWERS_OF_LATE = _answers_of_late()
_OLDEST_ANSWERS = _oldest_answers()
_IS_UNSEALED = AuditEvent.seal_no.is_(None)
_SESSIONS = _how_many(
    select(literal(1)).where(LoginSession.ends_at > bindparam("now", type_=UtcDateTime)), MOST_SESSIONS
)
_UNSEALED = _how_many(select(literal(1)).where(_IS_UNSEALED), MOST_ROWS)
# Ordered by the moment alone, PostgreSQL would read through all sealed rows, which are older
_OLDEST_UNSEALED = (
    select(AuditEvent.at).where(_IS_UNSEALED).order_by(AuditEvent.seal_no, AuditEvent.at).limit(1)
)
