"""The worker takes over what an admin has handed over on a page: first one pass that only looks, then one
that writes.

A pass goes in chunks. The outcome of a chunk is counted in the transaction that writes the chunk. So a worker
may die at any moment, and another one goes on after the last chunk: no row is lost, and none is counted
twice. A worker has a batch for half a minute and renews the lease with every chunk. A worker that finds that
another one has the lease stops.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.domain.pusat_reports import ReportKind
from app.files.seen_values import SeenValues
from app.files.table import Row
from app.flows.imports.file_rights import Uploader
from app.flows.imports.import_staff import ImportTerms, StaffEntry, import_staff
from app.flows.imports.outcome import Changed, New, Outcome, RowRefused, Unchanged
from app.mail.report_to_pusat import report_to_pusat
from app.models.audit_event import Tag
from app.models.base import UtcDateTime
from app.models.import_batch import BatchState, ImportBatch, ImportFile, ImportRefusal
from app.models.import_change import ImportChange
from app.models.import_turn import ImportTurn, without_lease
from app.models.instansi import Instansi
from app.models.many_rows import insert_many
from app.models.user import User
from app.security import audit
from app.security.authority import Authority

LEASE_LASTS = timedelta(seconds=30)

_WAITS = {BatchState.UPLOADED: BatchState.CHECKING, BatchState.CONFIRMED: BatchState.RUNNING}
_UNDER_WAY = (*_WAITS, *_WAITS.values())
_MOST_REASONS = 50
_OTHER_REASONS = "Alasan lain; lihat daftar baris yang ditolak."
_LINES_SHOWN = 5
_NO_ROWS = "File ini hanya berisi baris judul. Isi datanya di bawah baris judul, lalu unggah lagi."
_NO_MANDATE = (
    "Mandat admin yang meminta impor ini tidak berlaku lagi untuk instansi ini, jadi impornya dihentikan."
)


@dataclass(frozen=True)
class BatchLease:
    """The lease of one worker on a batch, as the worker knows it. It is not valid any more when the row says
    something else."""

    batch_id: int
    is_dry_run: bool
    rows_done: int
    until: datetime
    party: int = 0  # whose turn its chunks are


@dataclass(frozen=True)
class NextInTurn:
    """A batch waits for a worker. `served_at` is when a worker last did something for the same party, None if
    never."""

    served_at: datetime | None
    party: int


class LeaseLost(Exception):
    """This worker has the batch no more: it was cancelled, has ended, or another worker has the lease."""


class MandateEnded(Exception):
    """The admin who asked for the import may not do that any more."""


@dataclass(frozen=True)
class PassContext:
    """What a pass needs to know beside its rows."""

    seen: SeenValues
    cpns_open_by_themselves: bool


def claim(session: Session, now: datetime) -> BatchLease | None:
    """Take the lease of a batch that waits or whose worker has died: the oldest batch of the party that was
    served longest ago."""
    waiting = (
        select(ImportBatch)
        .outerjoin(ImportTurn, ImportTurn.is_of(ImportBatch.instansi_id))
        .where(_waits(now))
        .order_by(ImportTurn.served_at.asc().nulls_first(), ImportBatch.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=ImportBatch)
        .execution_options(populate_existing=True)
    )
    batch = session.scalars(waiting).one_or_none()
    if batch is None:
        return None
    if batch.state in _WAITS:
        batch.state = _WAITS[batch.state]
        batch.position = batch.total = batch.rows_done = 0
        batch.reasons, batch.column_counts = {}, {}
    batch.leased_until = now + LEASE_LASTS
    party = ImportTurn.party_of(batch.instansi_id)
    return BatchLease(
        batch.id, batch.state is BatchState.CHECKING, batch.rows_done, batch.leased_until, party
    )


def first_waiting(session: Session, now: datetime) -> NextInTurn | None:
    """Whose turn it is among the files that no worker has. Nothing is locked."""
    found = session.execute(_FIRST_WAITING, {"now": now}).one_or_none()
    return NextInTurn(found.served_at, ImportTurn.party_of(found.instansi_id)) if found else None


def file_of(session: Session, lease: BatchLease) -> bytes:
    return session.scalars(select(ImportFile.content).where(ImportFile.batch_id == lease.batch_id)).one()


def keep(session: Session, lease: BatchLease, now: datetime) -> BatchLease:
    """Renew the lease between chunks. Raises LeaseLost."""
    return _renewed(_leased(session, lease), lease, now)


def release(session: Session, lease: BatchLease) -> None:
    """The worker has to stop, so it ends the lease: another worker may go on at once."""
    _leased(session, lease).leased_until = None


def judge(
    session: Session,
    lease: BatchLease,
    rows: Sequence[StaffEntry | RowRefused],
    setting: PassContext,
    act: Act[None],
) -> list[Outcome]:
    """What a chunk would do; nothing is written. Raises MandateEnded."""
    batch = session.get_one(ImportBatch, lease.batch_id)
    uploader = _uploader(session, batch, batch.uploaded_by, act.at)
    return import_staff(session, rows, _terms(setting, uploader, act, dry_run=True))


def take_over(
    session: Session,
    lease: BatchLease,
    rows: Sequence[StaffEntry | RowRefused],
    setting: PassContext,
    act: Act[None],
) -> list[Outcome]:
    """Write a chunk, in the same transaction in which `note` counts it. Raises MandateEnded."""
    batch = _leased(session, lease)
    uploader = _uploader(session, batch, batch.confirmed_by, act.at)
    return import_staff(session, rows, _terms(setting, uploader, act, dry_run=False))


def note(
    session: Session,
    lease: BatchLease,
    lines: Sequence[Row],
    outcomes: Sequence[Outcome],
    progress: tuple[int, int],
    now: datetime,
) -> BatchLease:
    """Count a chunk, and keep its refused rows and its changes. `progress` is the position in the file and
    the file's total."""
    batch = _leased(session, lease)
    counts, reasons = dict(batch.dry_run if lease.is_dry_run else batch.result), dict(batch.reasons)
    for line, outcome in zip(lines, outcomes, strict=True):
        name = _NAMES[type(outcome)]
        counts[name] = counts.get(name, 0) + 1
        if isinstance(outcome, RowRefused):
            session.add(_refusal(batch, lease, line, outcome))
            for fault in outcome.faults:
                _count_reason(reasons, fault.reason, line.number)
    if lease.is_dry_run:
        batch.dry_run = counts
    else:
        batch.result = counts
    batch.reasons = reasons
    _keep_changes(session, batch, lease, outcomes)
    batch.position, batch.total = progress
    batch.rows_done = lease.rows_done + len(lines)
    ImportTurn.note(session, batch.instansi_id, now)
    return _renewed(batch, replace(lease, rows_done=batch.rows_done), now)


def note_delimiter(session: Session, lease: BatchLease, delimiter: str) -> None:
    _leased(session, lease).delimiter = delimiter


def finish(session: Session, lease: BatchLease, act: Act[None]) -> BatchState:
    """All rows of the file are counted."""
    batch = _leased(session, lease)
    batch.leased_until = None
    if not lease.is_dry_run:
        return _end(session, batch, BatchState.DONE, None, act)
    if not batch.rows_done:
        return _end(session, batch, BatchState.UNREADABLE, _NO_ROWS, act)
    batch.state = BatchState.CHECKED
    return batch.state


def give_up(session: Session, lease: BatchLease, problem: str, act: Act[None]) -> BatchState:
    """The file cannot be read, either as a whole or after some row."""
    return _end(session, _leased(session, lease), BatchState.UNREADABLE, problem[:500], act)


def stop_without_mandate(session: Session, lease: BatchLease, act: Act[None]) -> BatchState:
    return _end(session, _leased(session, lease), BatchState.CANCELLED, _NO_MANDATE, act)


def _waits(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return and_(ImportBatch.state.in_(_UNDER_WAY), without_lease(ImportBatch.leased_until, now))


_FIRST_WAITING = (
    select(ImportTurn.served_at, ImportBatch.instansi_id)
    .select_from(ImportBatch)
    .outerjoin(ImportTurn, ImportTurn.is_of(ImportBatch.instansi_id))
    .where(_waits(bindparam("now", type_=UtcDateTime)))
    .order_by(ImportTurn.served_at.asc().nulls_first(), ImportBatch.id)
    .limit(1)
)


def _leased(session: Session, lease: BatchLease) -> ImportBatch:
    """The batch, locked, if this worker still has its lease. Raises LeaseLost."""
    found = (
        select(ImportBatch)
        .where(
            ImportBatch.id == lease.batch_id,
            ImportBatch.state == (BatchState.CHECKING if lease.is_dry_run else BatchState.RUNNING),
            ImportBatch.rows_done == lease.rows_done,
            ImportBatch.leased_until == lease.until,
        )
        .with_for_update(of=ImportBatch)
        .execution_options(populate_existing=True)
    )
    batch = session.scalars(found).one_or_none()
    if batch is None:
        raise LeaseLost
    return batch


def _renewed(batch: ImportBatch, lease: BatchLease, now: datetime) -> BatchLease:
    batch.leased_until = now + LEASE_LASTS
    return replace(lease, until=batch.leased_until)


def _uploader(session: Session, batch: ImportBatch, admin: User | None, now: datetime) -> Uploader:
    """What the admin may do now. A mandate that has ended since the click gives no right."""
    authority = Authority.in_office(session, admin, today_in_jakarta(now))
    if authority is None or not authority.covers(batch.instansi_id):
        raise MandateEnded
    instansi = session.get_one(Instansi, batch.instansi_id) if batch.instansi_id is not None else None
    return Uploader(authority, instansi, batch.id, batch.reason)


def _terms(setting: PassContext, uploader: Uploader, act: Act[None], *, dry_run: bool) -> ImportTerms:
    return ImportTerms(
        setting.seen, setting.cpns_open_by_themselves, act.done_by(uploader.authority), dry_run, uploader
    )


_NAMES: dict[type[Outcome], str] = {
    New: "new",
    Changed: "changed",
    Unchanged: "unchanged",
    RowRefused: "refused",
}


def _refusal(batch: ImportBatch, lease: BatchLease, line: Row, outcome: RowRefused) -> ImportRefusal:
    return ImportRefusal(
        batch_id=batch.id,
        is_dry_run=lease.is_dry_run,
        line=line.number,
        cells=dict(line.cells),
        columns=",".join(dict.fromkeys(fault.column for fault in outcome.faults if fault.column)),
        sentences=" ".join(fault.told for fault in outcome.faults)[:2000],
    )


def _keep_changes(
    session: Session, batch: ImportBatch, lease: BatchLease, outcomes: Sequence[Outcome]
) -> None:
    """Keep the old and the new values of every person, and count how many people change in each column."""
    counts = Counter(batch.column_counts)
    rows: list[tuple[object, ...]] = []
    for outcome in outcomes:
        if not isinstance(outcome, New | Changed):
            continue
        if isinstance(outcome, Changed):
            counts.update(outcome.columns)
        of_the_row = (batch.id, lease.is_dry_run, outcome.line, outcome.user_id)
        rows += [(*of_the_row, one.column, one.old, one.new) for one in outcome.replaced]
    columns = ("batch_id", "is_dry_run", "line", "user_id", "column", "old_value", "new_value")
    insert_many(session, ImportChange, columns, rows)
    batch.column_counts = dict(counts)


def _count_reason(reasons: dict[str, list[int]], reason: str, line: int) -> None:
    if reason not in reasons and len(reasons) >= _MOST_REASONS:
        reason = _OTHER_REASONS
    count, *lines = reasons.get(reason, [0])
    reasons[reason] = [count + 1, *(lines if len(lines) >= _LINES_SHOWN else [*lines, line])]


def _end(
    session: Session, batch: ImportBatch, state: BatchState, problem: str | None, act: Act[None]
) -> BatchState:
    """The batch is over. What it has done is written into the trail, and pusat is told."""
    batch.state, batch.problem, batch.ended_at, batch.leased_until = state, problem, act.at, None
    if batch.confirmed_by is None:
        if state is BatchState.CANCELLED:
            audit.record(
                session,
                Tag.IMPORT_CANCELLED,
                None,
                act,
                instansi_id=batch.instansi_id,
                batch=batch.id,
                because=problem,
            )
        return state
    audit.record(
        session, Tag.IMPORT_DONE, None, act.done_by(batch.confirmed_by),
        instansi_id=batch.instansi_id, batch=batch.id, state=state, **batch.result
    )  # fmt: skip
    if how_many := batch.result.get("new", 0) + batch.result.get("changed", 0):
        words = f"mengimpor data pegawai dari file (impor nomor {batch.id})"
        report_to_pusat(session, ReportKind.IMPORTS, batch.confirmed_by, words, how_many, act)
    return state
