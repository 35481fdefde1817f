"""The sealed trail: each row of it carries a seal over itself and over the seal of the row before.

A seal is an HMAC under a key derived from SECRET_KEY, so who can write into the tables can neither change a row nor put
one in without its being found; a row that is gone leaves a gap in the numbers, and the head, which says where the trail
ends and is sealed itself, shows a tail that was cut off. What no database can show about itself is its own older state,
put back as a whole: therefore the worker writes the head into its log every ten minutes, and `mysapk audit verify
--anchor NUMBER:SEAL` compares such a line with the trail. Keep those lines where nobody who has the database can write.

Rows are written unsealed, in the transaction of their act, and sealed by the worker a moment later: acts that run side by
side never wait for each other. Transactions do not end in the order of their ids, so the order of the seals is another,
and a small id after a larger one is nothing to wonder at. Who seals never writes to a row that has a seal, and stops at a
head that is not genuine: a fault stays to be seen.

What a seal cannot tell is who wrote a row before it was sealed: whoever can speak to the database as the portal does can
also add a row of today, and it is sealed like the others. It can never be taken back or moved to another day.

A key must stay in SECRET_KEY_FALLBACKS for as long as rows that were sealed with it are to be verified.
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import String, Text, bindparam, cast, func, select, update
from sqlalchemy.orm import Session

from app.models.audit_event import AuditEvent
from app.models.audit_head import AuditHead
from app.security.signing import SigningKeys

ROWS_AT_ONCE = 2000  # sealed in one transaction: short enough for a writer of SQLite to wait for
_ROWS_A_LOOK = 5000
_FAULTS_TO_NAME = 50
_BEGINNING = "0" * 64
_BEFORE_ALL_NUMBERS = -(2**63)

# As stored, so that whatever somebody put there can be read: a broken date or JSON is a changed row, not an accident.
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
)
_encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=repr).encode


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


class FaultKind(StrEnum):
    CHANGED = "isi baris tidak sesuai segelnya (diubah atau disisipkan)"
    MISSING = "baris hilang"
    ORDER = "baris tidak menyambung pada baris sebelumnya"
    HEAD = "kepala jejak tidak sesuai dengan baris terakhir"
    ANCHOR = "segel tidak sama dengan yang tercatat di luar database"


@dataclass(frozen=True)
class Fault:
    """What is wrong at one number of the trail; for missing rows, from there through `last_seal_no`."""

    kind: FaultKind
    seal_no: int
    row_id: int | None = None
    last_seal_no: int | None = None


@dataclass(frozen=True)
class HeadNotGenuine:
    """Nothing was sealed: somebody has removed the head, or moved it."""


@dataclass
class Findings:
    """What a look at the whole trail has shown. Of very many faults only the first are named."""

    rows: int = 0
    seal_no: int = 0
    seal: str = _BEGINNING
    faults: int = 0
    named: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        self.faults += 1
        if len(self.named) < _FAULTS_TO_NAME:
            self.named.append(fault)


def is_any_unsealed(session: Session) -> bool:
    return session.scalar(select(AuditEvent.id).where(AuditEvent.seal_no.is_(None)).limit(1)) is not None


def is_head_genuine(session: Session, keys: SigningKeys) -> bool:
    """Whether sealing can go on from here."""
    head = AuditHead.now(session)
    return head is not None and _is_genuine(session, head, keys.trail_keys())


def seal_next(session: Session, keys: SigningKeys) -> int | HeadNotGenuine:
    """Seal what is unsealed, oldest id first, at most `ROWS_AT_ONCE`; returns how many. Of several who do so at once each
    waits for the one before."""
    trail_keys = keys.trail_keys()
    head = AuditHead.now(session, lock=True)
    if head is None or not _is_genuine(session, head, trail_keys):
        return HeadNotGenuine()
    unsealed = select(*_STORED).where(AuditEvent.seal_no.is_(None)).order_by(AuditEvent.id).limit(ROWS_AT_ONCE)
    sealed = []
    for row in map(_Stored._make, session.execute(unsealed).all()):
        previous = head.seal
        head.seal_no += 1
        head.seal = _hmac(trail_keys[0], _message(head.seal_no, previous, row))
        sealed.append({"row": row.id, "seal_no": head.seal_no, "previous_seal": previous, "seal": head.seal})
    if sealed:
        head.mark = _mark(trail_keys[0], head)
        still_unsealed = (AuditEvent.id == bindparam("row"), AuditEvent.seal_no.is_(None))
        session.connection().execute(update(AuditEvent).where(*still_unsealed), sealed)
    return len(sealed)


def verify(session: Session, keys: SigningKeys, anchors: dict[int, str] | None = None) -> Findings:
    """Look at every sealed row in order, a few thousand at a time. `anchors` are seals by number, known from elsewhere."""
    trail_keys = keys.trail_keys()
    findings = Findings()
    head = AuditHead.now(session)
    anchors = dict(anchors or {})
    previous: str | None = _BEGINNING  # None after a row that is wrong itself: the next is not blamed for it
    looked_at = _BEFORE_ALL_NUMBERS
    while rows := _sealed_after(session, looked_at):
        for row in rows:
            if row.seal_no > findings.seal_no + 1:
                findings.add(Fault(FaultKind.MISSING, findings.seal_no + 1, None, row.seal_no - 1))
                previous = None
            message = _message(row.seal_no, row.previous_seal, row)
            if row.seal_no <= 0 or not any(row.seal == _hmac(key, message) for key in trail_keys):
                findings.add(Fault(FaultKind.CHANGED, row.seal_no, row.id))
                previous = None
            else:
                if previous is not None and row.previous_seal != previous:
                    findings.add(Fault(FaultKind.ORDER, row.seal_no, row.id))
                previous = row.seal
            if anchors.pop(row.seal_no, row.seal) != row.seal:
                findings.add(Fault(FaultKind.ANCHOR, row.seal_no, row.id))
            findings.rows += 1
            findings.seal_no, findings.seal = max(row.seal_no, 0), row.seal or ""
            looked_at = row.seal_no
    _look_at_the_end(session, findings, head, trail_keys)
    for seal_no in sorted(anchors):  # beyond the end: those rows were there once
        findings.add(Fault(FaultKind.ANCHOR, seal_no))
    return findings


def _look_at_the_end(session: Session, findings: Findings, head: AuditHead | None, trail_keys: Sequence[bytes]) -> None:
    """`head` is as it was before the rows were read: rows that were sealed meanwhile may lie behind it."""
    if head is None or not _is_marked(head, trail_keys):
        findings.add(Fault(FaultKind.HEAD, head.seal_no if head else 0))
        return
    if findings.seal_no < head.seal_no:
        findings.add(Fault(FaultKind.MISSING, findings.seal_no + 1, None, head.seal_no))
        return
    at_head = session.scalar(select(AuditEvent.seal).where(AuditEvent.seal_no == head.seal_no)) or _BEGINNING
    head_now = AuditHead.now(session)
    if at_head != head.seal or head_now is None or head_now.seal_no < findings.seal_no:
        findings.add(Fault(FaultKind.HEAD, head.seal_no))


def _sealed_after(session: Session, seal_no: int) -> list[_Stored]:
    following = select(*_STORED).where(AuditEvent.seal_no > seal_no).order_by(AuditEvent.seal_no).limit(_ROWS_A_LOOK)
    return [_Stored._make(row) for row in session.execute(following).all()]


def _is_genuine(session: Session, head: AuditHead, trail_keys: Sequence[bytes]) -> bool:
    """Marked by us, and no row sealed behind it."""
    last = session.scalar(select(func.max(AuditEvent.seal_no)))
    return _is_marked(head, trail_keys) and (last is None or last <= head.seal_no)


def _is_marked(head: AuditHead, trail_keys: Sequence[bytes]) -> bool:
    """A trail that nobody has sealed yet has no mark."""
    if head.seal_no == 0:
        return head.seal == _BEGINNING and not head.mark
    return any(head.mark == _mark(key, head) for key in trail_keys)


def _mark(key: bytes, head: AuditHead) -> str:
    return _hmac(key, _encoded(["head", head.seal_no, head.seal]))


def _message(seal_no: int, previous: str | None, row: _Stored) -> str:
    """The row in one spelling: UTC with microseconds, JSON with sorted keys."""
    return _encoded([seal_no, previous, row.id, _in_utc(str(row.at)), *row[2:9], _parsed(str(row.detail))])


def _in_utc(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _hmac(key: bytes, message: str) -> str:
    return hmac.digest(key, message.encode(), "sha256").hex()
