"""An admin looks at how far activation has come, and how long the corrections wait.

The worker has counted the people by activation, and what else would cost too much here (count_desks.py).
Everything else is read through an index, and only as much as a page needs.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.act import Act
from app.domain.corrections import OPEN_STATES
from app.flows.reports.count_desks import DAYS_SHOWN, DeskCount, last_days
from app.models.activation_count import ActivationDay, ActivationUnit
from app.models.audit_event import Tag
from app.models.campaign_day import CampaignDay
from app.models.correction_question import CorrectionQuestion
from app.models.desk_figures import OF_ALL, DeskFigures
from app.models.email_correction import EmailCorrection
from app.models.instansi import Instansi
from app.models.pdm_window import PdmWindow
from app.security import audit
from app.security.authority import Authority

MOST_COUNTED = 1000
# The ages at which the strip of the queue is cut; the promise is kept up to the third
AGES = tuple(timedelta(hours=hours) for hours in (4, 12, 24, 72))


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
class Waiting:
    """Corrections that wait, of one age: from `since` on, and less than `until`."""

    since: timedelta
    until: timedelta | None
    count: CappedCount


@dataclass(frozen=True)
class Span:
    """The days that the chart of activation shows, and what happened in them."""

    first: date
    last: date
    window: PdmWindow | None
    campaigns: list[CampaignDay]


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


def counted_for(session: Session, reach: OverviewScope) -> DeskCount:
    """What the worker has counted last, for these instansi together."""
    if reach.instansi is not None:
        scopes = {reach.instansi.id}
    else:
        scopes = {OF_ALL} if reach.authority.is_pusat else set(reach.authority.instansi_ids)
    found = [DeskCount.read(content) for _, content in sorted(DeskFigures.of(session, scopes).items())]
    counted, *others = found or [DeskCount()]
    for other in others:
        counted.add(other)
    return counted


def days(
    session: Session, reach: OverviewScope, counted: DeskCount, today: date
) -> list[tuple[date, Figures]]:
    """The last days that were counted, in order. A day without a count is left out."""
    if reach.instansi is None and reach.authority.is_pusat:
        kept = [(date.fromisoformat(day), Figures(*counts)) for day, *counts in counted.days]
        return [(day, figures) for day, figures in kept if day > today - timedelta(days=DAYS_SHOWN)]
    columns = (
        ActivationDay.not_activated,
        ActivationDay.waiting_approval,
        ActivationDay.active,
        ActivationDay.deactivated,
    )
    found = select(ActivationDay.day, *(func.sum(column) for column in columns)).where(
        ActivationDay.day.in_(last_days(today)), reach.within(ActivationDay.instansi_id)
    )
    rows = session.execute(found.group_by(ActivationDay.day).order_by(ActivationDay.day)).all()
    return [(row[0], Figures(*(int(count) for count in row[1:]))) for row in rows]


def span_of(session: Session, reach: OverviewScope, first: date, last: date) -> Span:
    """The window and the campaigns that concern the instansi; for several, those that concern all."""
    one = reach.instansi.id if reach.instansi else None
    window = PdmWindow.in_force_for(session, one) if one else PdmWindow.of(session, None)
    is_seen = window and window.opens_on <= last and window.closes_on >= first
    return Span(first, last, window if is_seen else None, CampaignDay.shown_to(session, one, first, last))


def counted_at(session: Session, reach: OverviewScope) -> datetime | None:
    latest = select(ActivationDay.counted_at).where(reach.within(ActivationDay.instansi_id))
    return session.scalar(latest.order_by(ActivationDay.day.desc()).limit(1))


def units(session: Session, instansi: Instansi) -> list[OverviewRow]:
    """The units of one instansi, those with the lowest share first."""
    counted = select(ActivationUnit.work_unit, *_counts_of(ActivationUnit))
    rows = session.execute(counted.where(ActivationUnit.instansi_id == instansi.id))
    lines = [OverviewRow(unit, None, Figures(*counts)) for unit, *counts in rows]
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
    counted = select(Instansi.name, Instansi.code, *_counts_of(ActivationDay)).join(
        Instansi, Instansi.id == ActivationDay.instansi_id
    )
    rows = session.execute(
        counted.where(ActivationDay.day == latest.scalar_subquery(), reach.within(ActivationDay.instansi_id))
    )
    lines = [OverviewRow(name, code, Figures(*counts)) for name, code, *counts in rows]
    return sorted(
        lines,
        key=lambda line: (not line.figures.people, -line.figures.share, -line.figures.people, line.name),
    )


def _counts_of(kept: type[ActivationDay] | type[ActivationUnit]) -> tuple[InstrumentedAttribute[int], ...]:
    return kept.not_activated, kept.waiting_approval, kept.active, kept.deactivated


def queue(session: Session, reach: OverviewScope, now: datetime) -> list[Waiting]:
    """The corrections that wait, by age: the youngest first."""
    ages = [*pairwise((timedelta(), *AGES)), (AGES[-1], None)]
    return [
        Waiting(since, until, capped_count(session, _waiting(reach, now, since, until), MOST_COUNTED))
        for since, until in ages
    ]


def _waiting(reach: OverviewScope, now: datetime, since: timedelta, until: timedelta | None) -> Select[int]:
    found = open_corrections(reach)
    if since:
        found = found.where(EmailCorrection.submitted_at <= now - since)
    return found.where(EmailCorrection.submitted_at > now - until) if until else found


def open_corrections(reach: OverviewScope) -> Select[int]:
    return select(EmailCorrection.id).where(
        is_of_a_desk(reach), EmailCorrection.state.in_(OPEN_STATES), ~CorrectionQuestion.is_open()
    )


def is_of_a_desk(reach: OverviewScope) -> ColumnElement[bool]:
    """A request for a NIP that nobody has is in nobody's queue, so it is not in the queue of pusat either."""
    return reach.within(EmailCorrection.instansi_id) & EmailCorrection.instansi_id.is_not(None)


def capped_count(session: Session, found: Select[int], most: int) -> CappedCount:
    some = found.limit(most + 1).subquery()
    return CappedCount(session.scalar(select(func.count()).select_from(some)) or 0, most)


def note_export(
    session: Session, reach: OverviewScope, what: str, file_kind: str, how_many: int, act: Act[Authority]
) -> None:
    """Record that figures were exported."""
    desks = [reach.instansi.id] if reach.instansi else reach.authority.parts({})
    parts = dict.fromkeys(desks, how_many)
    audit.record_parts(session, Tag.EXPORTED, parts, act, what=what, file=file_kind)
