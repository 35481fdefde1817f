"""The sealed trail: each row of it carries a seal over itself and over the seal of the row before.

A seal is an HMAC under a key derived from SECRET_KEY. So is the mark of the head; the head says where the
trail ends. Rows are written unsealed, in the transaction of their act, and sealed by the worker a moment
later: acts that run side by side never wait for each other. Transactions do not end in the order of their
ids, so the order of the seals is a different one.

**What holds against somebody who can write the database and does not know the key.** A sealed row cannot be
changed, removed, put in, moved or unsealed without being noticed. The head cannot be moved. A head of zero is
believed only with a mark, or if this machine has never seen the trail and nothing is sealed. An older state
of all tables, or a trail that was begun anew, is noticed by every machine that has seen more: the machine
keeps the newest head in a file (`kept_head.py`), and every process that seals or verifies there reads the
file first. A row is not sealed if it is older than the newest sealed row by more than `OLDEST_TO_SEAL`, or
dated more than `FURTHEST_AHEAD` into the future. It stays visible, is reported, and delays no other row. The
moment of a row is always the server's own clock, so nobody who only uses the portal can make such a row.
Sealing never writes to a row that has a seal, and stops at a head that is not genuine: a fault stays visible.

**What does not hold.** Nobody can know who wrote a row before it was sealed: somebody who can write the
database can add, change or remove rows in that moment (or for as long as no worker runs), dated at most
`OLDEST_TO_SEAL` back. A machine without the file (a new one, or one whose INSTANCE_PATH is removed at each
start) takes the first genuine head that it sees for the newest. An older state also passes if it is not older
than the file of the machine. Somebody who knows a key in SECRET_KEY or SECRET_KEY_FALLBACKS can make any
trail. Somebody who can write the file as well as the tables still needs the key. Lines of the worker's log,
kept on another machine and given to `mysapk audit verify --anchor`, protect against both an older state and
somebody with a key.

**What the operator decides** leaves both heads in the log and a row in the trail: that an older state was put
back on purpose, that late rows are honest, and that all rows are sealed anew so that an old key can go.
Sealing anew goes on in steps. Each step checks the old seals of its rows before it writes the new ones, and
the head says, under its mark, how far that has come. A row keeps the replaced seal beside the new one, so
that a seal that was noted elsewhere can still be compared.
"""

import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, String, Text, bindparam, cast, func, select, update
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.labelled import Labelled
from app.models.audit_event import AuditEvent, Tag
from app.models.audit_head import AuditHead
from app.models.base import UtcDateTime
from app.security import audit
from app.security.kept_head import Anchor, Unreadable
from app.security.signing import SigningKeys

ROWS_AT_ONCE = 500  # sealed in one transaction, in some 20 ms: an SQLite writer waits for it
# Every act takes its moment when it begins, and no act lasts longer than this: imports take a new moment for
# every few rows.
OLDEST_TO_SEAL = timedelta(hours=1)
FURTHEST_AHEAD = timedelta(minutes=10)  # the clocks of several machines may differ by this much
_ROWS_A_LOOK = 5000
_FAULTS_TO_NAME = 50
_BEGINNING = "0" * 64
_BEFORE_ALL_NUMBERS = -(2**63)
_MOST_COUNTED = 100_000

Kept = Anchor | Unreadable | None

# As stored, so that every value that somebody put there can be read: a broken date or JSON is a changed row,
# not an accident.
_STORED = (
    AuditEvent.id,
    cast(AuditEvent.at, String),
    cast(AuditEvent.tag, String),
    AuditEvent.actor_id,
    AuditEvent.account_id,
    AuditEvent.instansi_id,
    AuditEvent.client_address,
    AuditEvent.user_agent,
    AuditEvent.request_id,
    cast(AuditEvent.detail, Text),
    AuditEvent.seal_no,
    AuditEvent.previous_seal,
    AuditEvent.seal,
    AuditEvent.replaced_seal,
)
_encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=repr).encode
_UNSEALED = AuditEvent.seal_no.is_(None)
_WITHIN = (
    AuditEvent.at >= bindparam("floor", type_=UtcDateTime),
    AuditEvent.at <= bindparam("ceiling", type_=UtcDateTime),
)
_ANY_TO_SEAL = select(AuditEvent.id).where(_UNSEALED, *_WITHIN).limit(1)
_NEXT_TO_SEAL = (
    select(*_STORED)
    .where(_UNSEALED, *_WITHIN)
    .order_by(AuditEvent.at, AuditEvent.id)
    .limit(bindparam("most", type_=Integer))
)
_SEAL = update(AuditEvent).where(AuditEvent.id == bindparam("row"), _UNSEALED)
_WITH_NUMBER = select(*_STORED).where(AuditEvent.seal_no == bindparam("seal_no"))
_HIGHEST_NUMBER = select(func.max(AuditEvent.seal_no))


class _Stored(NamedTuple):
    """A row in the order of `_STORED`."""

    id: int
    at: str
    tag: str
    actor_id: int | None
    account_id: int | None
    instansi_id: int | None
    client_address: str
    user_agent: str
    request_id: str
    detail: str
    seal_no: int
    previous_seal: str | None
    seal: str | None
    replaced_seal: str | None

    def carries(self, seal: str) -> bool:
        """Whether the row has this seal now, or had it before it was sealed anew."""
        return seal in (self.seal, self.replaced_seal)


class TrailFaultKind(Labelled):
    CHANGED = "changed", "isi baris tidak sesuai segelnya (diubah atau disisipkan)"
    MISSING = "missing", "baris hilang"
    ORDER = "order", "baris tidak menyambung pada baris sebelumnya"
    HEAD = "head", "kepala jejak tidak sesuai dengan baris terakhir"
    ANCHOR = "anchor", "segel tidak sama dengan yang tercatat di luar database"
    OUTSIDE = (
        "outside",
        "tidak ada dalam jejak ini, padahal inilah kepala yang disimpan mesin ini di luar database",
    )
    UNREADABLE = "unreadable", "kepala yang disimpan mesin ini di luar database tidak dapat dipakai"
    LATE = "late", "belum disegel: waktunya terlalu jauh sebelum baris terakhir yang disegel (disisipkan?)"
    FUTURE = "future", "belum disegel: waktunya di masa depan (disisipkan, atau jam salah satu mesin salah?)"


@dataclass(frozen=True)
class TrailFault:
    """What is wrong at one number of the trail; for missing rows, from there through `last_seal_no`. A row
    that is not sealed has no number."""

    kind: TrailFaultKind
    seal_no: int | None
    row_id: int | None = None
    last_seal_no: int | None = None


class Why(StrEnum):
    """The reasons why nothing can be sealed, for the log."""

    HEAD = "the head is not genuine"
    OUTSIDE = "the trail lacks the head that this machine keeps outside the database"


@dataclass(frozen=True)
class HeadNotGenuine:
    """Nothing was sealed: somebody has removed the head or moved it, or has put back an older state."""

    why: Why


@dataclass(frozen=True)
class HeadMoved:
    """Another row was sealed after the operator looked."""

    head: Anchor


@dataclass(frozen=True)
class Accepted:
    """What the operator decided is now sealed in the trail: `rows` rows, and one more row that says so."""

    rows: int
    before: Anchor
    after: Anchor


@dataclass(frozen=True)
class Resealed:
    """How many rows this step has sealed anew. `heads` holds the old head and the new one, if this was the
    last step."""

    rows: int
    heads: tuple[Anchor, Anchor] | None


@dataclass
class Findings:
    """What a check of the whole trail has found. If there are very many faults, only the first ones are
    named."""

    rows: int = 0
    seal_no: int = 0
    seal: str = _BEGINNING
    under_older_keys: int = 0
    is_being_resealed: bool = False
    faults: int = 0
    named: list[TrailFault] = field(default_factory=list)
    kinds: set[TrailFaultKind] = field(default_factory=set)

    def add(self, fault: TrailFault) -> None:
        self.faults += 1
        self.kinds.add(fault.kind)
        if len(self.named) < _FAULTS_TO_NAME:
            self.named.append(fault)


# -- sealing
def is_any_to_seal(session: Session, now: datetime) -> bool:
    """Whether there are rows to seal. Takes no lock, and does not read through rows that must not be
    sealed."""
    head = AuditHead.now(session)
    if head is None:
        return False
    floor, ceiling = _limits(session, head, now)
    return session.scalar(_ANY_TO_SEAL, {"floor": floor, "ceiling": ceiling}) is not None


def why_not(session: Session, keys: SigningKeys, kept: Kept) -> Why | None:
    """The reason why nothing can be sealed, if there is one."""
    head = AuditHead.now(session)
    return Why.HEAD if head is None else _objection(session, head, keys.trail_keys(), kept)


def seal_next(session: Session, keys: SigningKeys, kept: Kept, now: datetime) -> int | HeadNotGenuine:
    """Seal the unsealed rows that may be sealed, the oldest first, at most `ROWS_AT_ONCE`; returns how many.
    If several processes do so at once, each waits for the one before."""
    head = _locked(session, keys, kept)
    if isinstance(head, HeadNotGenuine):
        return head
    floor, ceiling = _limits(session, head, now)
    values = {"floor": floor, "ceiling": ceiling, "most": ROWS_AT_ONCE}
    rows = session.execute(_NEXT_TO_SEAL, values).all()
    if rows:
        is_first = head.newest_at is None and head.seal_no == 0
        head.newest_at = _spelled((_moment_of(rows[0][1]) if is_first else None) or floor + OLDEST_TO_SEAL)
        _seal(session, head, keys.trail_keys()[0], map(_Stored._make, rows), ceiling)
    return len(rows)


def begin(session: Session, keys: SigningKeys, kept: Kept, now: datetime) -> bool:
    """Mark the head of a trail that nobody has sealed yet. Everything that is there by now may be sealed,
    however old it is. So only the command that has just made the tables, or brought them to this release, may
    call this."""
    head = AuditHead.now(session, lock=True)
    trail_keys = keys.trail_keys()
    # The kept head is of a trail that has not come further than this one
    known = None if kept == Anchor(0, _BEGINNING) else kept
    if head is None or head.seal_no or head.mark or _objection(session, head, trail_keys, known) is not None:
        return False
    oldest = session.scalar(
        select(cast(AuditEvent.at, String)).where(_UNSEALED).order_by(AuditEvent.at).limit(1)
    )
    head.newest_at = _spelled(min(_moment_of(oldest) or now, now))
    head.mark = _mark(trail_keys[0], head)
    return True


def _seal(session: Session, head: AuditHead, key: bytes, rows: Iterable[_Stored], ceiling: datetime) -> None:
    """Add these rows at the end of the trail, in this order."""
    sealed = []
    for row in rows:
        previous = head.seal
        head.seal_no += 1
        head.seal = _hmac(key, _message(head.seal_no, previous, row, None))
        sealed.append({"row": row.id, "seal_no": head.seal_no, "previous_seal": previous, "seal": head.seal})
        at, newest = _moment_of(row.at), _moment_of(head.newest_at)
        if at is not None and at <= ceiling and (newest is None or at > newest):
            head.newest_at = _spelled(at)
    head.mark = _mark(key, head)
    session.connection().execute(_SEAL, sealed)


def _locked(session: Session, keys: SigningKeys, kept: Kept) -> AuditHead | HeadNotGenuine:
    head = AuditHead.now(session, lock=True)
    if head is None:
        return HeadNotGenuine(Why.HEAD)
    why = _objection(session, head, keys.trail_keys(), kept)
    return HeadNotGenuine(why) if why else head


# -- what the operator decides
def accept_restored(
    session: Session,
    keys: SigningKeys,
    lost: Anchor | Unreadable,
    named: Anchor,
    because: str,
    act: Act[None],
) -> Accepted | HeadMoved | HeadNotGenuine:
    """Go on from `named`: the head of an older state that was put back on purpose, or of tables that were
    made anew. Check the whole trail first."""
    head = _locked(session, keys, None)
    if isinstance(head, HeadNotGenuine):
        return head
    if _anchor(head) != named:
        return HeadMoved(_anchor(head))
    if head.newest_at is None:
        head.newest_at = _spelled(_limits(session, head, act.at)[0] + OLDEST_TO_SEAL)
    before = str(lost) if isinstance(lost, Anchor) else "-"
    _note(
        session,
        head,
        keys,
        Tag.TRAIL_RESTORED,
        act,
        head_before=before,
        head_after=str(named),
        because=because,
    )
    return Accepted(0, named, _anchor(head))


def accept_late(
    session: Session, keys: SigningKeys, kept: Kept, ids: Sequence[int] | None, because: str, act: Act[None]
) -> Accepted | HeadNotGenuine:
    """Seal rows whose moment kept them from being sealed: these rows, or all if `ids` is None; at most
    `ROWS_AT_ONCE`."""
    head = _locked(session, keys, kept)
    if isinstance(head, HeadNotGenuine):
        return head
    floor, ceiling = _limits(session, head, act.at)
    rows: list[_Stored] = []
    for side in _sides(floor, ceiling):
        chosen = (
            select(*_STORED)
            .where(_UNSEALED, side)
            .order_by(AuditEvent.at, AuditEvent.id)
            .limit(ROWS_AT_ONCE - len(rows))
        )
        found = session.execute(chosen if ids is None else chosen.where(AuditEvent.id.in_(ids))).all()
        rows += map(_Stored._make, found)
    before = _anchor(head)
    if not rows:
        return Accepted(0, before, before)
    head.newest_at = _spelled(floor + OLDEST_TO_SEAL)
    _seal(session, head, keys.trail_keys()[0], rows, ceiling)
    numbers = [row.id for row in rows]
    _note(
        session, head, keys, Tag.TRAIL_LATE_ACCEPTED, act, how_many=len(rows), first_row=min(numbers),
        last_row=max(numbers), head_before=str(before), head_after=str(_anchor(head)), because=because
    )  # fmt: skip
    return Accepted(len(rows), before, _anchor(head))


def reseal_next(
    session: Session, keys: SigningKeys, kept: Kept, act: Act[None]
) -> Resealed | TrailFault | HeadNotGenuine:
    """Seal the next rows anew under the newest key, after checking the seals that they have. A process that
    is stopped in the middle goes on where it was. If somebody put in a row meanwhile, that is a `TrailFault`,
    and nothing is written."""
    head = _locked(session, keys, kept)
    if isinstance(head, HeadNotGenuine):
        return head
    trail_keys = keys.trail_keys()
    done, new, old = head.resealed_no or 0, head.resealed_seal or _BEGINNING, head.replaced_seal or _BEGINNING
    resealed = []
    for row in _sealed_after(session, done, ROWS_AT_ONCE):
        if row.seal_no != done + 1:
            return TrailFault(TrailFaultKind.MISSING, done + 1, None, row.seal_no - 1)
        if row.seal is None or _key_of(row, trail_keys) is None:
            return TrailFault(TrailFaultKind.CHANGED, row.seal_no, row.id)
        if row.previous_seal != old:
            return TrailFault(TrailFaultKind.ORDER, row.seal_no, row.id)
        previous, old, done = new, row.seal, row.seal_no
        new = _hmac(trail_keys[0], _message(done, previous, row, old))
        resealed.append({"row": row.id, "previous_seal": previous, "seal": new, "replaced_seal": old})
    if not resealed and head.seal_no != done:
        return TrailFault(TrailFaultKind.MISSING, done + 1, None, head.seal_no)
    if resealed:
        session.connection().execute(update(AuditEvent).where(AuditEvent.id == bindparam("row")), resealed)
    if done < head.seal_no:
        head.newest_at = head.newest_at or _spelled(_limits(session, head, act.at)[0] + OLDEST_TO_SEAL)
        head.resealed_no, head.resealed_seal, head.replaced_seal = done, new, old
        head.mark = _mark(trail_keys[0], head)
        return Resealed(len(resealed), None)
    heads = Anchor(done, old), Anchor(done, new)
    head.newest_at = head.newest_at or _spelled(_limits(session, head, act.at)[0] + OLDEST_TO_SEAL)
    head.seal = new
    head.resealed_no = head.resealed_seal = head.replaced_seal = None
    _note(
        session,
        head,
        keys,
        Tag.TRAIL_RESEALED,
        act,
        how_many=done,
        head_before=str(heads[0]),
        head_after=str(heads[1]),
    )
    return Resealed(len(resealed), heads)


def _note(
    session: Session, head: AuditHead, keys: SigningKeys, tag: Tag, act: Act[None], **detail: str | int
) -> None:
    """Write a row about the trail itself, and seal it at once."""
    event = audit.record(session, tag, None, act, instansi_id=None, **detail)
    session.flush()
    row = session.execute(select(*_STORED).where(AuditEvent.id == event.id)).one()
    _seal(session, head, keys.trail_keys()[0], [_Stored._make(row)], act.at + FURTHEST_AHEAD)
    session.expire(event)  # the row was sealed without the session's knowledge


# -- verifying
def verify(
    session: Session,
    keys: SigningKeys,
    now: datetime,
    kept: Kept = None,
    anchors: dict[int, str] | None = None,
    after: Anchor | None = None,
) -> Findings:
    """Check every sealed row in order, a few thousand at a time, and the rows that must not be sealed.
    `anchors` are seals by number, known from elsewhere. `kept` was read before this transaction began. If the
    trail still has the row of `after`, up to which it was checked before, only the rows after it are
    checked."""
    trail_keys = keys.trail_keys()
    findings = Findings()
    head = AuditHead.now(session)
    is_marked = head is not None and _is_marked(head, trail_keys)
    turn = (
        (head.resealed_no, head.resealed_seal, head.replaced_seal)
        if head is not None and is_marked
        else (None, None, None)
    )
    findings.is_being_resealed = turn[0] is not None
    anchors = dict(anchors or {})
    outside = kept if isinstance(kept, Anchor) else None
    # None after a row that is wrong itself, so that the next row is not blamed for it
    previous: str | None = _BEGINNING
    looked_at = _BEFORE_ALL_NUMBERS
    if after is not None and after.seal_no > 0:
        if _is_in_place(session, after, trail_keys):
            looked_at, previous = after.seal_no, _sealed_as(session, after.seal_no)
            findings.seal_no, findings.seal = after.seal_no, str(previous)
            outside = _look_at_earlier(session, findings, after, outside, anchors)
        else:
            findings.add(TrailFault(TrailFaultKind.ANCHOR, after.seal_no))
    while rows := _sealed_after(session, looked_at, _ROWS_A_LOOK):
        for row in rows:
            looked_at = row.seal_no
            findings.rows += 1
            if not isinstance(row.seal_no, int):  # SQLite keeps any value that is put there
                findings.add(TrailFault(TrailFaultKind.CHANGED, None, row.id))
                continue
            if row.seal_no > findings.seal_no + 1:
                findings.add(TrailFault(TrailFaultKind.MISSING, findings.seal_no + 1, None, row.seal_no - 1))
                previous = None
            key = _key_of(row, trail_keys) if row.seal_no > 0 else None
            if key is None:
                findings.add(TrailFault(TrailFaultKind.CHANGED, row.seal_no, row.id))
                previous = None
            else:
                findings.under_older_keys += key > 0
                if previous is not None and row.previous_seal != previous:
                    findings.add(TrailFault(TrailFaultKind.ORDER, row.seal_no, row.id))
                previous = row.seal
            if row.seal_no == turn[0]:  # from here on, the rows still have their old seals
                if row.seal != turn[1]:
                    findings.add(TrailFault(TrailFaultKind.ORDER, row.seal_no, row.id))
                previous = turn[2]
            if not row.carries(anchors.pop(row.seal_no, row.seal or "")):
                findings.add(TrailFault(TrailFaultKind.ANCHOR, row.seal_no, row.id))
            if outside is not None and outside.seal_no == row.seal_no:
                if not row.carries(outside.seal):
                    findings.add(TrailFault(TrailFaultKind.OUTSIDE, outside.seal_no, row.id))
                outside = None
            findings.seal_no, findings.seal = max(row.seal_no, 0), str(row.seal or "")
    _look_at_the_end(session, findings, head, trail_keys, kept)
    if outside is not None and outside != Anchor(0, _BEGINNING):  # beyond the end: that row once existed
        findings.add(TrailFault(TrailFaultKind.OUTSIDE, outside.seal_no))
    if isinstance(kept, Unreadable):
        findings.add(TrailFault(TrailFaultKind.UNREADABLE, None))
    for seal_no in sorted(anchors):
        if anchors[seal_no] != _BEGINNING or seal_no:
            findings.add(TrailFault(TrailFaultKind.ANCHOR, seal_no))
    if head is not None:
        _look_at_the_unsealed(session, findings, head, now)
    return findings


def _is_in_place(session: Session, anchor: Anchor, trail_keys: Sequence[bytes]) -> bool:
    row = _sealed(session, anchor.seal_no)
    return row is not None and row.carries(anchor.seal) and _key_of(row, trail_keys) is not None


def _sealed_as(session: Session, seal_no: int) -> str | None:
    return session.scalar(select(AuditEvent.seal).where(AuditEvent.seal_no == seal_no))


def _look_at_earlier(
    session: Session, findings: Findings, after: Anchor, outside: Anchor | None, anchors: dict[int, str]
) -> Anchor | None:
    """Compare the seals that are known from elsewhere with rows that will not be read. Takes them out of
    `anchors`, and returns `outside` if its row will be read."""
    for seal_no in [one for one in anchors if 0 < one <= after.seal_no]:
        row, wanted = _sealed(session, seal_no), anchors.pop(seal_no)
        if row is None or not row.carries(wanted):
            findings.add(TrailFault(TrailFaultKind.ANCHOR, seal_no, row.id if row else None))
    if outside is None or not 0 < outside.seal_no <= after.seal_no:
        return outside
    row = _sealed(session, outside.seal_no)
    if row is None or not row.carries(outside.seal):
        findings.add(TrailFault(TrailFaultKind.OUTSIDE, outside.seal_no, row.id if row else None))
    return None


def out_of_reach(session: Session, now: datetime, most: int) -> list[tuple[int, str, str]]:
    """Rows that are not sealed because of their moment: their id, moment and tag, as stored."""
    head = AuditHead.now(session)
    if head is None:
        return []
    floor, ceiling = _limits(session, head, now)
    columns = (AuditEvent.id, cast(AuditEvent.at, String), cast(AuditEvent.tag, String))
    found: list[tuple[int, str, str]] = []
    for side in _sides(floor, ceiling):
        some = (
            select(*columns)
            .where(_UNSEALED, side)
            .order_by(AuditEvent.at, AuditEvent.id)
            .limit(most - len(found))
        )
        found += [(row[0], str(row[1]), str(row[2])) for row in session.execute(some).all()]
    return found


def count_out_of_reach(session: Session, now: datetime) -> int:
    """How many rows are not sealed because of their moment. Counts up to a hundred thousand."""
    head = AuditHead.now(session)
    return (
        sum(_count_blocked(session, limit) for limit in _sides(*_limits(session, head, now)))
        if head is not None
        else 0
    )


def _look_at_the_end(
    session: Session, findings: Findings, head: AuditHead | None, trail_keys: Sequence[bytes], kept: Kept
) -> None:
    """`head` is as it was before the rows were read: after it there may be rows that were sealed
    meanwhile."""
    if head is None or not (_is_marked(head, trail_keys) or (kept is None and _is_untouched(head))):
        findings.add(TrailFault(TrailFaultKind.HEAD, head.seal_no if head else 0))
        return
    if findings.seal_no < head.seal_no:
        findings.add(TrailFault(TrailFaultKind.MISSING, findings.seal_no + 1, None, head.seal_no))
        return
    at_head = session.scalar(select(AuditEvent.seal).where(AuditEvent.seal_no == head.seal_no)) or _BEGINNING
    head_now = AuditHead.now(session)
    if at_head != head.seal or head_now is None or head_now.seal_no < findings.seal_no:
        findings.add(TrailFault(TrailFaultKind.HEAD, head.seal_no))


def _look_at_the_unsealed(session: Session, findings: Findings, head: AuditHead, now: datetime) -> None:
    for kind, side in zip(
        (TrailFaultKind.LATE, TrailFaultKind.FUTURE), _sides(*_limits(session, head, now)), strict=True
    ):
        some = (
            select(AuditEvent.id)
            .where(_UNSEALED, side)
            .order_by(AuditEvent.at, AuditEvent.id)
            .limit(_FAULTS_TO_NAME)
        )
        named = session.scalars(some).all()
        unnamed = _count_blocked(session, side) - len(named) if len(named) == _FAULTS_TO_NAME else 0
        for row_id in named:
            findings.add(TrailFault(kind, None, row_id))
        findings.faults += unnamed


def _count_blocked(session: Session, side: ColumnElement[bool]) -> int:
    blocked = select(AuditEvent.id).where(_UNSEALED, side).limit(_MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(blocked)) or 0


def _sealed_after(session: Session, seal_no: int, most: int) -> list[_Stored]:
    following = select(*_STORED).where(AuditEvent.seal_no > seal_no).order_by(AuditEvent.seal_no).limit(most)
    return [_Stored._make(row) for row in session.execute(following).all()]


# -- the head
def _objection(session: Session, head: AuditHead, trail_keys: Sequence[bytes], kept: Kept) -> Why | None:
    """What is wrong with the head. A good head has our mark, is on the last of the sealed rows, and belongs
    to a trail that holds what this machine has seen of it."""
    seen = None
    if isinstance(kept, Anchor) and kept != Anchor(0, _BEGINNING):
        seen = _sealed(session, kept.seal_no)
        if seen is None or not seen.carries(kept.seal) or _key_of(seen, trail_keys) is None:
            return Why.OUTSIDE
    if not (_is_marked(head, trail_keys) or (kept is None and _is_untouched(head))):
        return Why.HEAD
    if (session.scalar(_HIGHEST_NUMBER) or 0) != head.seal_no:
        return Why.HEAD
    if not head.seal_no:
        return (
            Why.HEAD
            if session.scalar(select(AuditEvent.id).where(AuditEvent.seal_no <= 0).limit(1))
            else None
        )
    last = seen if seen is not None and seen.seal_no == head.seal_no else _sealed(session, head.seal_no)
    is_last = last is not None and last.seal == head.seal and _key_of(last, trail_keys) is not None
    return None if is_last else Why.HEAD


def _is_marked(head: AuditHead, trail_keys: Sequence[bytes]) -> bool:
    if not isinstance(head.seal_no, int) or head.seal_no < 0 or (head.newest_at is None and not head.seal_no):
        return False
    if not head.seal_no and head.seal != _BEGINNING:
        return False
    return any(head.mark == _mark(key, head) for key in trail_keys)


def _is_untouched(head: AuditHead) -> bool:
    """Whether the head is as the migration has left it. Anybody who can write the table can make it so again.
    So it is believed only if nothing else is known of the trail, and then rows that are already old are not
    sealed."""
    others = (head.newest_at, head.resealed_no, head.resealed_seal, head.replaced_seal)
    return (
        head.seal_no == 0
        and head.seal == _BEGINNING
        and not head.mark
        and not any(one is not None for one in others)
    )


def _mark(key: bytes, head: AuditHead) -> str:
    """The mark over a head. A head without `newest_at` comes from an earlier release."""
    more = (
        []
        if head.newest_at is None
        else [head.newest_at, head.resealed_no, head.resealed_seal, head.replaced_seal]
    )
    return _hmac(key, _encoded(["head", head.seal_no, head.seal, *more]))


def _anchor(head: AuditHead) -> Anchor:
    return Anchor(head.seal_no, head.seal)


def _sealed(session: Session, seal_no: int) -> _Stored | None:
    row = session.execute(_WITH_NUMBER, {"seal_no": seal_no}).one_or_none()
    return _Stored._make(row) if row is not None else None


def _key_of(row: _Stored, trail_keys: Sequence[bytes]) -> int | None:
    """Which of the keys has sealed the row as it is now; None if none has."""
    message = _message(row.seal_no, row.previous_seal, row, row.replaced_seal)
    return next((number for number, key in enumerate(trail_keys) if row.seal == _hmac(key, message)), None)


def _message(seal_no: int, previous: str | None, row: _Stored, replaced: str | None) -> str:
    """The row in one spelling: UTC with microseconds, JSON with sorted keys."""
    more = [] if replaced is None else [replaced]
    return _encoded(
        [seal_no, previous, row.id, _in_utc(str(row.at)), *row[2:9], _parsed(str(row.detail)), *more]
    )


# -- moments
def _limits(session: Session, head: AuditHead, now: datetime) -> tuple[datetime, datetime]:
    """The earliest and the latest moment that a row to be sealed may have. If a clock was ahead for a while,
    rows that are written after it was corrected can still be sealed."""
    newest = _moment_of(head.newest_at) or (_latest_sealed(session, now) if head.seal_no else None) or now
    return min(newest, now) - OLDEST_TO_SEAL, now + FURTHEST_AHEAD


def _latest_sealed(session: Session, now: datetime) -> datetime | None:
    """For a head of an earlier release, which does not hold this moment."""
    found = select(cast(AuditEvent.at, String)).where(AuditEvent.at <= now, AuditEvent.seal_no.is_not(None))
    return _moment_of(session.scalar(found.order_by(AuditEvent.at.desc()).limit(1)))


def _sides(floor: datetime, ceiling: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return AuditEvent.at < floor, AuditEvent.at > ceiling


def _moment_of(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _spelled(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _in_utc(text: str) -> str:
    moment = _moment_of(text)
    return _spelled(moment) if moment is not None else text


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _hmac(key: bytes, message: str) -> str:
    return hmac.digest(key, message.encode(), "sha256").hex()
