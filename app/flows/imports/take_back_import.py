"""An admin finds that a file was wrong, and takes it back: within a day, once, and only the values that
nobody has changed since.

The page only asks, and the worker does it. Each chunk of rows is taken back and counted in one transaction.
So a worker may die at any moment, and another one goes on after the last chunk. The people who were told of
the file are also told that it is taken back.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import cast

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, exists, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import InstrumentedAttribute

from app.domain.act import Act
from app.domain.categories import Activation, Category
from app.domain.corrections import IdentityCheck
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind, Course
from app.domain.indonesian_time import shown_span, today_in_jakarta
from app.domain.pusat_reports import ReportKind
from app.flows.identity.change_identity import ProposedChange, begin_change
from app.flows.identity.identity_gate import course_of
from app.flows.identity.put_on_record import NO_ADDRESS, change_category, remove_person
from app.flows.imports.import_batches import batch_within
from app.flows.imports.run_batch import LEASE_LASTS, LeaseLost, MandateEnded, NextInTurn
from app.mail import letters
from app.mail.report_to_pusat import report_to_pusat
from app.models.admin_mandate import AdminMandate
from app.models.audit_event import AuditEvent, Tag
from app.models.base import UtcDateTime
from app.models.email_correction import EmailCorrection
from app.models.former_nip import FormerNip
from app.models.identity_change import IdentityChange
from app.models.import_batch import ImportBatch
from app.models.import_change import ImportChange
from app.models.import_take_back import ImportLeft, ImportTakeBack, TakeBackState
from app.models.import_turn import ImportTurn, without_lease
from app.models.outbox_mail import OutboxMail
from app.models.reset_request import ResetRequest
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach

WITHIN = timedelta(days=1)  # after the end of the import

_UNDER_WAY = (TakeBackState.ASKED, TakeBackState.RUNNING)
# Events that anybody can cause for an account without a proof, and events of an admin who only looks. All
# other events mean that the account was used or changed.
_NO_USE = frozenset({
    Tag.IMPORTED_NEW, Tag.PERSON_OPENED, Tag.TOKEN_ASKED, Tag.TOKEN_REFUSED, Tag.TOKEN_THROTTLED,
    Tag.LOGIN_REFUSED,
    Tag.LOGIN_THROTTLED, Tag.ADDRESS_THROTTLED, Tag.FORM_REFUSED, Tag.ADMIN_REFUSED,
})  # fmt: skip
_PLAIN = {"name": "nama", "work_unit": "unit kerja", "phone": "telepon"}
_IN_THIS_ORDER = ("name", "work_unit", "phone", "category", "instansi", "email")

_CHANGED_SINCE = "Sudah diubah lagi setelah impor."
_GONE = "Akun ini sudah tidak ada."
_MOVED_AWAY = "Pegawai ini sudah pindah ke instansi lain."
_HOLDS_A_MANDATE = "Pegawai ini memegang mandat admin. Ubah pada halaman pegawai tersebut."
_WAITS_FOR_OTHER = (
    "Ada perubahan lain pada akun ini yang belum selesai. Selesaikan dahulu pada halaman pegawai tersebut."
)
_NEEDS_ITS_PAGE = {
    "email": "Akunnya sudah dipakai, atau emailnya hanya diubah dengan admin kedua. Ubah pada halaman "
    "pegawai tersebut.",
    "instansi": "Instansi pegawai ini hanya diubah dengan admin kedua. Pindahkan pada halaman pegawai "
    "tersebut.",
    "category": "Kategori pegawai ini hanya diubah dengan admin kedua. Ubah pada halaman pegawai tersebut.",
}
_ADDRESS_TAKEN = "Email yang lama sudah terdaftar untuk pegawai lain."
_USED = "Akun ini sudah dipakai."
_HAS_TOKEN = "Token sudah diminta atau dikirim untuk akun ini."
_HAS_MAIL = "Email sudah dikirim untuk akun ini."
_HAS_REQUEST = "Ada permintaan perbaikan email untuk akun ini."
_HAD_A_MANDATE = "Akun ini pernah diberi mandat admin."
_IS_CHANGED = "Data atau status akun ini sudah diubah setelah impor."
_NO_MANDATE = (
    "Mandat admin yang meminta pengembalian ini tidak berlaku lagi untuk instansi ini, jadi dihentikan."
)


@dataclass(frozen=True)
class NotPossible:
    """The file cannot be taken back, or it is too late. The sentence says why, and what to do instead."""

    sentence: str


@dataclass(frozen=True)
class TakeBackLease:
    """The lease of one worker on a taking back, as the worker knows it."""

    batch_id: int
    down_to: int | None
    until: datetime
    party: int


@dataclass(frozen=True)
class TakeBackTerms:
    """What holds for every row of one file."""

    act: Act[Authority]
    batch_id: int
    reason: str  # as the people concerned read it, and the trail keeps it
    delay: timedelta  # of the address or NIP of an account in use


@dataclass
class WrittenRow:
    """What the file has written by one of its rows, and what became of that."""

    number: int
    changes: Sequence[ImportChange]
    put_back: list[ImportChange] = field(default_factory=list)
    is_removed: bool = False
    left: dict[str, str] = field(default_factory=dict)  # column -> sentence
    shown_nip: str = ""

    @property
    def is_new_person(self) -> bool:
        return any(change.column == "nip" and change.old_value is None for change in self.changes)


def take_back_of(session: Session, batch_id: int) -> ImportTakeBack | None:
    found = (
        select(ImportTakeBack)
        .where(ImportTakeBack.batch_id == batch_id)
        .options(joinedload(ImportTakeBack.asked_by))
    )
    return session.scalars(found.execution_options(populate_existing=True)).one_or_none()


def why_not(session: Session, batch: ImportBatch, now: datetime) -> NotPossible | None:
    """Why nobody can take this file back now. None if it can be taken back."""
    if batch.ended_at is None:
        return NotPossible("Impor ini belum selesai, jadi belum dapat dikembalikan. Tunggu sampai selesai.")
    if not batch.has_changed_something:
        return NotPossible("Impor ini tidak mengubah data apa pun, jadi tidak ada yang dapat dikembalikan.")
    earlier = take_back_of(session, batch.id)
    if earlier is not None and earlier.state is not TakeBackState.STOPPED:
        return NotPossible("Impor ini sudah pernah dikembalikan. Satu impor hanya dikembalikan satu kali.")
    if now > batch.ended_at + WITHIN:
        return NotPossible(
            f"Impor dapat dikembalikan dalam {shown_span(WITHIN)} setelah selesai, dan waktu itu sudah "
            "lewat. Betulkan datanya lewat file baru, atau pada halaman pegawai."
        )
    if not session.scalar(select(exists().where(*_written_by(batch.id)))):
        return NotPossible(
            "Catatan perubahan impor ini tidak ada, jadi tidak dapat dikembalikan. Betulkan datanya lewat "
            "file baru."
        )
    return None


def ask_to_take_back(
    session: Session, batch_id: int, reason: str, act: Act[Authority]
) -> ImportTakeBack | NotPossible | OutOfReach:
    """An admin asks for it. If an earlier taking back was stopped halfway, for example because a mandate
    ended, it goes on after what it has done."""
    batch = batch_within(session, act.by, batch_id)
    if isinstance(batch, OutOfReach):
        return batch
    session.execute(select(ImportBatch.id).where(ImportBatch.id == batch_id).with_for_update(of=ImportBatch))
    if refusal := why_not(session, batch, act.at):
        return refusal
    wanted = take_back_of(session, batch_id) or ImportTakeBack(batch_id=batch_id)
    wanted.asked_by_id, wanted.asked_at, wanted.reason = act.by.admin.id, act.at, reason
    wanted.state, wanted.ended_at, wanted.problem, wanted.leased_until = TakeBackState.ASKED, None, None, None
    session.add(wanted)
    audit.record(
        session, Tag.TAKE_BACK_ASKED, None, act,
        instansi_id=batch.instansi_id, batch=batch.id, reason=reason
    )  # fmt: skip
    return wanted


def left_behind(session: Session, batch_id: int, after: int, most: int) -> list[ImportLeft]:
    """What was not taken back, after line number `after` of the file; one entry for each row of the file."""
    left = select(ImportLeft).where(ImportLeft.batch_id == batch_id, ImportLeft.line > after)
    return list(session.scalars(left.order_by(ImportLeft.line).limit(most)))


def first_waiting(session: Session, now: datetime) -> NextInTurn | None:
    """Whose turn it is among those that no worker has. Nothing is locked."""
    found = session.execute(_FIRST_WAITING, {"now": now}).one_or_none()
    return NextInTurn(found.served_at, ImportTurn.party_of(found.instansi_id)) if found else None


def claim(session: Session, now: datetime) -> TakeBackLease | None:
    """Take the lease of the one whose turn it is."""
    waiting = (
        select(ImportTakeBack)
        .join(ImportTakeBack.batch)
        .outerjoin(ImportTurn, ImportTurn.is_of(ImportBatch.instansi_id))
        .where(_waits(now))
        .order_by(ImportTurn.served_at.asc().nulls_first(), ImportTakeBack.asked_at)
        .limit(1)
        .with_for_update(skip_locked=True, of=ImportTakeBack)
        .execution_options(populate_existing=True)
    )
    wanted = session.scalars(waiting).one_or_none()
    if wanted is None:
        return None
    wanted.state, wanted.leased_until = TakeBackState.RUNNING, now + LEASE_LASTS
    return TakeBackLease(
        wanted.batch_id, wanted.down_to, wanted.leased_until, ImportTurn.party_of(wanted.batch.instansi_id)
    )


def keep(session: Session, lease: TakeBackLease, now: datetime) -> TakeBackLease:
    """Renew the lease. Raises LeaseLost."""
    wanted = _leased(session, lease)
    wanted.leased_until = now + LEASE_LASTS
    return replace(lease, until=wanted.leased_until)


def release(session: Session, lease: TakeBackLease) -> None:
    _leased(session, lease).leased_until = None


def take_back_some(
    session: Session, lease: TakeBackLease, most: int, delay: timedelta, act: Act[None]
) -> TakeBackLease | None:
    """Take the next rows back, and count them. This goes from the end of the file to its beginning, because a
    later row may have taken an address that an earlier row had set free. None when there are no more rows.
    Raises LeaseLost and MandateEnded."""
    wanted = _leased(session, lease)
    numbers = select(ImportChange.line).where(*_written_by(lease.batch_id)).distinct()
    if lease.down_to is not None:
        numbers = numbers.where(ImportChange.line < lease.down_to)
    some = list(session.scalars(numbers.order_by(ImportChange.line.desc()).limit(most)))
    if not some:
        return None
    terms = _terms(session, wanted, delay, act)
    lines = _lines(session, lease.batch_id, some)
    _take_back(session, lines, terms)
    counts = dict(wanted.result)
    for line in lines:
        for name, has_some in (
            ("put_back", line.put_back),
            ("removed", line.is_removed),
            ("left", line.left),
        ):
            counts[name] = counts.get(name, 0) + bool(has_some)
    session.add_all(_left(lease.batch_id, line) for line in lines if line.left)
    wanted.result, wanted.down_to, wanted.leased_until = counts, some[-1], act.at + LEASE_LASTS
    ImportTurn.note(session, wanted.batch.instansi_id, act.at)
    return replace(lease, down_to=wanted.down_to, until=wanted.leased_until)


def finish(session: Session, lease: TakeBackLease, act: Act[None]) -> TakeBackState:
    return _end(session, _leased(session, lease), TakeBackState.DONE, None, act)


def give_up(session: Session, lease: TakeBackLease, problem: str, act: Act[None]) -> TakeBackState:
    return _end(session, _leased(session, lease), TakeBackState.STOPPED, problem[:500], act)


def stop_without_mandate(session: Session, lease: TakeBackLease, act: Act[None]) -> TakeBackState:
    return _end(session, _leased(session, lease), TakeBackState.STOPPED, _NO_MANDATE, act)


def _take_back(session: Session, lines: Sequence[WrittenRow], terms: TakeBackTerms) -> None:
    """Take rows back. The people are locked in the order of their ids, as everywhere where several people are
    locked at once."""
    ids = {change.user_id for line in lines for change in line.changes if change.user_id is not None}
    new = {
        change.user_id
        for line in lines
        if line.is_new_person
        for change in line.changes
        if change.user_id is not None
    }
    people = _locked(session, ids - new, key_share=True) | _locked(session, new, key_share=False)
    use = _use_of(session, [people[one] for one in new if one in people])
    for line in lines:
        person = people.get(line.changes[0].user_id or 0)
        # This desk must not see the NIP of a person who has left
        if person is not None and terms.act.by.covers(person.instansi_id):
            line.shown_nip = person.nip
        if person is None:
            line.left = {change.column: _GONE for change in line.changes}
        elif objection := _objection(session, person, terms):
            line.left = {change.column: objection for change in line.changes}
        elif line.is_new_person:
            _remove(session, person, line, use.get(person.id), terms)
        else:
            _put_back(session, person, line, terms)


def _objection(session: Session, person: User, terms: TakeBackTerms) -> str | None:
    """Why this admin may take nothing about this person back."""
    if not terms.act.by.covers(person.instansi_id):
        return _MOVED_AWAY
    today = today_in_jakarta(terms.act.at)
    refusal = terms.act.by.objection(session, person, today)
    if isinstance(refusal, NotToTouch):
        return refusal.sentence
    return _HOLDS_A_MANDATE if AdminMandate.held_by(session, person.id, today) else None


def _remove(session: Session, person: User, line: WrittenRow, use: str | None, terms: TakeBackTerms) -> None:
    """Remove a person whom the file brought, if nobody has ever used the account. Its NIP and its address are
    free again."""
    if use:
        line.left = {"nip": use}
        return
    event = audit.record(
        session, Tag.ACCOUNT_REMOVED, person, terms.act,
        batch=terms.batch_id, reason=terms.reason
    )  # fmt: skip
    event.add(
        {
            "old_nip": person.nip,
            "old_name": person.name,
            **audit.before_and_after(session, "email", person.email, None),
        }
    )
    remove_person(session, person)
    line.is_removed = True


def _put_back(session: Session, person: User, line: WrittenRow, terms: TakeBackTerms) -> None:
    """Put the old values back, each column by itself. Courses, letters and events are the same as for the
    changes of the file itself."""
    by_column = {change.column: change for change in line.changes}
    for column in _IN_THIS_ORDER:
        if change := by_column.get(column):
            refusal = (
                _CHANGED_SINCE
                if not _stands(person, change)
                else _put_back_column(session, person, change, terms)
            )
            if refusal:
                line.left[column] = refusal
            else:
                line.put_back.append(change)
    if not line.put_back:
        return
    columns = [change.column for change in line.put_back]
    if plain := [_PLAIN.get(column, "kategori") for column in columns if column in (*_PLAIN, "category")]:
        office = letters.office_of(session, terms.act.by.admin, terms.act.at)
        what = (
            f"Data Anda dikembalikan oleh {office} seperti sebelum impor nomor {terms.batch_id}: "
            f"{', '.join(plain)}."
        )
        letters.account_changed(session, person, what, terms.reason, terms.act)
    event = audit.record(
        session, Tag.CHANGE_TAKEN_BACK, person, terms.act,
        batch=terms.batch_id, columns=",".join(columns), reason=terms.reason
    )  # fmt: skip
    for change in line.put_back:
        event.add(audit.before_and_after(session, change.column, change.new_value, change.old_value))


def _put_back_column(
    session: Session, person: User, change: ImportChange, terms: TakeBackTerms
) -> str | None:
    """Returns why the column is not put back, or None."""
    old = change.old_value
    match change.column:
        case "name" if old:
            person.rename(old)
        case "work_unit" if old is not None:
            person.work_unit = old
        case "phone":
            person.phone = old
        case "category" if old:
            return _put_back_category(session, person, Category(old), terms)
        case "instansi" if old:
            return _pass_the_gate(
                session,
                person,
                ProposedChange(ChangeKind.INSTANSI, change.new_value, old, terms.reason),
                terms,
            )
        case "email":
            proposed = ProposedChange(
                ChangeKind.EMAIL, person.email, old or NO_ADDRESS, terms.reason, IdentityCheck.BY_FILE
            )
            return _pass_the_gate(session, person, proposed, terms)
    return None


def _put_back_category(
    session: Session, person: User, category: Category, terms: TakeBackTerms
) -> str | None:
    if refusal := _not_at_once(session, person, ChangeKind.CATEGORY, None, terms):
        return refusal
    made_to_wait = person.activation is Activation.WAITING_APPROVAL and _was_moved_by(
        session, person, terms.batch_id
    )
    change_category(session, person, category, terms.act, cpns_open_by_themselves=False)
    if made_to_wait and category is not Category.CPNS:
        person.change_activation(Activation.NOT_ACTIVATED, terms.act.at)
    person.end_all_access()
    return None


def _pass_the_gate(
    session: Session, person: User, proposed: ProposedChange, terms: TakeBackTerms
) -> str | None:
    address = (
        EmailAddress(proposed.new_value)
        if proposed.kind is ChangeKind.EMAIL and proposed.new_value != NO_ADDRESS
        else None
    )
    if refusal := _not_at_once(session, person, proposed.kind, address, terms):
        return refusal
    if address and IdentityChange.contested_addresses(session, [address.key]):
        return _ADDRESS_TAKEN
    session.flush()
    change = begin_change(session, person, proposed, terms.delay, terms.act)
    session.flush()
    return None if isinstance(change, IdentityChange) else _ADDRESS_TAKEN


def _not_at_once(
    session: Session, person: User, kind: ChangeKind, address: EmailAddress | None, terms: TakeBackTerms
) -> str | None:
    """Why this change has to be done on the person's page: the gate would let it wait, or would ask a second
    admin. None if it takes effect at once."""
    if IdentityChange.under_way_for(session, person.id):
        return _WAITS_FOR_OTHER
    course = course_of(session, person, kind, terms.delay, terms.act.at, address.text if address else None)
    return None if course is Course.AT_ONCE else _NEEDS_ITS_PAGE[kind.column]


def _stands(person: User, change: ImportChange) -> bool:
    """Whether the record still holds what the file has written."""
    match change.column:
        case "email":
            return (person.email or "").lower() == (change.new_value or "").lower()
        case "instansi":
            return person.instansi.code == change.new_value
        case column:
            on_record: str | None = getattr(person, column)
            return on_record == change.new_value


def _was_moved_by(session: Session, person: User, batch_id: int) -> bool:
    """Whether this file was the last to change the activation of the account."""
    at = select(AuditEvent.detail).where(
        AuditEvent.account_id == person.id,
        AuditEvent.tag == Tag.IMPORTED_CHANGE,
        AuditEvent.at == person.activation_changed_at,
    )
    return any(detail.get("batch") == batch_id for detail in session.scalars(at))


def _use_of(session: Session, people: Sequence[User]) -> dict[int, str]:
    """Why some accounts stay, by person: they were used or changed since the file brought them."""
    ids = [person.id for person in people]
    found = {person.id: _USED for person in people if person.is_in_use}
    traces: tuple[tuple[InstrumentedAttribute[int] | InstrumentedAttribute[int | None], str], ...] = (
        (ResetRequest.user_id, _HAS_TOKEN),
        (EmailCorrection.user_id, _HAS_REQUEST),
        (AdminMandate.user_id, _HAD_A_MANDATE),
        (IdentityChange.user_id, _IS_CHANGED),
        (FormerNip.user_id, _IS_CHANGED),
        (OutboxMail.user_id, _HAS_MAIL),
    )
    for column, sentence in traces:
        for one in session.scalars(select(column).where(column.in_(ids)).distinct()):
            found.setdefault(cast(int, one), sentence)
    changed = (
        select(AuditEvent.account_id)
        .where(AuditEvent.account_id.in_(ids), AuditEvent.tag.not_in(_NO_USE))
        .distinct()
    )
    for one in session.scalars(changed):
        found.setdefault(cast(int, one), _IS_CHANGED)
    return found


def _locked(session: Session, ids: Collection[int], *, key_share: bool) -> dict[int, User]:
    """The people, locked and read anew from the database. Without `key_share`, nobody can write a row that
    names one of them until the transaction ends."""
    if not ids:
        return {}
    found = (
        select(User).where(User.id.in_(ids)).order_by(User.id).with_for_update(of=User, key_share=key_share)
    )
    return {person.id: person for person in session.scalars(found.execution_options(populate_existing=True))}


def _lines(session: Session, batch_id: int, numbers: Collection[int]) -> list[WrittenRow]:
    changes = select(ImportChange).where(*_written_by(batch_id), ImportChange.line.in_(numbers))
    in_order: Iterable[ImportChange] = session.scalars(
        changes.order_by(ImportChange.line.desc(), ImportChange.id)
    )
    return [
        WrittenRow(number, list(of_it)) for number, of_it in groupby(in_order, lambda change: change.line)
    ]


def _left(batch_id: int, line: WrittenRow) -> ImportLeft:
    sentences = " ".join(dict.fromkeys(line.left.values()))
    return ImportLeft(
        batch_id=batch_id,
        line=line.number,
        nip=line.shown_nip,
        columns=",".join(line.left),
        sentences=sentences[:2000],
    )


def _terms(session: Session, wanted: ImportTakeBack, delay: timedelta, act: Act[None]) -> TakeBackTerms:
    """What the admin may do now. A mandate that has ended since the click gives no right."""
    authority = Authority.in_office(session, wanted.asked_by, today_in_jakarta(act.at))
    if authority is None or not authority.covers(wanted.batch.instansi_id):
        raise MandateEnded
    return TakeBackTerms(
        act.done_by(authority),
        wanted.batch_id,
        f"Pengembalian impor nomor {wanted.batch_id}: {wanted.reason}",
        delay,
    )


def _written_by(batch_id: int) -> tuple[ColumnElement[bool], ...]:
    return ImportChange.batch_id == batch_id, ImportChange.is_dry_run.is_(False)


def _waits(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return and_(ImportTakeBack.state.in_(_UNDER_WAY), without_lease(ImportTakeBack.leased_until, now))


_FIRST_WAITING = (
    select(ImportTurn.served_at, ImportBatch.instansi_id)
    .select_from(ImportTakeBack)
    .join(ImportBatch, ImportBatch.id == ImportTakeBack.batch_id)
    .outerjoin(ImportTurn, ImportTurn.is_of(ImportBatch.instansi_id))
    .where(_waits(bindparam("now", type_=UtcDateTime)))
    .order_by(ImportTurn.served_at.asc().nulls_first(), ImportTakeBack.asked_at)
    .limit(1)
)


def _leased(session: Session, lease: TakeBackLease) -> ImportTakeBack:
    """The taking back, locked, if this worker still has its lease. Raises LeaseLost."""
    found = (
        select(ImportTakeBack)
        .where(
            ImportTakeBack.batch_id == lease.batch_id,
            ImportTakeBack.state == TakeBackState.RUNNING,
            ImportTakeBack.down_to.is_not_distinct_from(lease.down_to),
            ImportTakeBack.leased_until == lease.until,
        )
        .with_for_update(of=ImportTakeBack)
        .execution_options(populate_existing=True)
    )
    wanted = session.scalars(found).one_or_none()
    if wanted is None:
        raise LeaseLost
    return wanted


def _end(
    session: Session, wanted: ImportTakeBack, state: TakeBackState, problem: str | None, act: Act[None]
) -> TakeBackState:
    """The taking back is over. What it has done is written into the trail, and pusat is told."""
    wanted.state, wanted.problem, wanted.ended_at, wanted.leased_until = state, problem, act.at, None
    audit.record(
        session, Tag.IMPORT_TAKEN_BACK, None, act.done_by(wanted.asked_by),
        instansi_id=wanted.batch.instansi_id,
        batch=wanted.batch_id, state=state, put_back=wanted.result.get("put_back", 0),
        removed=wanted.result.get("removed", 0), left=wanted.result.get("left", 0), because=problem
    )  # fmt: skip
    if how_many := wanted.result.get("put_back", 0) + wanted.result.get("removed", 0):
        words = f"mengembalikan data pegawai seperti sebelum suatu impor (impor nomor {wanted.batch_id})"
        report_to_pusat(session, ReportKind.TAKE_BACKS, wanted.asked_by, words, how_many, act)
    return state
