"""An admin looks at what waits: requests for another address, oldest first, and decided changes that are not
finished."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, select, tuple_
from sqlalchemy.orm import Session, contains_eager, joinedload

from app.domain.corrections import OPEN_STATES, Age, CorrectionField, CorrectionState
from app.domain.identity import ChangeState
from app.domain.labelled import Labelled
from app.domain.nip import Nip
from app.domain.paging import ROWS_A_PAGE, Cursor, Page, cut
from app.flows.correction.review_correction import review_many
from app.models.correction_attachment import CorrectionAttachment
from app.models.correction_note import CorrectionNote
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.taken_correction import TakenCorrection
from app.models.user import User
from app.security.authority import Authority

BY_MOMENT = "waktu"  # the index of all these lists: a moment, and the id
_NEXT_LOOKED_AT = 10
_MOST_LOOKS = 3


class Hand(Labelled):
    """In whose hand the requests are that an admin looks for."""

    MINE = "saya", "Saya tangani"
    NOBODYS = "kosong", "Belum ditangani siapa pun"


@dataclass(frozen=True)
class QueueFilter:
    """What the requests looked for have in common. An empty field does not matter."""

    instansi_id: int | None = None  # for pusat, which reaches all
    work_unit: str = ""  # a part of its name
    age: Age | None = None
    field: CorrectionField | None = None
    hand: Hand | None = None
    has_attachment: bool = False
    has_heavy_warning: bool = False
    nip: Nip | None = None
    words: tuple[str, ...] = ()  # what is said of the name, as `asked_for` gives it; all of it
    awaits_answer: bool = False  # those that wait for their person, instead of those that wait for the desk


EVERYTHING = QueueFilter()


@dataclass(frozen=True)
class QueueMarks:
    """What a list shows beside its requests, by their ids."""

    taken: dict[int, TakenCorrection]
    answered: frozenset[int]  # the person has answered a question
    with_attachment: frozenset[int]
    notes: dict[int, int]


def next_open_after(
    session: Session, authority: Authority, answered: EmailCorrection, wanted: QueueFilter, now: datetime
) -> EmailCorrection | None:
    """The request that follows the one just answered, by waiting time, among those that this admin looks for:
    one that they may decide, and that no colleague has in hand. None if there is none among the first few
    tens of them: however many wait, an answer costs no more than a page of the queue."""
    after: Cursor | None = _place(answered)
    for _ in range(_MOST_LOOKS):
        page = open_corrections(session, authority, wanted, after, now, most=_NEXT_LOOKED_AT)
        in_hand = TakenCorrection.among(session, [one.id for one in page.rows], now)
        for one in page.rows:
            taken = in_hand.get(one.id)
            if one.user_id != authority.admin.id and (not taken or taken.taken_by_id == authority.admin.id):
                return one
        after = page.next
        if after is None:
            break
    return None


def open_corrections(
    session: Session,
    authority: Authority,
    wanted: QueueFilter,
    after: Cursor | None,
    now: datetime,
    most: int = ROWS_A_PAGE,
) -> Page[EmailCorrection, Cursor]:
    """The requests that wait for the desk, or for the answer of their person, oldest first. Requests that one
    admin has approved and that wait for a second admin are in a list of their own.

    Heavy warnings are no column: they are looked up when somebody looks. So a list of those with a heavy
    warning looks at a page of requests, and may show fewer of them, although more follow.
    """
    found = _oldest(session, _waiting(authority, wanted, now), after, most + 1)
    page = cut(found, most, _place)
    if not wanted.has_heavy_warning:
        return page
    reviewed = review_many(session, authority, page.rows, now)
    return Page([one.correction for one in reviewed if one.heavy], page.next)


def marks_of(session: Session, requests: Sequence[EmailCorrection], now: datetime) -> QueueMarks:
    ids = [one.id for one in requests]
    return QueueMarks(
        TakenCorrection.among(session, ids, now),
        CorrectionQuestion.answered_among(session, ids),
        CorrectionAttachment.among(session, ids),
        CorrectionNote.counts(session, ids),
    )


def _waiting(authority: Authority, wanted: QueueFilter, now: datetime) -> Select[EmailCorrection]:
    awaits_second = exists().where(
        IdentityChange.correction_id == EmailCorrection.id, IdentityChange.state == ChangeState.NEEDS_SECOND
    )
    awaits_answer = CorrectionQuestion.is_open()
    return (
        select(EmailCorrection)
        .join(EmailCorrection.user)
        .where(
            authority.within(EmailCorrection.instansi_id),
            ~awaits_second,
            awaits_answer if wanted.awaits_answer else ~awaits_answer,
            *_conditions(authority, wanted, now),
        )
        .options(contains_eager(EmailCorrection.user))
        .order_by(EmailCorrection.submitted_at, EmailCorrection.id)
    )


def _conditions(authority: Authority, wanted: QueueFilter, now: datetime) -> Iterator[ColumnElement[bool]]:
    if wanted.instansi_id is not None:
        yield EmailCorrection.instansi_id == wanted.instansi_id
    if wanted.age and wanted.age.over:
        yield EmailCorrection.submitted_at <= now - wanted.age.over
    if wanted.age and wanted.age.under:
        yield EmailCorrection.submitted_at > now - wanted.age.under
    if wanted.field:
        yield EmailCorrection.field == wanted.field
    if wanted.hand is Hand.MINE:
        yield TakenCorrection.is_in_hand(now, by=authority.admin.id)
    if wanted.hand is Hand.NOBODYS:
        yield ~TakenCorrection.is_in_hand(now)
    if wanted.has_attachment:
        yield exists().where(CorrectionAttachment.correction_id == EmailCorrection.id)
    if wanted.work_unit:
        yield User.work_unit.icontains(wanted.work_unit, autoescape=True)
    if wanted.nip:
        yield _is_about(wanted.nip)
    for word in wanted.words:
        yield User.is_called(word)


def _is_about(nip: Nip) -> ColumnElement[bool]:
    return EmailCorrection.user_id == select(User.id).where(User.nip == nip.digits).scalar_subquery()


def _oldest(
    session: Session, found: Select[EmailCorrection], after: Cursor | None, most: int
) -> list[EmailCorrection]:
    """The first of each open state in order, because an index gives them so, and then the first of all."""
    if after:
        found = found.where(tuple_(EmailCorrection.submitted_at, EmailCorrection.id) > after.keys)
    of_states = (found.where(EmailCorrection.state == state).limit(most) for state in OPEN_STATES)
    some = [row for of_state in of_states for row in session.scalars(of_state)]
    return sorted(some, key=lambda row: _place(row).keys)[:most]


def decided_corrections(
    session: Session, authority: Authority, wanted: QueueFilter, after: Cursor | None
) -> Page[EmailCorrection, Cursor]:
    """The requests that were decided, those sent last first: of one instansi, or about one NIP.

    They are read state by state, because then an index gives them in order, and no more than a page of each
    state is read.
    """
    found = (
        select(EmailCorrection)
        .where(EmailCorrection.user_id.is_not(None), authority.within(EmailCorrection.instansi_id))
        .order_by(EmailCorrection.submitted_at.desc(), EmailCorrection.id.desc())
        .options(joinedload(EmailCorrection.decided_by))
    )
    if wanted.instansi_id is not None:
        found = found.where(EmailCorrection.instansi_id == wanted.instansi_id)
    if wanted.nip:
        found = found.where(_is_about(wanted.nip))
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
    wanted: QueueFilter,
    after: Cursor | None,
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
    if wanted.instansi_id is not None:
        found = found.where(IdentityChange.instansi_id == wanted.instansi_id)
    if wanted.nip:
        owner = select(User.id).where(User.nip == wanted.nip.digits).scalar_subquery()
        found = found.where(IdentityChange.user_id == owner)
    if after:
        found = found.where(tuple_(IdentityChange.decided_at, IdentityChange.id) > after.keys)
    rows = session.scalars(found.limit(ROWS_A_PAGE + 1)).all()
    return cut(rows, ROWS_A_PAGE, lambda change: Cursor(BY_MOMENT, (change.decided_at, change.id)))


def _place(request: EmailCorrection) -> Cursor:
    return Cursor(BY_MOMENT, (request.submitted_at or request.asked_at, request.id))
