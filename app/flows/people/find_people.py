"""An admin looks for people: by the beginning of a NIP or of the words of a name, by address, activation or
unit, or because they are stuck.

A page costs the same for any number of people. The index of the most selective condition gives candidates in
its order, from where the last page ended. The other conditions are compared on these candidates. An admin who
looks for something rare among many people sees after a while what was found so far, and goes on from there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeGuard, assert_never

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from app.domain.act import Act
from app.domain.categories import Activation, Category
from app.domain.email_address import EmailAddress
from app.domain.nip import nips_beginning_with
from app.domain.paging import ROWS_A_PAGE, Cursor, Key
from app.domain.pusat_reports import ReportKind
from app.domain.spoken_name import beginnings_of
from app.mail.report_to_pusat import report_to_pusat
from app.models.activation_count import ActivationUnit
from app.models.audit_event import Exported, Tag
from app.models.name_word import NameWord, just_after
from app.models.stuck import Stuck
from app.models.user import User
from app.security import audit
from app.security.authority import Authority

MOST_CANDIDATES = 1000
MOST_EXPORTED = 50_000
_MOST_CANDIDATES_OF_EXPORT = 200_000
_CHUNK = 100
_LARGE_CHUNK = 900  # from the second on: few fit, and one that does not costs little
_DIGITS_OF_A_BIRTH_DATE = 8  # from here on a NIP finds fewer people than a name
_FEW = (Activation.WAITING_APPROVAL, Activation.DEACTIVATED)


@dataclass(frozen=True)
class PeopleFilter:
    """What the people looked for have in common. An empty field does not matter."""

    nip: str = ""  # its first digits
    words: tuple[str, ...] = ()  # what is said of the name, as `asked_for` gives it; all of it
    email: EmailAddress | None = None
    activation: Activation | None = None
    category: Category | None = None
    work_unit: str = ""
    stuck: Stuck | None = None
    instansi_id: int | None = None  # for pusat, which reaches all

    def fit(self, person: User) -> bool:
        own_words = beginnings_of(person.name)
        return (
            person.nip.startswith(self.nip)
            and all(any(own.startswith(word) for own in own_words) for word in self.words)
            and (self.email is None or person.has_email(self.email))
            and self.activation in (None, person.activation)
            and self.category in (None, person.category)
            and self.work_unit in ("", person.work_unit)
            and (self.stuck is None or _is_stuck(self.stuck, person))
        )


@dataclass(frozen=True)
class PeoplePage:
    """One page. `next` is None at the end. `is_partial` if the page ended because enough people were looked
    at."""

    people: list[User]
    next: Cursor | None
    is_partial: bool = False


def find_people(
    session: Session,
    authority: Authority,
    wanted: PeopleFilter,
    after: Cursor | None = None,
    most: int = ROWS_A_PAGE,
) -> PeoplePage:
    """The next people within reach. If the position is of another search, this one starts from the
    beginning."""
    people: list[User] = []
    last = None
    for person, position, seen in _candidates(session, authority, wanted, after, MOST_CANDIDATES):
        if seen > MOST_CANDIDATES:
            return PeoplePage(people, last, is_partial=True)
        if _is_meant(person, authority, wanted):
            if len(people) == most:
                return PeoplePage(people, last)
            people.append(person)
        last = position
    return PeoplePage(people, None)


def all_found(session: Session, authority: Authority, wanted: PeopleFilter) -> Iterator[User | None]:
    """Everybody within reach, for a file. The last value is None if the file is cut because there are too
    many people."""
    given = 0
    for person, _, seen in _candidates(session, authority, wanted, None, _MOST_CANDIDATES_OF_EXPORT):
        is_meant = _is_meant(person, authority, wanted)
        if seen > _MOST_CANDIDATES_OF_EXPORT or (is_meant and given == MOST_EXPORTED):
            yield None
            return
        if is_meant:
            given += 1
            yield person


def _is_meant(person: User | None, authority: Authority, wanted: PeopleFilter) -> TypeGuard[User]:
    return person is not None and wanted.fit(person) and authority.covers(person.instansi_id)


def export_people(
    session: Session, wanted: PeopleFilter, counts: Mapping[int, int], file_kind: str, act: Act[Authority]
) -> None:
    """Record that a list has been taken out of the portal (`counts` by instansi), and tell pusat. If pusat
    has asked for one instansi, that instansi sees the event too."""
    how_many = sum(counts.values())
    parts: dict[int | None, int] = (
        {wanted.instansi_id: how_many} if wanted.instansi_id else act.by.parts(counts)
    )
    audit.record_parts(session, Tag.EXPORTED, parts, act, what=Exported.PEOPLE, file=file_kind)
    words = "mengekspor daftar pegawai"
    report_to_pusat(session, ReportKind.PEOPLE_EXPORTS, act.by.admin, words, how_many, act)


def units_of(session: Session, instansi_id: int) -> list[str]:
    """The work units that were counted last."""
    units = select(ActivationUnit.work_unit).where(ActivationUnit.instansi_id == instansi_id)
    return list(session.scalars(units.order_by(ActivationUnit.work_unit)))


def scope_of(authority: Authority, wanted: PeopleFilter) -> int | None:
    """The one instansi in which people are looked for; None if there are several."""
    parts = _parts(authority, wanted)
    return parts[0] if len(parts) == 1 else None


# Who may be meant, their place in the index, and how many were looked at up to there. With the last place of
# a chunk comes None, if a condition that the index does not hold speaks against that person.
Candidate = tuple[User | None, Cursor, int]


@dataclass(frozen=True)
class _Row:
    """A row of an index that fits, or the last one of a chunk: `user_id` is None if that does not fit."""

    user_id: int | None
    keys: tuple[Key, ...]
    number: int  # in the chunk, from 1


def _candidates(
    session: Session, authority: Authority, wanted: PeopleFilter, after: Cursor | None, most: int
) -> Iterator[Candidate]:
    """Everybody whom the chosen index has for this filter and whom nothing speaks against, in its order.
    Who asks goes on until more than `most` were looked at."""
    index = _index_for(wanted)
    parts = _parts(authority, wanted)
    if after is not None and after.index == index and after.instansi_id in parts:
        parts = parts[parts.index(after.instansi_id) :]
    else:
        after = None
    seen = 0
    for part in parts:
        place = after if after is not None and after.instansi_id == part else Cursor(index, (), part)
        size = _CHUNK
        while True:
            rows = _chunk(session, _READERS[index](wanted, place), size)
            for person, row in _loaded(session, wanted, index, rows):
                yield person, Cursor(index, row.keys, part), seen + row.number
            if not rows or rows[-1].number < size:
                seen += rows[-1].number if rows else 0
                break
            place = Cursor(index, rows[-1].keys, part)
            seen += size
            size = min(_LARGE_CHUNK, most + 1 - seen)


def _chunk(session: Session, statement: Select[Any], size: int) -> list[_Row]:
    """The next `size` rows of an index, looked at by the database: those that fit, and the last one."""
    looked_at = statement.limit(size).subquery()
    numbered = select(looked_at, func.row_number().over().label("number")).subquery()
    is_given = or_(numbered.c.fits.is_not(None), numbered.c.number == size)
    rows = session.execute(select(*_keys(numbered), numbered.c.fits, numbered.c.number).where(is_given))
    found = [_Row(fits, tuple(keys), number) for *keys, fits, number in rows]
    return sorted(found, key=lambda row: row.number)


def _keys(rows: Subquery) -> list[ColumnElement[Any]]:
    return [column for column in rows.c if column.name not in ("fits", "number")]


def _loaded(
    session: Session, wanted: PeopleFilter, index: str, rows: Sequence[_Row]
) -> Iterator[tuple[User | None, _Row]]:
    """The same with the people, who are loaded some at a time: a page may be full before the last one."""
    for start in range(0, len(rows), ROWS_A_PAGE):
        some = rows[start : start + ROWS_A_PAGE]
        people = _with_ids(session, [row.user_id for row in some if row.user_id is not None])
        for row in some:
            person = people.get(row.user_id) if row.user_id is not None else None
            yield person if person and _is_first_place(person, index, row, wanted) else None, row


def _with_ids(session: Session, ids: list[int]) -> dict[int, User]:
    if not ids:
        return {}
    found = select(User).options(selectinload(User.instansi)).where(User.id.in_(sorted(ids)))
    return {person.id: person for person in session.scalars(found)}


def _is_first_place(person: User, index: str, row: _Row, wanted: PeopleFilter) -> bool:
    """Whether the person has not come before. A person with several words of one beginning comes with the
    first of them; who has words of an older release may come twice."""
    if index != "nama":
        return True
    word = row.keys[0]
    own = [one for one in beginnings_of(person.name) if one.startswith(_longest(wanted.words))]
    return word not in own or word == own[0]


def _longest(words: tuple[str, ...]) -> str:
    return max(words, key=len)


def _index_for(wanted: PeopleFilter) -> str:
    if wanted.email:
        return "email"
    if wanted.words and len(wanted.nip) < _DIGITS_OF_A_BIRTH_DATE:
        return "nama"
    if wanted.stuck and len(wanted.nip) < _DIGITS_OF_A_BIRTH_DATE:
        return f"macet-{wanted.stuck}"
    return "nip"


def _parts(authority: Authority, wanted: PeopleFilter) -> list[int | None]:
    """The parts of an index that are read one after the other. Each part is read in one run."""
    if authority.is_pusat:
        return [wanted.instansi_id]
    if wanted.instansi_id is not None:
        return [wanted.instansi_id] if authority.covers(wanted.instansi_id) else []
    return [*sorted(authority.instansi_ids)]


def _by_nip(wanted: PeopleFilter, after: Cursor) -> Select[Any]:
    """People in the order of NIPs, through one of the indexes that end with the NIP."""
    first, last = nips_beginning_with(wanted.nip)
    statement = _people(wanted, after, User.nip).where(
        User.nip <= last, User.nip > after.keys[0] if after.keys else User.nip >= first
    )
    if (equal := _rarest(wanted, after)) is not None:
        statement = statement.where(equal)
    return statement.order_by(User.nip)


def _rarest(wanted: PeopleFilter, after: Cursor) -> ColumnElement[bool] | None:
    """The one equality for which there is an index together with the NIP. The other conditions are compared
    afterwards."""
    if wanted.work_unit and after.instansi_id is not None:
        return User.work_unit == wanted.work_unit
    if wanted.activation in _FEW or (wanted.activation and not wanted.category):
        return User.activation == wanted.activation
    if wanted.category:
        return User.category == wanted.category
    return None


def _by_email(wanted: PeopleFilter, after: Cursor) -> Select[Any]:
    assert wanted.email is not None, "looked up without an address"
    return _people(wanted, after, User.id).where(User.registered_at([wanted.email]))


def _by_name(wanted: PeopleFilter, after: Cursor) -> Select[Any]:
    """People in the order of words. A person who has several words with this beginning comes only with the
    first of them."""
    beginning = _longest(wanted.words)
    place = tuple_(NameWord.word, NameWord.user_id)
    others = replace(wanted, words=tuple(word for word in wanted.words if word != beginning))
    meant = select(User.id).where(User.id == NameWord.user_id, *_conditions(others)).correlate(NameWord)
    words = select(NameWord.word, NameWord.user_id, meant.scalar_subquery().label("fits")).where(
        NameWord.word >= beginning, NameWord.word < just_after(beginning)
    )
    if after.instansi_id is not None:
        words = words.where(NameWord.instansi_id == after.instansi_id)
    if after.keys:
        words = words.where(place > tuple_(*_bound(after.keys, NameWord.word, NameWord.user_id)))
    return words.order_by(NameWord.word, NameWord.user_id)


def _by_stuck(wanted: PeopleFilter, after: Cursor) -> Select[Any]:
    """Those who have been stuck longest come first, where that is known; otherwise they come in the order of
    NIPs. For all instansi together, the people come instansi by instansi."""
    assert wanted.stuck is not None, "looked up without that condition"
    first = wanted.stuck.order
    order = (first, User.id) if after.instansi_id is not None else (User.instansi_id, first, User.id)
    statement = _people(wanted, after, *order).where(wanted.stuck.condition)
    if after.keys:
        statement = statement.where(tuple_(*order) > tuple_(*_bound(after.keys, *order)))
    return statement.order_by(*order)


_READERS = {
    "nip": _by_nip,
    "email": _by_email,
    "nama": _by_name,
    **{f"macet-{stuck}": _by_stuck for stuck in Stuck},
}


def _people(wanted: PeopleFilter, after: Cursor, *keys: "InstrumentedAttribute[Any]") -> Select[Any]:
    """The rows that the index gives: the keys of their position, and in `fits` the id of those whom nothing
    else speaks against. Only these are loaded."""
    statement = select(*keys, case((and_(true(), *_conditions(wanted)), User.id)).label("fits"))
    return statement if after.instansi_id is None else statement.where(User.instansi_id == after.instansi_id)


def _conditions(wanted: PeopleFilter) -> list[ColumnElement[bool]]:
    """What `PeopleFilter.fit` asks, for the database. The words of an older release may be others, so people
    who have those are loaded in any case."""
    first, last = nips_beginning_with(wanted.nip)
    asked: list[ColumnElement[bool]] = [User.nip.between(first, last)] if wanted.nip else []
    asked += [or_(User.is_called(word), User.has_old_words) for word in wanted.words]
    if wanted.activation:
        asked.append(User.activation == wanted.activation)
    if wanted.category:
        asked.append(User.category == wanted.category)
    if wanted.work_unit:
        asked.append(User.work_unit == wanted.work_unit)
    if wanted.stuck:
        asked.append(wanted.stuck.condition)
    return asked


def _bound(keys: tuple[Key, ...], *columns: InstrumentedAttribute[object]) -> list[ColumnElement[object]]:
    """The keys of a position, each of the type of its column."""
    return [literal(key, column.type) for key, column in zip(keys, columns, strict=True)]


def _is_stuck(stuck: Stuck, person: User) -> bool:
    """`STUCK` for somebody who is loaded."""
    match stuck:
        case Stuck.NO_EMAIL:
            return person.email is None and not person.is_deactivated
        case Stuck.PASSWORD if person.password_hash is None:
            return False
    return stuck_since(stuck, person) is not None


def stuck_since(stuck: Stuck | None, person: User) -> datetime | None:
    """Since when the person is stuck there; None where nobody knows."""
    match stuck:
        case Stuck.NO_EMAIL:
            return None
        case Stuck.EMAIL:
            return person.mail_failed_at
        case Stuck.TOKEN | Stuck.PASSWORD | None:
            return person.stuck_since
        case _:
            assert_never(stuck)
