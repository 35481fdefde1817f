"""An admin hands over a file of staff on a page. The portal first only looks at it, and takes it over when
the admin confirms this.

The page only keeps the file and asks. A worker does the work (app/flows/imports/run_batch.py). The batch
stays as the record of who did what.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PureWindowsPath

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from app.domain.act import Act
from app.domain.file_changes import ColumnCount, mark_of
from app.files.open_table import refuse_other_formats
from app.files.table import UnreadableFile
from app.flows.imports.file_changes import wide_columns
from app.models.audit_event import Exported, Tag
from app.models.import_batch import BatchState, ImportBatch, ImportFile
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, OutOfReach

MOST_BYTES = 32 * 1024 * 1024
SAME_FILE_WITHIN = timedelta(minutes=5)  # a double click, or a form that was sent again on a bad connection

MAY_BE_CANCELLED = (BatchState.UPLOADED, BatchState.CHECKING, BatchState.CHECKED)
_ENDED = (BatchState.DONE, BatchState.UNREADABLE, BatchState.CANCELLED)
_LONGEST_NAME = 200
_PEOPLE = (joinedload(ImportBatch.uploaded_by), joinedload(ImportBatch.confirmed_by))


@dataclass(frozen=True)
class Upload:
    """A file as it came, checked without reading its rows. It is made before a transaction is open."""

    name: str
    content: bytes
    sha256: str

    @classmethod
    def of(cls, name: str, content: bytes) -> "Upload | UnreadableFile":
        """Refuse at once what cannot be a table. Other faults are shown after the dry run."""
        if len(content) > MOST_BYTES:
            return UnreadableFile(
                f"File ini lebih besar dari {MOST_BYTES >> 20} MB. Bagi menjadi beberapa file, lalu unggah "
                "satu per satu."
            )
        try:
            refuse_other_formats(content[:4096])
        except UnreadableFile as refusal:
            return refusal
        if not content.startswith(b"PK") and b"\0" in content[:4096]:
            return UnreadableFile("File ini bukan tabel. Pakai file CSV (UTF-8) atau XLSX.")
        return cls(_plain(name), content, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class OtherState:
    """The batch is not in the state that the act needs: somebody was faster, or a button was pressed
    twice."""

    batch: ImportBatch


@dataclass(frozen=True)
class Unfinished:
    """An earlier file of the same admin is neither done nor cancelled."""

    batch: ImportBatch


@dataclass(frozen=True)
class WideColumnsNotAcknowledged:
    """The file changes these columns for so many people that the admin has to acknowledge it."""

    wide: list[ColumnCount]


def hand_over(
    session: Session, upload: Upload, instansi_id: int | None, reason: str, act: Act[Authority]
) -> ImportBatch | OutOfReach | Unfinished:
    """Keep a file for the worker, one at a time for each admin. If the same file comes again a moment later
    with the same reason, it is the same batch."""
    if not act.by.covers(instansi_id):
        return OutOfReach()
    # If there are two clicks at once, the second finds the batch of the first
    User.with_id(session, act.by.admin.id, lock=True)
    if same := _same_file(session, upload, instansi_id, reason, act):
        return same
    if earlier := unfinished_of(session, act.by):
        return Unfinished(earlier)
    batch = ImportBatch(
        instansi_id=instansi_id,
        uploaded_by_id=act.by.admin.id,
        uploaded_at=act.at,
        reason=reason,
        file_name=upload.name,
        file_size=len(upload.content),
        sha256=upload.sha256,
        state=BatchState.UPLOADED,
    )
    session.add(batch)
    session.flush()
    session.add(ImportFile(batch_id=batch.id, content=upload.content))
    audit.record(
        session, Tag.IMPORT_UPLOADED, None, act,
        instansi_id=instansi_id, batch=batch.id, file=upload.name,
        bytes=batch.file_size,
        reason=reason or None
    )  # fmt: skip
    return batch


def confirm(
    session: Session, batch_id: int, acknowledged: frozenset[str], act: Act[Authority]
) -> ImportBatch | OutOfReach | OtherState | WideColumnsNotAcknowledged:
    """The admin has read the report and wants the file taken over. `acknowledged` are the marks of the
    warnings that the admin has ticked."""
    batch = batch_within(session, act.by, batch_id)
    if isinstance(batch, OutOfReach):
        return batch
    wide = wide_columns(batch)
    columns = ",".join(one.column for one in wide)
    if batch.state is BatchState.CHECKED and wide and mark_of(wide) not in acknowledged:
        audit.record(
            session, Tag.ADMIN_REFUSED, None, act, instansi_id=batch.instansi_id,
            reason="warnings not acknowledged", batch=batch.id, wide_columns=columns
        )  # fmt: skip
        return WideColumnsNotAcknowledged(wide)
    said = {"state": BatchState.CONFIRMED, "confirmed_by_id": act.by.admin.id, "confirmed_at": act.at}
    facts = {"wide_columns": columns} if wide else {}
    return _move_on(session, batch_id, (BatchState.CHECKED,), said, Tag.IMPORT_CONFIRMED, act, **facts)


def cancel(session: Session, batch_id: int, act: Act[Authority]) -> ImportBatch | OutOfReach | OtherState:
    """The admin does not want the file. A batch that runs already is not stopped halfway."""
    said = {"state": BatchState.CANCELLED, "ended_at": act.at}
    return _move_on(session, batch_id, MAY_BE_CANCELLED, said, Tag.IMPORT_CANCELLED, act)


def unfinished_of(session: Session, authority: Authority) -> ImportBatch | None:
    """The file that this admin has handed over and that is not finished. Two kinds do not count, so that they
    do not block the next file. The first is out of reach by now, because the mandate ended: it can not be
    cancelled and is not carried out. The second has a report that says that there is nothing to take over:
    its refused rows come back corrected in another file."""
    unfinished = select(ImportBatch).where(
        ImportBatch.uploaded_by_id == authority.admin.id,
        ImportBatch.state.not_in(_ENDED),
        authority.within(ImportBatch.instansi_id),
    )
    return next(
        (
            batch
            for batch in session.scalars(unfinished.order_by(ImportBatch.id))
            if not batch.waits_for_nothing
        ),
        None,
    )


def batch_within(session: Session, authority: Authority, batch_id: int) -> ImportBatch | OutOfReach:
    found = (
        select(ImportBatch)
        .where(ImportBatch.id == batch_id, authority.within(ImportBatch.instansi_id))
        .options(*_PEOPLE)
    )
    return session.scalars(found.execution_options(populate_existing=True)).one_or_none() or OutOfReach()


def note_export(
    session: Session, batch: ImportBatch, what: Exported, file_kind: str, act: Act[Authority]
) -> None:
    """Record in the trail that personal data has left the portal."""
    audit.record(
        session, Tag.EXPORTED, None, act,
        instansi_id=batch.instansi_id, what=what, file=file_kind, batch=batch.id,
    )  # fmt: skip


def batches_within(
    session: Session, authority: Authority, before: int | None, most: int
) -> list[ImportBatch]:
    """The newest batches, or those older than the batch `before`."""
    found = select(ImportBatch).where(authority.within(ImportBatch.instansi_id)).options(*_PEOPLE)
    if before is not None:
        found = found.where(ImportBatch.id < before)
    return list(session.scalars(found.order_by(ImportBatch.id.desc()).limit(most)))


def _move_on(
    session: Session,
    batch_id: int,
    before: tuple[BatchState, ...],
    values: dict[str, object],
    tag: Tag,
    act: Act[Authority],
    **facts: str,
) -> ImportBatch | OutOfReach | OtherState:
    """Change the state in one atomic step. If two do so at once, the second sees that it was not the
    first."""
    step = (
        update(ImportBatch)
        .where(
            ImportBatch.id == batch_id,
            ImportBatch.state.in_(before),
            act.by.within(ImportBatch.instansi_id),
        )
        .values(**values)
        .returning(ImportBatch.id)
        .execution_options(synchronize_session=False)
    )
    has_moved = session.scalar(step) is not None
    batch = batch_within(session, act.by, batch_id)
    if isinstance(batch, OutOfReach):
        return batch
    if not has_moved:
        return OtherState(batch)
    audit.record(session, tag, None, act, instansi_id=batch.instansi_id, batch=batch.id, **facts)
    return batch


def _same_file(
    session: Session,
    upload: Upload,
    instansi_id: int | None,
    reason: str,
    act: Act[Authority],
) -> ImportBatch | None:
    same = select(ImportBatch).where(
        ImportBatch.uploaded_by_id == act.by.admin.id,
        ImportBatch.sha256 == upload.sha256,
        ImportBatch.reason == reason,
        ImportBatch.instansi_id.is_(None) if instansi_id is None else ImportBatch.instansi_id == instansi_id,
        ImportBatch.uploaded_at > act.at - SAME_FILE_WITHIN,
        ImportBatch.state.not_in(_ENDED),
    )
    return session.scalars(same.order_by(ImportBatch.id.desc()).limit(1)).one_or_none()


def _plain(name: str) -> str:
    """The name without folders and without characters that cannot be shown."""
    bare = "".join(character for character in PureWindowsPath(name).name if character.isprintable()).strip()
    return bare[-_LONGEST_NAME:] or "tanpa nama"
