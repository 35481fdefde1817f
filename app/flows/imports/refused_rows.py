"""The refused rows of a batch, in the columns of FILE.ditolak.xlsx, so that people can correct them and
import them again."""

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from app.domain.staff_file import REPORT_COLUMNS, STAFF_COLUMNS
from app.models.import_batch import ImportBatch, ImportRefusal

_COLUMNS = (*STAFF_COLUMNS.required, *STAFF_COLUMNS.optional)
HEADER = (*_COLUMNS, *REPORT_COLUMNS)
_AT_ONCE = 1000


def are_kept(session: Session, batch: ImportBatch) -> bool:
    """Whether there are refused rows of the last pass, which is the one that the page shows."""
    return bool(session.scalar(select(exists().where(_of_last_pass(batch)))))


def rows(session: Session, batch: ImportBatch, after: int) -> tuple[list[list[str]], int | None]:
    """Some rows after the refusal `after`, in the columns of HEADER, and the refusal after which the next
    part begins; None at the end."""
    some = (
        select(ImportRefusal)
        .where(_of_last_pass(batch), ImportRefusal.id > after)
        .order_by(ImportRefusal.id)
        .limit(_AT_ONCE)
    )
    refusals = list(session.scalars(some))
    cells = [
        [*(refusal.cells.get(column, "") for column in _COLUMNS), str(refusal.line), refusal.sentences]
        for refusal in refusals
    ]
    return cells, refusals[-1].id if len(refusals) == _AT_ONCE else None


def _of_last_pass(batch: ImportBatch) -> ColumnElement[bool]:
    return and_(ImportRefusal.batch_id == batch.id, ImportRefusal.is_dry_run == (batch.confirmed_at is None))
