"""An admin sees how many people have activated, what waits and for how long, and which mails fail.

The worker has counted the people by activation. Everything else is read through an index, and only as much as
a page needs.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from statistics import median

from sqlalchemy import ColumnElement, Select, TextClause, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.act import Act
from app.domain.corrections import OPEN_STATES, PROMISE, CorrectionState
from app.domain.identity import ChangeState
from app.models.activation_count import ActivationDay, ActivationUnit
from app.models.audit_event import Tag
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi
from app.models.mail_fault import OURS, MailFault
from app.models.outbox_mail import MailState, OutboxMail
from app.models.user import User
from app.security import audit
from app.security.authority import Authority

DAYS_SHOWN = 30
MOST_COUNTED = 1000
MOST_STUCK_COUNTED = 100
STUCK_SHOWN = 10
CHANGES_SHOWN = 10
ALARMS_SHOWN = 5
MOST_MEASURED = 5000
FRESH = timedelta(hours=4)
MAILS_OF = timedelta(days=7)
_MAILS_LOOKED_AT = 20_000


@dataclass(frozen=True)
class Figures:
    """How many people have which activation."""

    not_activated: int
    waiting_approval: int
    active: int
    deactivated: int

    @property
    def people(self) -> int:
        """The people who should have an account: all except the deactivated."""
        return self.not_activated + self.waiting_approval + self.active

    @property
    def share(self) -> float:
        """How many percent of these people have activated it."""
        return 100 * self.active / self.people if self.people else 0.0

    @classmethod
    def sum(cls, some: "Iterable[Figures]") -> "Figures":
        rows = [(one.not_activated, one.waiting_approval, one.active, one.deactivated) for one in some]
        return cls(*(sum(column) for column in zip(*rows, strict=True))) if rows else cls(0, 0, 0, 0)


@dataclass(frozen=True)
class OverviewRow:
    """One row of a table or chart: a unit, or an instansi with its code."""

    name: str
    code: str | None
    figures: Figures


@dataclass(frozen=True)
class CappedCount:
    """A count that stops at `most`."""

    count: int
    most: int

    @property
    def shown(self) -> str:
        return f"{self.most}+" if self.count > self.most else str(self.count)

    def __bool__(self) -> bool:
        return self.count > 0


@dataclass(frozen=True)
class Queue:
    """Corrections that wait, by age."""

    fresh: CappedCount
    today: CappedCount
    late: CappedCount
    oldest_at: datetime | None


@dataclass(frozen=True)
class Promise:
    """How well the promise of 24 hours was kept, for corrections that came in lately and were decided."""

    decided: int
    within: int
    median: timedelta
    is_cut: bool

    @property
    def share(self) -> float:
        return 100 * self.within / self.decided


@dataclass(frozen=True)
class FailingDomain:
    domain: str
    count: int
    answer: str


@dataclass(frozen=True)
class Overview:
    """What waits and what fails, within reach."""

    corrections: Queue
    promise: Promise | None  # None if nothing was decided
    cpns: CappedCount
    cpns_oldest_at: datetime | None
    failing: list[FailingDomain]
    mails_are_cut: bool
    contested: list[IdentityChange]  # stopped by the owner and not settled, oldest first
    awaiting_second: list[IdentityChange]  # decided by one admin, oldest first
    stuck: list[User]
    without_login: CappedCount
    with_failed_mail: CappedCount


@dataclass(frozen=True)
class MailAlarm:
    """A fault on our side, because of which mails cannot leave, and how many wait for its end."""

    fault: MailFault
    waiting: CappedCount


@dataclass(frozen=True)
class OverviewScope:
    """The instansi that the figures are about: the one that was chosen, or all within reach."""

    authority: Authority
    instansi: Instansi | None

    def within(
        self, column: "InstrumentedAttribute[int] | InstrumentedAttribute[int | None]"
    ) -> ColumnElement[bool]:
        return column == self.instansi.id if self.instansi else self.authority.within(column)


def scope_of(session: Session, authority: Authority, code: str) -> OverviewScope | None:
    """The instansi with this code, or None if it is not within reach. Without a code: all instansi within
    reach. An admin of only one instansi has always chosen it."""
    if code:
        instansi = Instansi.with_code(session, code)
        return OverviewScope(authority, instansi) if instansi and authority.covers(instansi.id) else None
    only = authority.only_instansi_id
    return OverviewScope(authority, session.get(Instansi, only) if only is not None else None)


def days(session: Session, reach: OverviewScope, today: date) -> list[tuple[date, Figures]]:
    """The last days that were counted, in order. A day without a count is left out."""
    wanted = [today - timedelta(days=back) for back in range(DAYS_SHOWN)]
    columns = (
        ActivationDay.not_activated,
        ActivationDay.waiting_approval,
        ActivationDay.active,
        ActivationDay.deactivated,
    )
    counted = select(ActivationDay.day, *(func.sum(column) for column in columns)).where(
        ActivationDay.day.in_(wanted), reach.within(ActivationDay.instansi_id)
    )
    rows = session.execute(counted.group_by(ActivationDay.day).order_by(ActivationDay.day)).all()
    return [(row[0], Figures(*(int(count) for count in row[1:]))) for row in rows]


def counted_at(session: Session, reach: OverviewScope) -> datetime | None:
    latest = select(ActivationDay.counted_at).where(reach.within(ActivationDay.instansi_id))
    return session.scalar(latest.order_by(ActivationDay.day.desc()).limit(1))


def units(session: Session, instansi: Instansi) -> list[OverviewRow]:
    """The units of one instansi, those with the lowest share first."""
    counted = session.scalars(select(ActivationUnit).where(ActivationUnit.instansi_id == instansi.id))
    lines = [OverviewRow(unit.work_unit, None, _figures(unit)) for unit in counted]
    return sorted(
        lines, key=lambda line: (not line.figures.people, line.figures.share, -line.figures.people, line.name)
    )


def ranking(session: Session, reach: OverviewScope) -> list[OverviewRow]:
    """All instansi within reach as they stood on the last day that was counted, the highest share first."""
    latest = (
        select(ActivationDay.day)
        .where(reach.within(ActivationDay.instansi_id))
        .order_by(ActivationDay.day.desc())
        .limit(1)
    )
    counted = select(ActivationDay, Instansi).join(Instansi, Instansi.id == ActivationDay.instansi_id)
    rows = session.execute(
        counted.where(ActivationDay.day == latest.scalar_subquery(), reach.within(ActivationDay.instansi_id))
    )
    lines = [OverviewRow(instansi.name, instansi.code, _figures(day)) for day, instansi in rows]
    return sorted(
        lines,
        key=lambda line: (not line.figures.people, -line.figures.share, -line.figures.people, line.name),
    )


def read_overview(session: Session, reach: OverviewScope, now: datetime) -> Overview:
    failing, is_cut = _failing(session, reach, now)
    within = reach.within(User.instansi_id)
    return Overview(
        corrections=_queue(session, reach, now),
        promise=_promise(session, reach, now),
        cpns=_count(session, select(User.id).where(within, _WAITS), MOST_COUNTED),
        cpns_oldest_at=min(
            (at for at, _ in _oldest(session, reach, User.activation_changed_at, _WAITS)), default=None
        ),
        failing=failing,
        mails_are_cut=is_cut,
        contested=_waiting(session, reach, ChangeState.FROZEN),
        awaiting_second=_waiting(session, reach, ChangeState.NEEDS_SECOND),
        stuck=_stuck(session, reach),
        without_login=_count(
            session, select(User.id).where(within, User.stuck_since.is_not(None)), MOST_STUCK_COUNTED
        ),
        with_failed_mail=_count(
            session, select(User.id).where(within, User.mail_failed_at.is_not(None)), MOST_STUCK_COUNTED
        ),
    )


def mail_alarms(session: Session, authority: Authority) -> list[MailAlarm]:
    """For pusat only, because the operator can end such a fault, and the mails of all instansi are in one
    outbox."""
    if not authority.is_pusat:
        return []
    found = []
    for fault in MailFault.alarms(session)[:ALARMS_SHOWN]:
        waiting = OutboxMail.how_many_wait(session, MOST_COUNTED, None if fault.is_everywhere else fault.way)
        found.append(MailAlarm(fault, CappedCount(waiting, MOST_COUNTED)))
    return found


def note_export(
    session: Session, reach: OverviewScope, what: str, file_kind: str, how_many: int, act: Act[Authority]
) -> None:
    """Record that figures were exported."""
    desks = [reach.instansi.id] if reach.instansi else reach.authority.parts({})
    parts = dict.fromkeys(desks, how_many)
    audit.record_parts(session, Tag.EXPORTED, parts, act, what=what, file=file_kind)


# Written as text, because a partial index is used only if the condition is literally the same.
_WAITS = text("user_account.activation = 'waiting_approval'")


def _queue(session: Session, reach: OverviewScope, now: datetime) -> Queue:
    def waiting(since: datetime | None, until: datetime | None) -> CappedCount:
        found = _open(reach)
        if since:
            found = found.where(EmailCorrection.submitted_at > since)
        if until:
            found = found.where(EmailCorrection.submitted_at <= until)
        return _count(session, found, MOST_COUNTED)

    oldest = [
        session.scalar(
            select(EmailCorrection.submitted_at)
            .where(_is_of_a_desk(reach), EmailCorrection.state == state)
            .order_by(EmailCorrection.submitted_at)
            .limit(1)
        )
        for state in OPEN_STATES
    ]
    return Queue(
        fresh=waiting(now - FRESH, None),
        today=waiting(now - PROMISE, now - FRESH),
        late=waiting(None, now - PROMISE),
        oldest_at=min((moment for moment in oldest if moment), default=None),
    )


def _open(reach: OverviewScope) -> Select[int]:
    return select(EmailCorrection.id).where(_is_of_a_desk(reach), EmailCorrection.state.in_(OPEN_STATES))


def _is_of_a_desk(reach: OverviewScope) -> ColumnElement[bool]:
    """A request for a NIP that nobody has is in nobody's queue, so it is not in the queue of pusat either."""
    return reach.within(EmailCorrection.instansi_id) & EmailCorrection.instansi_id.is_not(None)


def _promise(session: Session, reach: OverviewScope, now: datetime) -> Promise | None:
    """The corrections that came in during the last days and were decided. If there are very many, only the
    newest count."""
    spans = []
    for state in (CorrectionState.APPROVED, CorrectionState.REJECTED):
        decided = (
            select(EmailCorrection.submitted_at, EmailCorrection.decided_at)
            .where(_is_of_a_desk(reach), EmailCorrection.state == state)
            .where(EmailCorrection.submitted_at > now - timedelta(days=DAYS_SHOWN))
            .order_by(EmailCorrection.submitted_at.desc())
            .limit(MOST_MEASURED)
        )
        spans += [answered - asked for asked, answered in session.execute(decided) if asked and answered]
    if not spans:
        return None
    in_seconds = median(span.total_seconds() for span in spans)
    within = sum(span <= PROMISE for span in spans)
    return Promise(len(spans), within, timedelta(seconds=in_seconds), len(spans) >= MOST_MEASURED)


def _stuck(session: Session, reach: OverviewScope) -> list[User]:
    """The people who have waited longest since they got a token, over all instansi. They are among the first
    people of those instansi whose first person has waited longest."""
    is_stuck = User.stuck_since.is_not(None)
    oldest = sorted(_oldest(session, reach, User.stuck_since, is_stuck))[:STUCK_SHOWN]
    people: list[tuple[datetime, int, User]] = []
    for _, instansi_id in oldest:
        first = (
            select(User)
            .where(User.instansi_id == instansi_id, is_stuck)
            .order_by(User.stuck_since, User.id)
            .limit(STUCK_SHOWN)
        )
        people += [(user.stuck_since, user.id, user) for user in session.scalars(first) if user.stuck_since]
    return [user for _, _, user in sorted(people, key=lambda one: one[:2])[:STUCK_SHOWN]]


def _oldest(
    session: Session,
    reach: OverviewScope,
    column: "InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]",
    condition: ColumnElement[bool] | TextClause,
) -> list[tuple[datetime, int]]:
    """The earliest moment among the people of each instansi, with one look into the index for each."""
    among = (
        select(column)
        .where(User.instansi_id == Instansi.id, condition)
        .order_by(column)
        .limit(1)
        .correlate(Instansi)
    )
    found = session.execute(select(among.scalar_subquery(), Instansi.id).where(reach.within(Instansi.id)))
    return [(moment, instansi_id) for moment, instansi_id in found if moment]


def _waiting(session: Session, reach: OverviewScope, state: ChangeState) -> list[IdentityChange]:
    waiting = select(IdentityChange).where(
        IdentityChange.state == state,
        IdentityChange.settled_at.is_(None),
        reach.within(IdentityChange.instansi_id),
    )
    since = IdentityChange.ended_at if state is ChangeState.FROZEN else IdentityChange.decided_at
    return list(session.scalars(waiting.order_by(since, IdentityChange.id).limit(CHANGES_SHOWN)))


def _failing(session: Session, reach: OverviewScope, now: datetime) -> tuple[list[FailingDomain], bool]:
    """Mails of the last days that failed, were put off or bounced, by the domain that they went to. Mails
    that failed because of a fault on our side say nothing about a domain."""
    counts: Counter[str] = Counter()
    last: dict[str, tuple[datetime, str]] = {}
    failed = [_bounced(session, reach, now)]
    for state in (MailState.FAILED, MailState.DEFERRED):
        newest = (
            select(OutboxMail.id)
            .where(OutboxMail.state == state, OutboxMail.due_at > now - MAILS_OF)
            .where(or_(OutboxMail.fault.is_(None), OutboxMail.fault.not_in(OURS)))
            .order_by(OutboxMail.due_at.desc())
            .limit(_MAILS_LOOKED_AT)
            .subquery()
        )
        refused = (
            select(OutboxMail.to_address, OutboxMail.server_answer, OutboxMail.begun_at)
            .join(newest, newest.c.id == OutboxMail.id)
            .join(User, User.id == OutboxMail.user_id)
            .where(reach.within(User.instansi_id), OutboxMail.posted_at > now - MAILS_OF)
            .limit(MOST_MEASURED)
        )
        failed.append([(address, answer, at) for address, answer, at in session.execute(refused)])
    for address, answer, at in chain(*failed):
        domain = address.rpartition("@")[2].lower()
        counts[domain] += 1
        last[domain] = max(last.get(domain, (now - 2 * MAILS_OF, "")), (at or now - MAILS_OF, answer or ""))
    is_cut = any(len(rows) == MOST_MEASURED for rows in failed)
    return [FailingDomain(domain, count, last[domain][1]) for domain, count in counts.most_common(20)], is_cut


def _bounced(
    session: Session, reach: OverviewScope, now: datetime
) -> list[tuple[str, str | None, datetime | None]]:
    """The bounces of addresses on record, if the address was the cause. Readers of other addresses could have
    written such a report themselves."""
    newest = (
        select(OutboxMail.id)
        .where(OutboxMail.bounced_at > now - MAILS_OF)
        .order_by(OutboxMail.bounced_at.desc())
        .limit(_MAILS_LOOKED_AT)
        .subquery()
    )
    bounced = (
        select(OutboxMail.to_address, OutboxMail.bounce_answer, OutboxMail.bounced_at)
        .join(newest, newest.c.id == OutboxMail.id)
        .join(User, User.id == OutboxMail.user_id)
        .where(
            reach.within(User.instansi_id),
            OutboxMail.bounce_is_hard.is_(True),
            User.email == OutboxMail.to_address,
        )
        .limit(MOST_MEASURED)
    )
    return [(address, answer, at) for address, answer, at in session.execute(bounced)]


def _count(session: Session, found: Select[int], most: int) -> CappedCount:
    return CappedCount(
        session.scalar(select(func.count()).select_from(found.limit(most + 1).subquery())) or 0, most
    )


def _figures(row: ActivationDay | ActivationUnit) -> Figures:
    return Figures(row.not_activated, row.waiting_approval, row.active, row.deactivated)
