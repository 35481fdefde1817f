"""Who was in an act on many people is personal data, so the rows are removed when nobody needs them. The act
stays with its counts; a preview that was not started goes altogether."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models.bulk_act import BulkAct, BulkActRow, BulkState

_ROWS_AT_ONCE = 1000


def remove_rows(session: Session, now: datetime) -> int:
    """Of one act, some rows at a time. Returns how many rows of the tables have changed."""
    over = select(BulkAct).where(BulkAct.kept_until < now).order_by(BulkAct.kept_until).limit(1)
    bulk = session.scalars(over.with_for_update(of=BulkAct, skip_locked=True)).one_or_none()
    if bulk is None:
        return 0
    some = select(BulkActRow.position).where(BulkActRow.bulk_act_id == bulk.id).limit(_ROWS_AT_ONCE)
    gone = (
        delete(BulkActRow)
        .where(BulkActRow.bulk_act_id == bulk.id, BulkActRow.position.in_(some))
        .returning(BulkActRow.position)
        .execution_options(synchronize_session=False)
    )
    if rows := len(session.execute(gone).all()):
        return rows
    if bulk.state is BulkState.PREPARED:
        session.delete(bulk)
    else:
        bulk.kept_until = None
    return 1
