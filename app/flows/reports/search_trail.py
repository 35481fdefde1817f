"""An admin looks up what happened, and exports it as a file.

The trail only grows, so no search reads all of it. An index leads to the first row, and at most a few
thousand rows are looked at from there. An admin who wants more goes on from the row where the search ended.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session, aliased, joinedload, lazyload, load_only

from app.domain.act import Act
from app.domain.indonesian_time import WIB
from app.domain.nip import Nip
from app.domain.paging import ROWS_A_PAGE
from app.domain.pusat_reports import ReportKind
from app.mail.report_to_pusat import report_to_pusat
from app.models.audit_event import AuditEvent, Exported, Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority

MOST_EXPORTED = 50_000
ROWS_LOOKED_AT = 5000
_FIRST_LOOK = 500
_MOST_LOOKS_OF_EXPORT = 200
_ROWS_AT_ONCE = 500
_LARGEST_ID = 2**63 - 1
# An event is written some time after its moment. The longest act, an import of everybody, takes less than
# this.
_LONGEST_ACT = timedelta(days=1)


@dataclass(frozen=True)
class TrailFilter:
    """What is looked for. Days are days in Jakarta. No tags means all tags."""

    tags: frozenset[Tag] = frozenset()
    account: Nip | None = None
    actor: Nip | None = None
    since: date | None = None
    until: date | None = None

    @property
    def leave_some_out(self) -> bool:
        return self != TrailFilter()


@dataclass(frozen=True)
class TrailPage:
    """One page, newest first. `next_id` is None at the end. `is_partial` if the page ended because enough
    rows were looked at."""

    events: list[AuditEvent]
    next_id: int | None
    is_partial: bool


@dataclass(frozen=True)
class Export:
    """The events of a file, by id, and how far it goes."""

    ids: list[int]
    is_cut: bool


@dataclass(frozen=True)
class _PageOfIds:
    ids: list[int]
    next_id: int | None
    is_partial: bool


def search_trail(
    session: Session, authority: Authority, wanted: TrailFilter, before: int | None = None
) -> TrailPage:
    """The next events within reach, with an id below `before`. For a NIP out of reach nothing is found, as
    for an unknown NIP."""
    found = _search(session, authority, wanted, before, ROWS_A_PAGE)
    return TrailPage(_with_ids(session, found.ids), found.next_id, found.is_partial)


def export_trail(session: Session, wanted: TrailFilter, file_kind: str, act: Act[Authority]) -> Export:
    """Choose the events of a file, record the export, and tell pusat."""
    ids: list[int] = []
    looks, place = 0, _PageOfIds([], None, False)
    while len(ids) < MOST_EXPORTED and looks < _MOST_LOOKS_OF_EXPORT:
        place = _search(session, act.by, wanted, place.next_id, min(ROWS_LOOKED_AT, MOST_EXPORTED - len(ids)))
        ids += place.ids
        looks += 1
        if place.next_id is None:
            break
    parts = act.by.parts(_counts(session, ids))
    audit.record_parts(session, Tag.EXPORTED, parts, act, what=Exported.TRAIL, file=file_kind)
    words = "mengekspor jejak audit"
    report_to_pusat(session, ReportKind.TRAIL_EXPORTS, act.by.admin, words, len(ids), act)
    return Export(ids, place.next_id is not None)


def exported_events(session: Session, ids: Sequence[int]) -> Iterator[AuditEvent]:
    """The chosen events, a few hundred at a time in memory."""
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        yield from _with_ids(session, ids[start : start + _ROWS_AT_ONCE])
        session.expunge_all()


def seen_by_others(session: Session, user: User, most: int) -> list[AuditEvent]:
    """The last acts of other people on somebody's account, newest first."""
    own = (
        select(AuditEvent)
        .where(AuditEvent.account_id == user.id)
        .order_by(AuditEvent.id.desc())
        .limit(ROWS_LOOKED_AT)
    )
    event = aliased(AuditEvent, own.subquery())
    by_another = (event.actor_id.is_not(None), event.actor_id != user.id)
    return list(
        session.scalars(
            select(event)
            .where(*by_another)
            .order_by(event.id.desc())
            .limit(most)
            .options(joinedload(event.actor))
        )
    )


def _search(
    session: Session, authority: Authority, wanted: TrailFilter, before: int | None, most: int
) -> _PageOfIds:
    starts = _starts(session, authority, wanted)
    below, above = _between(session, wanted, before)
    ids: list[int] = []
    reached = 0  # not all rows below this id have been looked at
    for start in starts:
        place = (start, AuditEvent.id < below, AuditEvent.id > above)
        some, end = _fitting(session, authority, wanted, place, most)
        ids += some
        reached = max(reached, end)
    ids = sorted((found for found in ids if found >= reached), reverse=True)
    if len(ids) > most:
        return _PageOfIds(ids[:most], ids[most - 1], False)
    return _PageOfIds(ids, reached or None, bool(reached))


def _fitting(
    session: Session,
    authority: Authority,
    wanted: TrailFilter,
    place: tuple[ColumnElement[bool], ...],
    most: int,
) -> tuple[Sequence[int], int]:
    """The newest events of a place that fit, up to one more than `most`; and the id at which the look ended
    before that, or 0 if it came to the end. What is looked for is often among the newest, so the first look
    is short."""
    some: Sequence[int] = []
    last = 0
    for size in (min(_FIRST_LOOK, ROWS_LOOKED_AT), ROWS_LOOKED_AT) if wanted.leave_some_out else (most + 1,):
        looked_at = (
            select(AuditEvent.id, AuditEvent.tag, AuditEvent.at, AuditEvent.instansi_id)
            .where(*place)
            .order_by(AuditEvent.id.desc())
            .limit(size)
            .subquery()
        )
        event = aliased(AuditEvent, looked_at)
        fitting = select(event.id).where(authority.within(event.instansi_id), *_conditions(event, wanted))
        some = session.scalars(fitting.order_by(event.id.desc()).limit(most + 1)).all()
        if len(some) > most or not wanted.leave_some_out:
            return some, 0
        last, count = session.execute(
            select(func.min(looked_at.c.id), func.count()).select_from(looked_at)
        ).one()
        if count < size:
            return some, 0
    return some, last


def _counts(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """How many of these events belong to which desk. Events of no desk are counted under 0, which is the id
    of no instansi."""
    counts: Counter[int] = Counter()
    for start in range(0, len(ids), ROWS_LOOKED_AT):
        some = AuditEvent.id.in_(ids[start : start + ROWS_LOOKED_AT])
        desks = select(AuditEvent.instansi_id, func.count()).where(some).group_by(AuditEvent.instansi_id)
        for instansi_id, count in session.execute(desks):
            counts[instansi_id or 0] += count
    return counts


def _starts(session: Session, authority: Authority, wanted: TrailFilter) -> list[ColumnElement[bool]]:
    """The conditions that an index serves, one for each part of the index that has to be read."""
    people = {}
    for nip in {wanted.account, wanted.actor} - {None}:
        person = User.with_nip(session, nip) if nip else None
        if person is None or not authority.covers(person.instansi_id):
            return []
        people[nip] = person.id
    if wanted.account:
        by = AuditEvent.actor_id == people[wanted.actor] if wanted.actor else true()
        return [(AuditEvent.account_id == people[wanted.account]) & by]
    if wanted.actor:
        return [AuditEvent.actor_id == people[wanted.actor]]
    if authority.is_pusat:
        return [true()]
    return [AuditEvent.instansi_id == instansi_id for instansi_id in sorted(authority.instansi_ids)]


def _between(session: Session, wanted: TrailFilter, before: int | None) -> tuple[int, int]:
    """Two ids between which all events of the wanted days lie. The index over moments finds them."""
    below, above = before or _LARGEST_ID, -1
    if wanted.until:
        after = _midnight(wanted.until + timedelta(days=1)) + _LONGEST_ACT
        first_after = select(AuditEvent.id).where(AuditEvent.at >= after).order_by(AuditEvent.at).limit(1)
        below = min(below, session.scalar(first_after) or _LARGEST_ID)
    if wanted.since:
        earlier = _midnight(wanted.since) - _LONGEST_ACT
        last_before = (
            select(AuditEvent.id).where(AuditEvent.at < earlier).order_by(AuditEvent.at.desc()).limit(1)
        )
        above = session.scalar(last_before) or -1
    return below, above


def _conditions(event: type[AuditEvent], wanted: TrailFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.tags:
        conditions.append(event.tag.in_(wanted.tags))
    if wanted.since:
        conditions.append(event.at >= _midnight(wanted.since))
    if wanted.until:
        conditions.append(event.at < _midnight(wanted.until + timedelta(days=1)))
    return conditions


def _with_ids(session: Session, ids: Sequence[int]) -> list[AuditEvent]:
    who = [
        joinedload(relation).options(
            load_only(User.nip, User.name, User.instansi_id), lazyload(User.instansi)
        )
        for relation in (AuditEvent.actor, AuditEvent.account)
    ]
    return list(
        session.scalars(
            select(AuditEvent).where(AuditEvent.id.in_(ids)).order_by(AuditEvent.id.desc()).options(*who)
        )
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, WIB)
