"""An admin chooses people and what shall be done to them. The portal writes down for each of them what would
happen, and does nothing yet.

The rows of the preview are those of the result. Whoever is left out in the preview is left out in any case:
nothing is done to a person of whom the admin has read that nothing will be done.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.domain.retention import BULK_PREVIEWS_KEPT_FOR
from app.flows.bulk.kinds import KINDS
from app.flows.people.find_people import PeopleFilter, all_found
from app.models.admin_mandate import AdminMandate
from app.models.bulk_act import BulkAct, BulkActRow, BulkKind, BulkState, RowOutcome
from app.models.many_rows import insert_many
from app.models.user import User
from app.security.authority import Authority

T = TypeVar("T")
MOST_PEOPLE = 2000
MOST_PREVIEWS = 5  # of one admin; the oldest is removed when another one is prepared
_PEOPLE_AT_ONCE = 500  # in one statement


@dataclass(frozen=True)
class Chosen:
    """Whom an admin has chosen: the ids of people, and what was typed in a list and is nobody's NIP.
    `is_cut`: there are more than one act takes."""

    people: Sequence[int]
    unknown: Sequence[str] = ()
    typed: Mapping[int, str] = field(default_factory=dict)  # by person, if they came by a list
    is_cut: bool = False


@dataclass(frozen=True)
class NobodyChosen:
    """There is nobody within reach among the chosen."""


def all_who_fit(session: Session, authority: Authority, wanted: PeopleFilter) -> Chosen:
    """Everybody within reach whom a filter means, in the order of the list."""
    people: list[int] = []
    for person in all_found(session, authority, wanted):
        if person is None or len(people) == MOST_PEOPLE:
            return Chosen(people, is_cut=True)
        people.append(person.id)
    return Chosen(people)


def prepare(
    session: Session, kind: BulkKind, chosen: Chosen, terms: Mapping[str, str], act: Act[Authority]
) -> BulkAct | NobodyChosen:
    """Write the preview. People out of reach do not exist: nothing is said about them."""
    people = _within_reach(session, act.by, chosen.people)
    if not people and not chosen.unknown:
        return NobodyChosen()
    _forget_earlier(session, act.by.admin)
    bulk = BulkAct(
        kind=kind,
        terms=dict(terms),
        instansi_id=act.by.only_instansi_id,
        desks=sorted(act.by.instansi_ids),
        prepared_by_id=act.by.admin.id,
        prepared_at=act.at,
        is_cut=chosen.is_cut or len(chosen.people) + len(chosen.unknown) > MOST_PEOPLE,
        kept_until=act.at + BULK_PREVIEWS_KEPT_FOR,
    )
    session.add(bulk)
    session.flush()
    rows = list(_rows(session, bulk, people, chosen, act))[:MOST_PEOPLE]
    columns = ("bulk_act_id", "position", "person_id", "desk", "typed", "expected")
    insert_many(session, BulkActRow, columns, rows)
    bulk.total = len(rows)
    bulk.expected = dict(Counter(RowOutcome(str(expected)).value for *_, expected in rows))
    return bulk


def _within_reach(session: Session, authority: Authority, ids: Sequence[int]) -> list[User]:
    """The chosen people, each once and in their order."""
    found: dict[int, User] = {}
    chosen = list(dict.fromkeys(ids))[:MOST_PEOPLE]
    for some in _in_parts(chosen):
        within = select(User).where(User.id.in_(some), authority.within(User.instansi_id))
        found |= {person.id: person for person in session.scalars(within)}
    return [found[one] for one in chosen if one in found]


def _rows(
    session: Session, bulk: BulkAct, people: Sequence[User], chosen: Chosen, act: Act[Authority]
) -> Iterator[tuple[object, ...]]:
    expected = _expected(session, bulk, people, act, today_in_jakarta(act.at))
    position = 0
    for position, person in enumerate(people, 1):
        outcome = expected.get(person.id, RowOutcome.DONE)
        typed = chosen.typed.get(person.id, "")
        yield bulk.id, position, person.id, person.instansi_id, typed, outcome
    for nobody, typed in enumerate(chosen.unknown, position + 1):
        yield bulk.id, nobody, None, None, typed[:40], RowOutcome.NOT_FOUND


def _expected(
    session: Session, bulk: BulkAct, people: Sequence[User], act: Act[Authority], today: date
) -> dict[int, RowOutcome]:
    """Why nothing will be done to some people. The desk acts on an admin only from that person's own page,
    where it reads whose account it is; nobody acts on themselves."""
    kind = KINDS[bulk.kind]
    found: dict[int, RowOutcome] = {}
    for some in _in_parts(people):
        found |= kind.hindrances(session, some, bulk, act.at)
        holders = AdminMandate.holders_among(session, [person.id for person in some], today)
        found |= dict.fromkeys({*holders, act.by.admin.id}, RowOutcome.HOLDS_A_MANDATE)
    return found


def _forget_earlier(session: Session, admin: User) -> None:
    """Nobody fills the table with previews: of each admin, only the newest ones are kept."""
    User.with_id(session, admin.id, lock=True)  # two clicks at once come one after the other
    own = select(BulkAct.id).where(BulkAct.prepared_by_id == admin.id, BulkAct.state == BulkState.PREPARED)
    # One that is locked is being started or removed. An act is never waited for behind its admin's lock
    own = own.order_by(BulkAct.id.desc()).offset(MOST_PREVIEWS - 1).with_for_update(skip_locked=True)
    for earlier in session.scalars(own).all():
        session.execute(delete(BulkAct).where(BulkAct.id == earlier, BulkAct.state == BulkState.PREPARED))


def _in_parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), _PEOPLE_AT_ONCE):
        yield rows[start : start + _PEOPLE_AT_ONCE]
