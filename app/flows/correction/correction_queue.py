"""An admin looks at what waits: requests for another address, oldest first, and decided changes that are not
finished."""

from sqlalchemy import exists, select, tuple_
from sqlalchemy.orm import Session, joinedload

from app.domain.corrections import OPEN_STATES, CorrectionState
from app.domain.identity import ChangeState
from app.domain.paging import ROWS_A_PAGE, Cursor, Page, cut
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.security.authority import Authority

BY_MOMENT = "waktu"  # the index of all these lists: a moment, and the id


def next_open_after(
    session: Session, authority: Authority, answered: EmailCorrection
) -> EmailCorrection | None:
    """The request that follows the one just answered, by waiting time, and that this admin may decide."""
    waiting = open_corrections(session, authority, _place(answered), most=2).rows
    return next((one for one in waiting if one.user_id != authority.admin.id), None)


def open_corrections(
    session: Session,
    authority: Authority,
    after: Cursor | None,
    instansi_id: int | None = None,
    most: int = ROWS_A_PAGE,
) -> Page[EmailCorrection, Cursor]:
    """The requests that nobody has decided, oldest first; pusat may ask for one instansi. Requests that one
    admin has approved and that wait for a second admin are in a list of their own."""
    awaits_second = exists().where(
        IdentityChange.correction_id == EmailCorrection.id, IdentityChange.state == ChangeState.NEEDS_SECOND
    )
    found = (
        select(EmailCorrection)
        .where(
            EmailCorrection.state.in_(OPEN_STATES),
            EmailCorrection.user_id.is_not(None),
            authority.within(EmailCorrection.instansi_id),
            ~awaits_second,
        )
        .order_by(EmailCorrection.submitted_at, EmailCorrection.id)
    )
    if instansi_id is not None:
        found = found.where(EmailCorrection.instansi_id == instansi_id)
    if after:
        found = found.where(tuple_(EmailCorrection.submitted_at, EmailCorrection.id) > after.keys)
    rows = session.scalars(found.limit(most + 1)).all()
    return cut(rows, most, _place)


def decided_corrections(
    session: Session, authority: Authority, after: Cursor | None, instansi_id: int | None = None
) -> Page[EmailCorrection, Cursor]:
    """The requests that were decided, those sent last first.

    They are read state by state, because then an index gives them in order, and no more than a page of each
    state is read.
    """
    found = (
        select(EmailCorrection)
        .where(EmailCorrection.user_id.is_not(None), authority.within(EmailCorrection.instansi_id))
        .order_by(EmailCorrection.submitted_at.desc(), EmailCorrection.id.desc())
        .options(joinedload(EmailCorrection.decided_by))
    )
    if instansi_id is not None:
        found = found.where(EmailCorrection.instansi_id == instansi_id)
    if after:
        found = found.where(tuple_(EmailCorrection.submitted_at, EmailCorrection.id) < after.keys)
    of_states = (
        found.where(EmailCorrection.state == state)
        for state in (CorrectionState.APPROVED, CorrectionState.REJECTED)
    )
    some = [row for of_state in of_states for row in session.scalars(of_state.limit(ROWS_A_PAGE + 1))]
    rows = sorted(some, key=lambda row: (row.submitted_at or row.asked_at, row.id), reverse=True)
    return cut(rows, ROWS_A_PAGE, _place)


def changes(
    session: Session,
    authority: Authority,
    state: ChangeState,
    after: Cursor | None,
    instansi_id: int | None = None,
) -> Page[IdentityChange, Cursor]:
    """Decided changes of one state, oldest first. They wait for a second admin, or for the end of the waiting
    time, or, if somebody has stopped them, for the admin who settles them."""
    found = (
        select(IdentityChange)
        .where(
            IdentityChange.state == state,
            IdentityChange.settled_at.is_(None),
            authority.within(IdentityChange.instansi_id),
        )
        .order_by(IdentityChange.decided_at, IdentityChange.id)
        .options(joinedload(IdentityChange.decided_by))
    )
    if instansi_id is not None:
        found = found.where(IdentityChange.instansi_id == instansi_id)
    if after:
        found = found.where(tuple_(IdentityChange.decided_at, IdentityChange.id) > after.keys)
    rows = session.scalars(found.limit(ROWS_A_PAGE + 1)).all()
    return cut(rows, ROWS_A_PAGE, lambda change: Cursor(BY_MOMENT, (change.decided_at, change.id)))


def _place(request: EmailCorrection) -> Cursor:
    return Cursor(BY_MOMENT, (request.submitted_at or request.asked_at, request.id))
