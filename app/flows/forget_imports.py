"""Files of staff and their refused rows hold personal data: they go when nobody needs them. The batches stay."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.flows.import_batches import MAY_BE_CANCELLED
from app.models.import_batch import BatchState, ImportBatch, ImportFile, ImportRefusal

FILES_KEPT_FOR = timedelta(days=1)  # after the end
UNCONFIRMED_KEPT_FOR = timedelta(days=7)
REFUSALS_KEPT_FOR = timedelta(days=30)
_NOT_CONFIRMED = "Tidak dikonfirmasi dalam 7 hari, jadi dibatalkan oleh portal. Unggah lagi filenya bila masih diperlukan."


def forget_imports(session: Session, now: datetime) -> dict[str, int]:
    """Returns how many rows of each went."""
    forgotten = (
        update(ImportBatch)
        .where(ImportBatch.state.in_(MAY_BE_CANCELLED), ImportBatch.uploaded_at < now - UNCONFIRMED_KEPT_FOR)
        .values(state=BatchState.CANCELLED, ended_at=now, problem=_NOT_CONFIRMED)
        .returning(ImportBatch.id)
        .execution_options(synchronize_session=False)
    )
    unconfirmed = session.execute(forgotten).all()
    ended = select(ImportBatch.id).where(ImportBatch.ended_at < now - FILES_KEPT_FOR)
    files = session.execute(delete(ImportFile).where(ImportFile.batch_id.in_(ended)).returning(ImportFile.batch_id))
    last_change = func.coalesce(ImportBatch.ended_at, ImportBatch.uploaded_at)
    old = select(ImportBatch.id).where(last_change < now - REFUSALS_KEPT_FOR)
    refusals = session.execute(delete(ImportRefusal).where(ImportRefusal.batch_id.in_(old)).returning(ImportRefusal.id))
    return {
        "imports_not_confirmed": len(unconfirmed),
        "import_files": len(files.all()),
        "import_refusals": len(refusals.all()),
    }
