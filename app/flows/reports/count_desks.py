"""The worker counts for the overview of each desk what would cost too much to count on the page: who is stuck
and why, what became of the mails of the last hours and to which domains they fail, how well the promise was
kept, and how far activation has come in all instansi together.

Every statement reads the newest part of an index, or an index over few people.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from statistics import median
from typing import Any, assert_never

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.orm import Session

from app.domain.corrections import PROMISE, CorrectionState
from app.domain.indonesian_time import today_in_jakarta
from app.domain.labelled import Labelled
from app.models.activation_count import ActivationDay
from app.models.desk_figures import OF_ALL, DeskFigures
from app.models.email_correction import EmailCorrection
from app.models.instansi import Instansi
from app.models.mail_fault import OURS
from app.models.outbox_mail import MailState, OutboxMail
from app.models.stuck import Stuck
from app.models.user import User

DAYS_SHOWN = 30
HOURS_OF_MAILS = 48
DOMAINS_OF = timedelta(days=7)
MOST_MAILS = 20_000  # that failed, of each kind
MOST_DECIDED = 100_000
DOMAINS_SHOWN = 20
# Written as text, because a partial index is used only if the condition is literally the same
WAITS_FOR_APPROVAL = text("user_account.activation = 'waiting_approval'")
_HOUR = timedelta(hours=1)


class MailOutcome(Labelled):
    """What became of a mail, as the desk looks at it."""

    ARRIVED = "sampai", "Diterima server penerima"
    ON_THE_WAY = "jalan", "Masih menunggu atau dicoba lagi"
    FAILED = "gagal", "Gagal atau dipantulkan"
    HELD = "ditahan", "Ditahan oleh batas"


@dataclass
class FailingDomain:
    """A domain from which mails came back, or that refused them or put them off."""

    domain: str
    count: int = 0
    answer: str = ""
    since: str = ""  # the first and the last of them, in ISO 8601
    last: str = ""

    @property
    def since_at(self) -> datetime:
        return datetime.fromisoformat(self.since)

    def add(self, other: "FailingDomain") -> None:
        self.count += other.count
        self.since = min(filter(None, (self.since, other.since)))
        if other.last >= self.last:
            self.last, self.answer = other.last, other.answer


@dataclass
class Promise:
    """How well the promise of 24 hours was kept, for corrections that came in lately and were decided."""

    decided: int
    within: int
    median_seconds: float | None  # None for several desks together: medians cannot be added

    @property
    def median(self) -> timedelta | None:
        return None if self.median_seconds is None else timedelta(seconds=self.median_seconds)

    @property
    def share(self) -> float:
        return 100 * self.within / self.decided

    def with_other(self, other: "Promise") -> "Promise":
        return Promise(self.decided + other.decided, self.within + other.within, None)


@dataclass
class DeskCount:
    """What was counted for one desk. Moments are texts in ISO 8601."""

    stuck: dict[str, int] = field(default_factory=dict)  # by `Stuck`
    cpns_since: str | None = None  # since when the first CPNS has waited
    mails: dict[str, dict[str, int]] = field(default_factory=dict)  # by hour and `MailOutcome`
    domains: list[FailingDomain] = field(default_factory=list)
    promise: Promise | None = None
    days: list[tuple[str, int, int, int, int]] = field(default_factory=list)  # of all instansi together

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "DeskCount":
        """What another release has counted besides is left out."""
        count = cls(**_known(cls, content))
        count.domains = [FailingDomain(**_known(FailingDomain, one)) for one in content.get("domains", ())]
        count.promise = Promise(**_known(Promise, content["promise"])) if content.get("promise") else None
        return count

    def add(self, other: "DeskCount") -> None:
        """Make this the count of both."""
        self.stuck = dict(Counter(self.stuck) + Counter(other.stuck))
        self.cpns_since = min(filter(None, (self.cpns_since, other.cpns_since)), default=None)
        for hour, outcomes in other.mails.items():
            self.mails[hour] = dict(Counter(self.mails.get(hour, {})) + Counter(outcomes))
        self.domains = together([*self.domains, *other.domains])
        if self.promise and other.promise:
            self.promise = self.promise.with_other(other.promise)
        else:
            self.promise = self.promise or other.promise


def _known(kind: type[DeskCount | FailingDomain | Promise], content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: content[name] for name in kind.__dataclass_fields__ if name in content}


def count_desks(session: Session, now: datetime) -> dict[int, DeskCount]:
    """Count for every instansi, and for all of them (`OF_ALL`)."""
    # An instansi may be added meanwhile
    desks = defaultdict(DeskCount, {one: DeskCount() for one in session.scalars(select(Instansi.id))})
    _count_stuck(session, desks)
    _count_mails(session, desks, now)
    everybody = DeskCount(days=_days(session, now))
    for desk in desks.values():
        everybody.add(desk)
    failing, spans = _failing(session, now), _spans(session, now)
    for instansi_id, desk in desks.items():
        desk.domains = together(failing.get(instansi_id, ()))
        desk.promise = _promise(spans.get(instansi_id, ()))
    everybody.domains = together(chain.from_iterable(failing.values()))
    everybody.promise = _promise([*chain.from_iterable(spans.values())])
    return {OF_ALL: everybody, **desks}


def note_desks(session: Session, counted: Mapping[int, DeskCount]) -> None:
    """Write down what was counted. Only rows that differ are written."""
    DeskFigures.write(session, {scope: _content(count) for scope, count in counted.items()})


def _content(count: DeskCount) -> dict[str, Any]:
    return {**asdict(count), "days": [list(day) for day in count.days]}


def _count_stuck(session: Session, desks: dict[int, DeskCount]) -> None:
    for stuck in Stuck:
        found = select(User.instansi_id, func.count()).where(stuck.condition).group_by(User.instansi_id)
        for instansi_id, count in session.execute(found):
            desks[instansi_id].stuck[stuck.value] = count
    first = func.min(User.activation_changed_at)
    waiting = select(User.instansi_id, first).where(WAITS_FOR_APPROVAL).group_by(User.instansi_id)
    for instansi_id, since in session.execute(waiting):
        desks[instansi_id].cpns_since = since.isoformat()


def _count_mails(session: Session, desks: dict[int, DeskCount], now: datetime) -> None:
    """The mails to people on record, hour by hour. Mails to strangers are nobody's."""
    newest = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    columns = (User.instansi_id, OutboxMail.state, OutboxMail.bounce_is_hard)
    for back in range(HOURS_OF_MAILS):
        hour = newest - back * _HOUR
        of_hour = (OutboxMail.posted_at >= hour, OutboxMail.posted_at < hour + _HOUR)
        counted = select(*columns, func.count()).join(User, User.id == OutboxMail.user_id).where(*of_hour)
        outcomes: dict[int, Counter[str]] = defaultdict(Counter)
        for instansi_id, state, is_bounced, count in session.execute(counted.group_by(*columns)):
            outcomes[instansi_id][outcome_of(state, is_bounced=bool(is_bounced)).value] += count
        for instansi_id, some in outcomes.items():
            desks[instansi_id].mails[hour.isoformat()] = dict(some)


def outcome_of(state: MailState, *, is_bounced: bool) -> MailOutcome:
    match state:
        case MailState.SENT:
            return MailOutcome.FAILED if is_bounced else MailOutcome.ARRIVED
        case MailState.WAITING | MailState.SENDING | MailState.DEFERRED:
            return MailOutcome.ON_THE_WAY
        case MailState.FAILED | MailState.UNCERTAIN:
            return MailOutcome.FAILED
        case MailState.HELD:
            return MailOutcome.HELD
        case _:
            assert_never(state)


def _failing(session: Session, now: datetime) -> dict[int, list[FailingDomain]]:
    """By instansi, the mails of the last days that failed, were put off or bounced, each with the domain that
    it went to. Mails that failed because of a fault on our side say nothing about a domain."""
    failing: dict[int, list[FailingDomain]] = defaultdict(list)
    since = now - DOMAINS_OF
    for found in (_refused(MailState.FAILED, since), _refused(MailState.DEFERRED, since), _bounced(since)):
        for instansi_id, domain, answer, at in session.execute(found):
            moment = (at or now).isoformat()
            failing[instansi_id].append(FailingDomain(domain, 1, answer or "", moment, moment))
    return failing


def together(some: Iterable[FailingDomain]) -> list[FailingDomain]:
    """One for each domain, the largest first."""
    found: dict[str, FailingDomain] = {}
    for one in some:
        found.setdefault(one.domain, FailingDomain(one.domain)).add(one)
    return sorted(found.values(), key=lambda one: (-one.count, one.domain))[:DOMAINS_SHOWN]


def _refused(state: MailState, since: datetime) -> Select[int, str, str | None, datetime]:
    newest = (
        select(OutboxMail.id)
        .where(OutboxMail.state == state, OutboxMail.due_at > since)
        .where(or_(OutboxMail.fault.is_(None), OutboxMail.fault.not_in(OURS)))
        .order_by(OutboxMail.due_at.desc())
        .limit(MOST_MAILS)
        .subquery()
    )
    at = func.coalesce(OutboxMail.begun_at, OutboxMail.posted_at)
    columns = select(User.instansi_id, OutboxMail.domain, OutboxMail.server_answer, at)
    its = columns.join(newest, newest.c.id == OutboxMail.id).join(User, User.id == OutboxMail.user_id)
    return its.where(OutboxMail.posted_at > since)


def _bounced(since: datetime) -> Select[int, str, str | None, datetime | None]:
    """The bounces of addresses on record, if the address was the cause. Readers of other addresses could have
    written such a report themselves."""
    newest = (
        select(OutboxMail.id)
        .where(OutboxMail.bounced_at > since)
        .order_by(OutboxMail.bounced_at.desc())
        .limit(MOST_MAILS)
        .subquery()
    )
    columns = select(User.instansi_id, OutboxMail.domain, OutboxMail.bounce_answer, OutboxMail.bounced_at)
    its = columns.join(newest, newest.c.id == OutboxMail.id).join(User, User.id == OutboxMail.user_id)
    return its.where(OutboxMail.bounce_is_hard.is_(True), User.email == OutboxMail.to_address)


def _spans(session: Session, now: datetime) -> dict[int, list[float]]:
    """By instansi, how many seconds each correction has waited that came in during the last days and was
    decided. If there are very many, only the newest count."""
    spans: dict[int, list[float]] = defaultdict(list)
    for state in (CorrectionState.APPROVED, CorrectionState.REJECTED):
        decided = (
            select(EmailCorrection.instansi_id, EmailCorrection.submitted_at, EmailCorrection.decided_at)
            .where(EmailCorrection.state == state, EmailCorrection.instansi_id.is_not(None))
            .where(EmailCorrection.submitted_at > now - timedelta(days=DAYS_SHOWN))
            .order_by(EmailCorrection.submitted_at.desc())
            .limit(MOST_DECIDED)
        )
        for instansi_id, asked, answered in session.execute(decided):
            if instansi_id is not None and asked and answered:
                spans[instansi_id].append((answered - asked).total_seconds())
    return spans


def _promise(spans: Sequence[float]) -> Promise | None:
    if not spans:
        return None
    return Promise(len(spans), sum(span <= PROMISE.total_seconds() for span in spans), median(spans))


def _days(session: Session, now: datetime) -> list[tuple[str, int, int, int, int]]:
    """The last days of all instansi together, in order. A day without a count is left out."""
    today = today_in_jakarta(now)
    columns = [
        func.sum(getattr(ActivationDay, name))
        for name in ("not_activated", "waiting_approval", "active", "deactivated")
    ]
    counted = select(ActivationDay.day, *columns).where(ActivationDay.day.in_(last_days(today)))
    rows = session.execute(counted.group_by(ActivationDay.day).order_by(ActivationDay.day))
    return [(day.isoformat(), *(int(count) for count in counts)) for day, *counts in rows]


def last_days(today: date) -> list[date]:
    return [today - timedelta(days=back) for back in range(DAYS_SHOWN)]
