"""An admin looks for people: by the beginning of a NIP or of the words of a name, by address, activation or
unit, or because they are stuck.

A page costs the same for any number of people. The index of the most selective condition gives candidates in
its order, from where the last page ended. The other conditions are compared on these candidates. An admin who
looks for something rare among many people sees after a while what was found so far, and goes on from there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from app.domain.act import Act
from app.domain.categories import Activation, Category
from app.domain.email_address import EmailAddress
from app.domain.labelled import Labelled
from app.domain.nip import nips_beginning_with
from app.domain.paging import ROWS_A_PAGE, Cursor, Key
from app.domain.spoken_name import beginnings_of
from app.mail import letters
from app.models.activation_count import ActivationUnit
from app.models.audit_event import Exported, Tag
from app.models.name_word import NameWord
from app.models.user import User
from app.security import audit
from app.security.authority import Authority

MOST_CANDIDATES = 1000
MOST_EXPORTED = 50_000
_MOST_CANDIDATES_OF_EXPORT = 200_000
_CHUNK = 100
_LARGEST_CHUNK = 1000
_DIGITS_OF_A_BIRTH_DATE = 8  # from here on a NIP finds fewer people than a name
_FEW = (Activation.WAITING_APPROVAL, Activation.DEACTIVATED)


class Stuck(Labelled):
    """Where people get stuck, as the desk asks for it."""

    TOKEN = "token", "Dapat token, belum pernah masuk"  # got one, and never came in
    EMAIL = "email", "Email ditolak atau dipantulkan server"  # the mail server refused their letter


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
            and (self.stuck is None or _stuck_since(self.stuck, person) is not None)
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
    for seen, (person, position) in enumerate(_candidates(session, authority, wanted, after)):
        if seen == MOST_CANDIDATES:
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
    for seen, (person, _) in enumerate(_candidates(session, authority, wanted, None)):
        is_meant = _is_meant(person, authority, wanted)
        if seen == _MOST_CANDIDATES_OF_EXPORT or (is_meant and given == MOST_EXPORTED):
            yield None
            return
        if is_meant:
            given += 1
            yield person


def _is_meant(person: User, authority: Authority, wanted: PeopleFilter) -> bool:
    return wanted.fit(person) and authority.covers(person.instansi_id)


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
    letters.bulk_act(session, act.by.admin, "mengekspor daftar pegawai", how_many, act)


def units_of(session: Session, instansi_id: int) -> list[str]:
    """The work units that were counted last."""
    units = select(ActivationUnit.work_unit).where(ActivationUnit.instansi_id == instansi_id)
    return list(session.scalars(units.order_by(ActivationUnit.work_unit)))


def scope_of(authority: Authority, wanted: PeopleFilter) -> int | None:
    """The one instansi in which people are looked for; None if there are several."""
    parts = _parts(authority, wanted)
    return parts[0] if len(parts) == 1 else None


Candidate = tuple[User, Cursor]


def _candidates(
    session: Session, authority: Authority, wanted: PeopleFilter, after: Cursor | None
) -> Iterator[Candidate]:
    """Everybody whom the chosen index has for this filter, in its order, chunk by chunk."""
    index = _index_for(wanted)
    parts = _parts(authority, wanted)
    if after is not None and after.index == index and after.instansi_id in parts:
        parts = parts[parts.index(after.instansi_id) :]
    else:
        after = None
    for part in parts:
        position = after if after is not None and after.instansi_id == part else Cursor(index, (), part)
        size = _CHUNK
        while True:
            chunk = list(_READERS[index](session, wanted, position, size))
            for person, position in chunk:
                if person is not None:
                    yield person, position
            if len(chunk) < size:
                break
            size = min(2 * size, _LARGEST_CHUNK)


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


Chunk = Iterator[tuple[User | None, Cursor]]


def _by_nip(session: Session, wanted: PeopleFilter, after: Cursor, size: int) -> Chunk:
    """People in the order of NIPs, through one of the indexes that end with the NIP."""
    first, last = nips_beginning_with(wanted.nip)
    statement = _people(after).where(
        User.nip <= last, User.nip > after.keys[0] if after.keys else User.nip >= first
    )
    if (equal := _rarest(wanted, after)) is not None:
        statement = statement.where(equal)
    for person in session.scalars(statement.order_by(User.nip).limit(size)):
        yield person, Cursor(after.index, (person.nip,), after.instansi_id)


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


def _by_email(session: Session, wanted: PeopleFilter, after: Cursor, size: int) -> Chunk:
    assert wanted.email is not None, "looked up without an address"
    for person in session.scalars(_people(after).where(User.registered_at([wanted.email])).limit(size)):
        yield person, Cursor(after.index, (), after.instansi_id)


def _by_name(session: Session, wanted: PeopleFilter, after: Cursor, size: int) -> Chunk:
    """People in the order of words. A person who has several words with this beginning comes only with the
    first of them."""
    beginning = max(wanted.words, key=len)
    place = tuple_(NameWord.word, NameWord.user_id)
    words = select(NameWord.word, NameWord.user_id).where(
        NameWord.word >= beginning, NameWord.word < _just_after(beginning)
    )
    if after.instansi_id is not None:
        words = words.where(NameWord.instansi_id == after.instansi_id)
    if after.keys:
        words = words.where(place > tuple_(*_bound(after.keys, NameWord.word, NameWord.user_id)))
    rows = session.execute(words.order_by(NameWord.word, NameWord.user_id).limit(size)).all()
    people = _with_ids(session, {row.user_id for row in rows})
    for row in rows:
        person = people.get(row.user_id)
        own = (
            [word for word in beginnings_of(person.name) if word.startswith(beginning)]
            if person is not None
            else []
        )
        is_old = row.word not in own  # an older release wrote it; who has several of these may come twice
        yield (
            person if is_old or row.word == own[0] else None,
            Cursor(after.index, (row.word, row.user_id), after.instansi_id),
        )


def _by_stuck(session: Session, wanted: PeopleFilter, after: Cursor, size: int) -> Chunk:
    """Those who have been stuck longest come first. For all instansi together, the people come instansi by
    instansi."""
    assert wanted.stuck is not None, "looked up without that condition"
    since = _STUCK_COLUMNS[wanted.stuck]
    order = (since, User.id) if after.instansi_id is not None else (User.instansi_id, since, User.id)
    statement = _people(after).where(since.is_not(None))
    if after.keys:
        statement = statement.where(tuple_(*order) > tuple_(*_bound(after.keys, *order)))
    for person in session.scalars(statement.order_by(*order).limit(size)):
        moment = _stuck_since(wanted.stuck, person)
        assert moment is not None, "the index holds no others"
        keys = (
            (moment, person.id) if after.instansi_id is not None else (person.instansi_id, moment, person.id)
        )
        yield person, Cursor(after.index, keys, after.instansi_id)


_STUCK_COLUMNS = {Stuck.TOKEN: User.stuck_since, Stuck.EMAIL: User.mail_failed_at}
_READERS = {
    "nip": _by_nip,
    "email": _by_email,
    "nama": _by_name,
    f"macet-{Stuck.TOKEN}": _by_stuck,
    f"macet-{Stuck.EMAIL}": _by_stuck,
}


def _people(after: Cursor) -> Select[User]:
    """People without joins, so that only the rows that the index gives are read."""
    statement = select(User).options(selectinload(User.instansi))
    return statement if after.instansi_id is None else statement.where(User.instansi_id == after.instansi_id)


def _with_ids(session: Session, ids: set[int]) -> dict[int, User]:
    found = select(User).options(selectinload(User.instansi)).where(User.id.in_(sorted(ids)))
    return {person.id: person for person in session.scalars(found)}


def _bound(keys: tuple[Key, ...], *columns: InstrumentedAttribute[object]) -> list[ColumnElement[object]]:
    """The keys of a position, each of the type of its column."""
    return [literal(key, column.type) for key, column in zip(keys, columns, strict=True)]


def _just_after(beginning: str) -> str:
    """The smallest text above every text with this beginning. (No letter stands just below the
    surrogates.)"""
    return beginning[:-1] + chr(ord(beginning[-1]) + 1)


def _stuck_since(stuck: Stuck, person: User) -> datetime | None:
    return person.stuck_since if stuck is Stuck.TOKEN else person.mail_failed_at
