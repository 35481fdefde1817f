"""The worker does what an admin has started, some people at a time.

What is done to a person and the outcome of that row are written in one transaction. So a worker may die at
any moment, and another one goes on after the last row that is settled: nobody has it done twice, and nobody
is left out. The lease is the one of an import.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.client import worker_for
from app.domain.indonesian_time import today_in_jakarta
from app.flows.bulk.bulk_acts import end
from app.flows.bulk.kinds import KINDS
from app.flows.imports.run_batch import LEASE_LASTS, LeaseLost, MandateEnded, NextInTurn
from app.models.admin_mandate import AdminMandate
from app.models.base import UtcDateTime
from app.models.bulk_act import BulkAct, BulkActRow, BulkState, RowOutcome, WhyStopped
from app.models.import_turn import ImportTurn, without_lease
from app.security.authority import Authority, NotToTouch, OutOfReach

_UNDER_WAY = (BulkState.STARTED, BulkState.RUNNING)


@dataclass(frozen=True)
class BulkLease:
    """The lease of one worker on a bulk act, as the worker knows it."""

    bulk_id: int
    position: int
    until: datetime
    party: int


def first_waiting(session: Session, now: datetime) -> NextInTurn | None:
    """Whose turn it is among the acts that no worker has. Nothing is locked."""
    found = session.execute(_FIRST_WAITING, {"now": now}).one_or_none()
    return NextInTurn(found.served_at, ImportTurn.party_of(found.instansi_id)) if found else None


def claim(session: Session, now: datetime) -> BulkLease | None:
    """Take the lease of the act whose turn it is."""
    waiting = (
        select(BulkAct)
        .outerjoin(ImportTurn, ImportTurn.is_of(BulkAct.instansi_id))
        .where(_waits(now))
        .order_by(ImportTurn.served_at.asc().nulls_first(), BulkAct.started_at, BulkAct.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=BulkAct)
        .execution_options(populate_existing=True)
    )
    bulk = session.scalars(waiting).one_or_none()
    if bulk is None:
        return None
    bulk.state, bulk.leased_until = BulkState.RUNNING, now + LEASE_LASTS
    return BulkLease(bulk.id, bulk.position, bulk.leased_until, ImportTurn.party_of(bulk.instansi_id))


def keep(session: Session, lease: BulkLease, now: datetime) -> BulkLease:
    """Renew the lease. Raises LeaseLost."""
    bulk = _leased(session, lease)
    bulk.leased_until = now + LEASE_LASTS
    return replace(lease, until=bulk.leased_until)


def release(session: Session, lease: BulkLease) -> None:
    _leased(session, lease).leased_until = None


def do_some(session: Session, lease: BulkLease, most: int, act: Act[None]) -> BulkLease | None:
    """Do it to the next people, and note the outcomes. None when everybody had their turn. Raises LeaseLost
    and MandateEnded."""
    bulk = _leased(session, lease)
    rows = _next_rows(session, bulk, most)
    if not rows:
        return None
    own = _asked(bulk, act).done_by(_authority(session, bulk, act.at))
    # People are locked in the order of their ids, as everywhere where several are locked at once
    for row in sorted(rows, key=lambda row: row.person_id or 0):
        row.outcome = _do(session, bulk, row, own)
    outcomes = Counter(row.outcome.value for row in rows if row.outcome)
    bulk.result = dict(Counter(bulk.result) + outcomes)
    bulk.position, bulk.leased_until = rows[-1].position, act.at + LEASE_LASTS
    ImportTurn.note(session, bulk.instansi_id, act.at)
    return replace(lease, position=bulk.position, until=bulk.leased_until)


def finish(session: Session, lease: BulkLease, act: Act[None]) -> BulkState:
    return _end(session, lease, None, act)


def give_up(session: Session, lease: BulkLease, _problem: str, act: Act[None]) -> BulkState:
    """After an accident: the sentence about a file is of no use here."""
    return _end(session, lease, WhyStopped.ACCIDENT, act)


def stop_without_mandate(session: Session, lease: BulkLease, act: Act[None]) -> BulkState:
    bulk = _leased(session, lease)
    why = _why_to_stop(bulk, Authority.in_office(session, bulk.prepared_by, today_in_jakarta(act.at)))
    return _end(session, lease, why, act)


def _do(session: Session, bulk: BulkAct, row: BulkActRow, act: Act[Authority]) -> RowOutcome:
    if row.person_id is None:
        return RowOutcome.OUT_OF_REACH
    today = today_in_jakarta(act.at)
    person = act.by.person_to_act_on(session, row.person_id, today)
    if isinstance(person, OutOfReach):
        return RowOutcome.OUT_OF_REACH
    if AdminMandate.holds_for(session, row.person_id, today):
        return RowOutcome.HOLDS_A_MANDATE
    if isinstance(person, NotToTouch):
        return RowOutcome.OUT_OF_REACH
    return KINDS[bulk.kind].do(session, person, row.position, bulk, act)


def _next_rows(session: Session, bulk: BulkAct, most: int) -> Sequence[BulkActRow]:
    """Those that the preview left out have their outcome since the start."""
    rows = select(BulkActRow).where(
        BulkActRow.bulk_act_id == bulk.id,
        BulkActRow.position > bulk.position,
        BulkActRow.outcome.is_(None),
    )
    return session.scalars(rows.order_by(BulkActRow.position).limit(most)).all()


def _authority(session: Session, bulk: BulkAct, now: datetime) -> Authority:
    """What the admin may do now. A mandate that has ended since the start gives no right; and who has changed
    the password since, perhaps because somebody else knew it, has ended what went on in their name."""
    authority = Authority.in_office(session, bulk.prepared_by, today_in_jakarta(now))
    if authority is None or _why_to_stop(bulk, authority):
        raise MandateEnded
    return authority


def _why_to_stop(bulk: BulkAct, authority: Authority | None) -> WhyStopped | None:
    if authority is None or not _is_desk_of(bulk, authority):
        return WhyStopped.NO_MANDATE
    if authority.admin.credential_version != bulk.credential_version:
        return WhyStopped.OTHER_CREDENTIALS
    return None


def _is_desk_of(bulk: BulkAct, authority: Authority) -> bool:
    """What an admin of pusat has started ends when they are of pusat no more. Of several desks, those that
    are left go on."""
    return any(map(authority.covers, bulk.desks)) if bulk.desks else authority.is_pusat


def _end(session: Session, lease: BulkLease, why: WhyStopped | None, act: Act[None]) -> BulkState:
    bulk = _leased(session, lease)
    end(session, bulk, why, _asked(bulk, act).done_by(bulk.prepared_by))
    return bulk.state


def _asked(bulk: BulkAct, act: Act[None]) -> Act[None]:
    return act.asked_from(worker_for(bulk.client_address))


def _waits(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return and_(BulkAct.state.in_(_UNDER_WAY), without_lease(BulkAct.leased_until, now))


_FIRST_WAITING = (
    select(ImportTurn.served_at, BulkAct.instansi_id)
    .select_from(BulkAct)
    .outerjoin(ImportTurn, ImportTurn.is_of(BulkAct.instansi_id))
    .where(_waits(bindparam("now", type_=UtcDateTime)))
    .order_by(ImportTurn.served_at.asc().nulls_first(), BulkAct.started_at, BulkAct.id)
    .limit(1)
)


def _leased(session: Session, lease: BulkLease) -> BulkAct:
    """The act, locked, if this worker still has its lease. Raises LeaseLost."""
    found = (
        select(BulkAct)
        .where(
            BulkAct.id == lease.bulk_id,
            BulkAct.state == BulkState.RUNNING,
            BulkAct.position == lease.position,
            BulkAct.leased_until == lease.until,
        )
        .with_for_update(of=BulkAct)
        .execution_options(populate_existing=True)
    )
    bulk = session.scalars(found).one_or_none()
    if bulk is None:
        raise LeaseLost
    return bulk
