"""Files of staff, their refused rows and their changes hold personal data, so they are removed when nobody
needs them. The batches stay."""

from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from app.flows.imports.import_batches import MAY_BE_CANCELLED
from app.models.import_batch import BatchState, ImportBatch, ImportFile, ImportRefusal
from app.models.import_change import ImportChange
from app.models.import_take_back import ImportLeft

FILES_KEPT_FOR = timedelta(days=1)  # after the end of the batch
UNCONFIRMED_KEPT_FOR = timedelta(days=7)
ROWS_KEPT_FOR = timedelta(days=30)
_NOT_CONFIRMED = (
    "Tidak dikonfirmasi dalam 7 hari, jadi dibatalkan oleh portal. Unggah lagi filenya bila masih diperlukan."
)


_FILES_AT_ONCE = 5  # of up to 32 MB each
_ROWS_AT_ONCE = 1000


def cancel_unconfirmed(session: Session, now: datetime) -> int:
    """Returns how many batches were cancelled. The other functions also return how many rows they have
    removed."""
    forgotten = (
        update(ImportBatch)
        .where(ImportBatch.state.in_(MAY_BE_CANCELLED), ImportBatch.uploaded_at < now - UNCONFIRMED_KEPT_FOR)
        .values(state=BatchState.CANCELLED, ended_at=now, problem=_NOT_CONFIRMED)
        .returning(ImportBatch.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(forgotten).all())


def remove_files(session: Session, now: datetime) -> int:
    ended = select(ImportBatch.id).where(ImportBatch.ended_at < now - FILES_KEPT_FOR)
    some = select(ImportFile.batch_id).where(ImportFile.batch_id.in_(ended)).limit(_FILES_AT_ONCE)
    gone = session.execute(
        delete(ImportFile).where(ImportFile.batch_id.in_(some)).returning(ImportFile.batch_id)
    )
    return len(gone.all())


def remove_refusals(session: Session, now: datetime) -> int:
    some = select(ImportRefusal.id).where(ImportRefusal.batch_id.in_(_long_over(now))).limit(_ROWS_AT_ONCE)
    gone = session.execute(
        delete(ImportRefusal).where(ImportRefusal.id.in_(some)).returning(ImportRefusal.id)
    )
    return len(gone.all())


def remove_changes(session: Session, now: datetime) -> int:
    some = select(ImportChange.id).where(ImportChange.batch_id.in_(_long_over(now))).limit(_ROWS_AT_ONCE)
    gone = session.execute(delete(ImportChange).where(ImportChange.id.in_(some)).returning(ImportChange.id))
    return len(gone.all())


def remove_left(session: Session, now: datetime) -> int:
    some = select(ImportLeft.id).where(ImportLeft.batch_id.in_(_long_over(now))).limit(_ROWS_AT_ONCE)
    gone = session.execute(delete(ImportLeft).where(ImportLeft.id.in_(some)).returning(ImportLeft.id))
    return len(gone.all())


def _long_over(now: datetime) -> Select[int]:
    last_change = func.coalesce(ImportBatch.ended_at, ImportBatch.uploaded_at)
    return select(ImportBatch.id).where(last_change < now - ROWS_KEPT_FOR)
