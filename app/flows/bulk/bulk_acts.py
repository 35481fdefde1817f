"""An admin starts a bulk act that was prepared, looks at it, or stops it. The worker does it
(app/flows/bulk/run_bulk_act.py)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, true, update
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.domain.act import Act
from app.domain.pusat_reports import ReportKind
from app.domain.retention import BULK_ROWS_KEPT_FOR
from app.flows.bulk.kinds import KINDS
from app.mail.report_to_pusat import report_to_pusat
from app.models.audit_event import Exported, Tag
from app.models.bulk_act import DONE, BulkAct, BulkActRow, BulkState, RowOutcome, WhyStopped
from app.models.outbox_mail import OutboxMail
from app.models.user import User
from app.security import audit
from app.security.audit import Actor
from app.security.authority import Authority, OutOfReach

MOST_UNDER_WAY = 3  # of one admin at a time: the others wait for their turn, and the worker is there for all


@dataclass(frozen=True)
class NotToStart:
    """The act cannot be started as it is. The sentence says why, and what to do instead."""

    sentence: str


@dataclass(frozen=True)
class RowsPage:
    """Some rows of an act. `next` is the position after which it goes on; None at the end."""

    rows: Sequence[BulkActRow]
    next: int | None


_NOT_YOURS = NotToStart(
    "Hanya admin yang menyiapkannya yang dapat menjalankannya. Siapkan sendiri yang baru."
)
_BEGUN = NotToStart("Tindakan ini sudah dijalankan sebelumnya, jadi tidak dijalankan dua kali.")
_TOO_OLD = NotToStart("Tindakan ini disiapkan terlalu lama yang lalu. Siapkan lagi, supaya datanya terbaru.")
_TOO_MANY = NotToStart(
    f"Masih ada {MOST_UNDER_WAY} tindakan Anda yang belum selesai. Tunggu sampai salah satunya selesai."
)
_NOTHING = NotToStart("Tidak ada pegawai yang dapat dikerjakan, jadi tidak ada yang dijalankan.")


def within(authority: Authority) -> ColumnElement[bool]:
    """The acts that an admin may see: those of the own desks, and the own ones. A preview is its owner's."""
    own = BulkAct.prepared_by_id == authority.admin.id
    if authority.is_pusat:
        of_desk: ColumnElement[bool] = true()
    else:
        of_desk = or_(authority.within(BulkAct.instansi_id), and_(BulkAct.instansi_id.is_(None), own))
    return and_(of_desk, or_(own, BulkAct.state != BulkState.PREPARED))


def act_within(session: Session, authority: Authority, bulk_id: int) -> BulkAct | OutOfReach:
    found = select(BulkAct).where(BulkAct.id == bulk_id, within(authority))
    found = found.options(joinedload(BulkAct.prepared_by)).execution_options(populate_existing=True)
    return session.scalars(found).one_or_none() or OutOfReach()


def acts_within(session: Session, authority: Authority, before: int | None, most: int) -> list[BulkAct]:
    """The newest acts, or those older than the act `before`."""
    found = select(BulkAct).where(within(authority)).options(joinedload(BulkAct.prepared_by))
    if before is not None:
        found = found.where(BulkAct.id < before)
    return list(session.scalars(found.order_by(BulkAct.id.desc()).limit(most)))


def rows_of(session: Session, bulk: BulkAct, outcome: RowOutcome | None, after: int, most: int) -> RowsPage:
    """The rows behind the position `after`, of one outcome or of all: what is expected, and once the act has
    begun, what became of it. Who is out of the reader's reach by now is not named: see `seen_by`."""
    rows = (
        select(BulkActRow)
        .outerjoin(BulkActRow.person)
        .options(contains_eager(BulkActRow.person))
        .where(BulkActRow.bulk_act_id == bulk.id, BulkActRow.position > after)
    )
    if outcome is not None:
        is_preview = bulk.state is BulkState.PREPARED
        rows = rows.where((BulkActRow.expected if is_preview else BulkActRow.outcome) == outcome)
    found = session.scalars(rows.order_by(BulkActRow.position).limit(most + 1)).all()
    return RowsPage(found[:most], found[most - 1].position if len(found) > most else None)


def sample_of(session: Session, bulk: BulkAct, act: Act[Authority]) -> OutboxMail | None:
    """The letter as the first person who gets one will read it, where an admin has written it."""
    rows = select(BulkActRow).where(BulkActRow.bulk_act_id == bulk.id, BulkActRow.expected == RowOutcome.DONE)
    first = session.scalars(rows.order_by(BulkActRow.position).limit(1)).one_or_none()
    person = seen_by(act.by, first) if first else None
    return KINDS[bulk.kind].sample(session, person, bulk, act) if person else None


def seen_by(authority: Authority, row: BulkActRow) -> User | None:
    """The person of a row, if this admin may know of them today."""
    return row.person if row.person is not None and authority.covers(row.person.instansi_id) else None


def start(session: Session, bulk_id: int, act: Act[Authority]) -> BulkAct | NotToStart | OutOfReach:
    """Whoever prepared it has read the preview and wants it done. Rows that the preview leaves out are left
    out now."""
    bulk = _locked(session, act.by, bulk_id)
    if isinstance(bulk, OutOfReach):
        return bulk
    User.with_id(session, act.by.admin.id, lock=True)  # two acts started at once are counted one by one
    if refusal := _why_not(session, bulk, act):
        return refusal
    bulk.state, bulk.started_at, bulk.kept_until = BulkState.STARTED, act.at, None
    bulk.client_address, bulk.credential_version = act.client.address, act.by.admin.credential_version
    if not act.by.is_pusat:  # perhaps of other desks than when it was prepared
        bulk.desks, bulk.instansi_id = sorted(act.by.instansi_ids), act.by.only_instansi_id
    left = (BulkActRow.bulk_act_id == bulk.id, BulkActRow.expected.not_in(DONE))
    session.execute(
        update(BulkActRow)
        .where(*left)
        .values(outcome=BulkActRow.expected)
        .execution_options(synchronize_session=False)
    )
    bulk.result = {name: count for name, count in bulk.expected.items() if name not in DONE}
    return bulk


def stop(session: Session, bulk_id: int, act: Act[Authority]) -> BulkAct | OutOfReach | None:
    """The rest is left as it is. A preview is removed, and then None is returned. Every admin who sees the
    act may stop it. One that is over stays as it is."""
    bulk = _locked(session, act.by, bulk_id)
    if isinstance(bulk, OutOfReach):
        return bulk
    if bulk.state is BulkState.PREPARED:
        session.execute(delete(BulkAct).where(BulkAct.id == bulk.id))
        return None
    if bulk.state.is_under_way:
        end(session, bulk, WhyStopped.BY_ADMIN, act)
    return bulk


def end(session: Session, bulk: BulkAct, why_stopped: WhyStopped | None, act: Act[Actor]) -> None:
    """The act is over, because everybody had their turn, or before that. What it has done is written into the
    trail of each desk, and pusat is told once."""
    bulk.state = BulkState.STOPPED if why_stopped else BulkState.DONE
    bulk.why_stopped, bulk.ended_at, bulk.leased_until = why_stopped, act.at, None
    bulk.kept_until = act.at + BULK_ROWS_KEPT_FOR
    session.flush()
    not_reached = (BulkActRow.bulk_act_id == bulk.id, BulkActRow.outcome.is_(None))
    session.execute(
        update(BulkActRow)
        .where(*not_reached)
        .values(outcome=RowOutcome.NOT_REACHED)
        .execution_options(synchronize_session=False)
    )
    bulk.result = _counts(session, bulk)
    for desk, (done, left) in _shares(session, bulk).items():
        audit.record_parts(
            session, Tag.BULK_ACT, {desk: done}, act,
            act=bulk.kind, bulk=bulk.id, state=bulk.state, because=why_stopped, left=left,
            **bulk.terms,
        )  # fmt: skip
    if bulk.people_done:
        kind = KINDS[bulk.kind]
        report_to_pusat(session, kind.report, bulk.prepared_by, kind.done_to_pusat, bulk.people_done, act)


def note_export(session: Session, bulk: BulkAct, file_kind: str, act: Act[Authority]) -> None:
    """Record in the trail of each desk that the names have left the portal, and tell pusat."""
    by_desk = select(BulkActRow.desk, func.count()).where(BulkActRow.bulk_act_id == bulk.id)
    counts = {desk: count for desk, count in session.execute(by_desk.group_by(BulkActRow.desk)) if desk}
    audit.record_parts(
        session, Tag.EXPORTED, act.by.parts(counts), act,
        what=Exported.BULK_ACT, file=file_kind, bulk=bulk.id,
    )  # fmt: skip
    words = "mengekspor hasil tindakan sekaligus"
    report_to_pusat(session, ReportKind.PEOPLE_EXPORTS, act.by.admin, words, bulk.total, act)


def _why_not(session: Session, bulk: BulkAct, act: Act[Authority]) -> NotToStart | None:
    if bulk.prepared_by_id != act.by.admin.id:
        return _NOT_YOURS
    if bulk.state is not BulkState.PREPARED:
        return _BEGUN
    if bulk.kept_until is None or bulk.kept_until <= act.at:
        return _TOO_OLD
    if bulk.is_without_effect:
        return _NOTHING
    under_way = (
        BulkAct.prepared_by_id == act.by.admin.id,
        BulkAct.state.in_((BulkState.STARTED, BulkState.RUNNING)),
    )
    how_many = session.scalar(select(func.count()).select_from(BulkAct).where(*under_way)) or 0
    return _TOO_MANY if how_many >= MOST_UNDER_WAY else None


def _locked(session: Session, authority: Authority, bulk_id: int) -> BulkAct | OutOfReach:
    found = select(BulkAct).where(BulkAct.id == bulk_id, within(authority))
    found = found.with_for_update(of=BulkAct).execution_options(populate_existing=True)
    return session.scalars(found).one_or_none() or OutOfReach()


def _counts(session: Session, bulk: BulkAct) -> dict[str, int]:
    outcomes = select(BulkActRow.outcome, func.count()).where(BulkActRow.bulk_act_id == bulk.id)
    rows = session.execute(outcomes.group_by(BulkActRow.outcome))
    return {outcome.value: count for outcome, count in rows if outcome is not None}


def _shares(session: Session, bulk: BulkAct) -> dict[int | None, tuple[int, int]]:
    """To how many people it was done and to how many not, at each desk that the admin had: no desk hears of
    the people of another one. A NIP that nobody has is left where there is only one desk. Pusat has one count
    for all."""
    if not bulk.desks:
        return {None: (bulk.people_done, bulk.total - bulk.people_done)}
    by_desk = select(BulkActRow.desk, BulkActRow.outcome, func.count())
    by_desk = by_desk.where(BulkActRow.bulk_act_id == bulk.id).group_by(BulkActRow.desk, BulkActRow.outcome)
    counts: Counter[tuple[int | None, bool]] = Counter()
    for desk, outcome, count in session.execute(by_desk):
        counts[desk, outcome in DONE] += count
    unknown = counts[None, False] if len(bulk.desks) == 1 else 0
    return {desk: (counts[desk, True], counts[desk, False] + unknown) for desk in bulk.desks}
