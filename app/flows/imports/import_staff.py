"""An operator or an admin hands over the data of staff. New people are added, known people are corrected,
nobody is removed.

A file never erases: if a cell is empty or a column is missing, the record stays as it is. A file never
touches mandates, a status or a password that is set. What it changes has the same consequences as the same
change on a person's page. app/flows/imports/file_rights.py says what a file may do.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Category
from app.domain.corrections import IdentityCheck
from app.domain.identity import ChangeKind
from app.domain.staff_file import (
    CODE_WITHOUT_ITS_ZEROS,
    HASH_NOT_USABLE,
    CellFault,
    RowFaults,
    StaffRow,
    read_staff_row,
)
from app.files.seen_values import Kind, SeenValues
from app.files.table import Row
from app.flows.identity.change_identity import ProposedChange, begin_change, cancel_under_way
from app.flows.identity.put_on_record import add_people, change_category, numbered
from app.flows.imports.file_rights import FileRights, Named, Uploader
from app.flows.imports.on_record import OnRecord, differences, on_record
from app.flows.imports.outcome import (
    BEING_CHANGED_ELSEWHERE,
    Changed,
    New,
    Outcome,
    Replaced,
    RowRefused,
    Unchanged,
)
from app.mail import letters
from app.models.audit_event import Tag
from app.models.base import dialect_of
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi
from app.models.name_word import NameWord, words_of
from app.models.user import User
from app.security import audit, passwords
from app.security.authority import Authority

# The sentence names nobody: the people who prepare the file must not learn whose address it is.
_EMAIL_IS_ANOTHERS = CellFault(
    "email",
    "Alamat email ini sudah terdaftar untuk pegawai lain. Periksa alamatnya. Bila alamat itu memang "
    "berpindah pemilik, perbaiki dahulu data pemilik lamanya, lalu jalankan impor sekali lagi.",
)
_UNKNOWN_INSTANSI = CellFault(
    "kode_instansi", "Kode instansi ini tidak dikenal. Perbaiki kodenya, atau impor dahulu daftar instansi."
)

_PLAIN = {"name": "nama", "category": "kategori", "work_unit": "unit kerja", "phone": "telepon"}


class _Overtaken(Exception):
    """Somebody's NIP was corrected between judging a row and locking its person."""


class StaffEntry(NamedTuple):
    """A row that has no fault in itself; it is not yet compared with the database."""

    line: int
    row: StaffRow


@dataclass(frozen=True)
class ImportTerms:
    """What holds for every row of one run."""

    seen: SeenValues
    cpns_open_by_themselves: bool  # the setting CPNS_ACTIVATION=otomatis
    act: Act[Authority | None]
    dry_run: bool = False
    uploader: Uploader | None = None  # None: the operator
    typed_reason: str = ""  # by the operator; an uploader has a reason of their own

    @property
    def actor(self) -> User | None:
        return audit.actor_of(self.act)

    @property
    def has_reason(self) -> bool:
        return bool(self.uploader.reason if self.uploader else self.typed_reason)

    @property
    def reason(self) -> str:
        """The reason as the people concerned read it, and as the trail keeps it."""
        if self.uploader is None:
            return self.typed_reason or "Data dari instansi diimpor oleh operator portal."
        number = f"Impor nomor {self.uploader.batch_id}"
        return f"{number}: {self.uploader.reason}" if self.uploader.reason else f"{number}."


def vet(lines: Iterable[Row], seen: SeenValues, *, dry_run: bool = False) -> list[StaffEntry | RowRefused]:
    """Check the rows, each alone and against earlier rows of the file. This is done outside a transaction,
    because it needs no lock, and because hashes of older schemes are hashed once more here."""
    vetted = [_read(line) for line in lines]
    if not _are_all_new(vetted, seen):
        vetted = [_compared(entry, seen) for entry in vetted]
    hashed = [place for place, entry in enumerate(vetted) if _has_hash(entry)]
    if dry_run or not hashed:
        return vetted
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for place, kept in zip(
            hashed, pool.map(_with_hash_as_kept, [vetted[one] for one in hashed]), strict=True
        ):
            vetted[place] = kept
    return vetted


def import_staff(
    session: Session, batch: Sequence[StaffEntry | RowRefused], terms: ImportTerms
) -> list[Outcome]:
    """Take over some rows. Returns one outcome for each row, in the same order. A dry run has the same
    outcomes, and writes nothing."""
    entries = [entry for entry in batch if isinstance(entry, StaffEntry)]
    _plan_afresh(session)
    try:
        with session.begin_nested():
            outcomes = _take_over(session, entries, terms)
    except (IntegrityError, _Overtaken):
        outcomes = {entry.line: _alone(session, entry, terms) for entry in entries}
    return [entry if isinstance(entry, RowRefused) else outcomes[entry.line] for entry in batch]


def _read(line: Row) -> StaffEntry | RowRefused:
    if line.fault:
        return RowRefused(line.number, (line.fault,))
    row = read_staff_row(line.cells)
    return RowRefused(line.number, row.faults) if isinstance(row, RowFaults) else StaffEntry(line.number, row)


def _are_all_new(entries: Sequence[StaffEntry | RowRefused], seen: SeenValues) -> bool:
    """Whether no row of the file has named a NIP or an address of these rows before, as in most files. Then
    all are noted at once."""
    nips: dict[str, int] = {}
    addresses: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, StaffEntry):
            row = entry.row
            if row.nip.digits in nips or (
                row.password_hash and not passwords.may_be_imported(row.password_hash)
            ):
                return False
            nips[row.nip.digits] = entry.line
            if row.email:
                if row.email.key in addresses:
                    return False
                addresses[row.email.key] = entry.line
    return seen.note_new((Kind.NIP, nips), (Kind.EMAIL, addresses))


def _compared(entry: StaffEntry | RowRefused, seen: SeenValues) -> StaffEntry | RowRefused:
    """Compare a row with the rows before it, and note it if it has no fault."""
    if isinstance(entry, RowRefused):
        return entry
    row, faults = entry.row, []
    if row.password_hash and not passwords.may_be_imported(row.password_hash):
        faults.append(HASH_NOT_USABLE)
    if first := seen.first_line(Kind.NIP, row.nip.digits):
        sentence = "NIP ini sudah ada pada baris {}. Hapus salah satu barisnya."
        faults.append(CellFault.of_row("nip", sentence, first, "lain"))
    elif row.email and (first := seen.first_line(Kind.EMAIL, row.email.key)):
        sentence = "Alamat email ini sudah dipakai pada baris {}. Setiap pegawai perlu alamat email sendiri."
        faults.append(CellFault.of_row("email", sentence, first, "lain"))
    if faults:
        return RowRefused(entry.line, tuple(faults))
    seen.note(Kind.NIP, row.nip.digits, entry.line)
    if row.email:
        seen.note(Kind.EMAIL, row.email.key, entry.line)
    return entry


def _has_hash(entry: StaffEntry | RowRefused) -> bool:
    return isinstance(entry, StaffEntry) and bool(entry.row.password_hash)


def _with_hash_as_kept(entry: StaffEntry | RowRefused) -> StaffEntry | RowRefused:
    if isinstance(entry, RowRefused) or not entry.row.password_hash:
        return entry
    kept = passwords.as_kept(entry.row.password_hash)
    return entry._replace(row=entry.row._replace(password_hash=kept))


def _alone(session: Session, entry: StaffEntry, terms: ImportTerms) -> Outcome:
    """Somebody else was faster with a NIP or an address of these rows. Each row is taken over alone, so that
    only one is refused."""
    try:
        with session.begin_nested():
            return _take_over(session, [entry], terms)[entry.line]
    except (IntegrityError, _Overtaken):
        return RowRefused(entry.line, (BEING_CHANGED_ELSEWHERE,))


def _take_over(session: Session, entries: Sequence[StaffEntry], terms: ImportTerms) -> dict[int, Outcome]:
    people = on_record(session, [_nip(entry) for entry in entries])
    outcomes = _judged(session, entries, people, terms)
    if terms.dry_run:
        return outcomes
    # New people are added in the same order everywhere, so that two imports never wait for each other.
    accepted = sorted(
        (entry for entry in entries if isinstance(outcomes[entry.line], (New, Changed))), key=_nip
    )
    instansi = _instansi(session, accepted)
    added = _add(
        session, [entry for entry in accepted if isinstance(outcomes[entry.line], New)], instansi, terms
    )
    changed = [entry for entry in accepted if isinstance(outcomes[entry.line], Changed)]
    return outcomes | added | _change(session, changed, instansi, terms)


def _judged(
    session: Session, entries: Sequence[StaffEntry], people: dict[str, OnRecord], terms: ImportTerms
) -> dict[int, Outcome]:
    changes = {entry.line: differences(people.get(_nip(entry)), entry.row) for entry in entries}
    differing = [entry for entry in entries if changes[entry.line]]
    instansi = _instansi(session, [entry for entry in differing if "instansi" in changes[entry.line]])
    named = {entry.row.instansi_code for entry in differing if "instansi" in changes[entry.line]}
    without_zeros = Instansi.without_their_zeros(session, named - instansi.keys())
    new_addresses = [
        entry.row.email for entry in differing if entry.row.email and "email" in changes[entry.line]
    ]
    owners = User.taken_addresses(session, new_addresses)
    owners |= IdentityChange.contested_addresses(session, [address.key for address in new_addresses])
    objections = _objections(session, entries, people, changes, terms)
    outcomes: dict[int, Outcome] = {}
    for entry in entries:
        columns, person = changes[entry.line], people.get(_nip(entry))
        if entry.line in objections:
            outcomes[entry.line] = RowRefused(entry.line, (objections[entry.line],))
            continue
        if not columns:
            outcomes[entry.line] = Unchanged(entry.line)
            continue
        faults = []
        if "email" in columns and entry.row.email and _is_anothers(entry.row.email.key, owners, terms.seen):
            faults.append(_EMAIL_IS_ANOTHERS)
        if "instansi" in columns and entry.row.instansi_code not in instansi:
            faults.append(
                CODE_WITHOUT_ITS_ZEROS if entry.row.instansi_code in without_zeros else _UNKNOWN_INSTANSI
            )
        if faults:
            outcomes[entry.line] = RowRefused(entry.line, tuple(faults))
        elif person is None:
            outcomes[entry.line] = New(entry.line)
        else:
            outcomes[entry.line] = _changed(person, entry, columns)
            if "email" in columns and person.email_key:
                terms.seen.note(Kind.RELEASED_EMAIL, person.email_key, entry.line)
    return outcomes


def _objections(
    session: Session,
    entries: Sequence[StaffEntry],
    people: dict[str, OnRecord],
    changes: dict[int, tuple[str, ...]],
    terms: ImportTerms,
) -> dict[int, CellFault]:
    """The objections to rows that this uploader may not import, by line number."""
    changed = [people[_nip(entry)] for entry in entries if changes[entry.line] and _nip(entry) in people]
    new_nips = [_nip(entry) for entry in entries if _nip(entry) not in people]
    addresses = [entry.row.email for entry in entries if entry.row.email and "email" in changes[entry.line]]
    named = Named(changed, new_nips, addresses)
    rights = FileRights.over(session, terms.uploader, named, terms.act.at, has_reason=terms.has_reason)
    found = {
        entry.line: rights.objection(people.get(_nip(entry)), entry.row, changes[entry.line])
        for entry in entries
    }
    return {line: objection for line, objection in found.items() if objection}


def _is_anothers(email_key: str, owners: frozenset[str], seen: SeenValues) -> bool:
    """Whether somebody else has this address. If this file takes an address from one person, another person
    can get it only in the next run. Otherwise the outcome would depend on the size of a chunk, and a dry run
    would have another outcome."""
    return email_key in owners or seen.first_line(Kind.RELEASED_EMAIL, email_key) is not None


def _changed(person: OnRecord, entry: StaffEntry, columns: tuple[str, ...]) -> Changed:
    """What a row changes for a person who is already on record."""
    return Changed(entry.line, columns, person.id, person.replaced_by(entry.row, columns))


def _add(
    session: Session, entries: Sequence[StaffEntry], instansi: dict[str, Instansi], terms: ImportTerms
) -> dict[int, Outcome]:
    """While the database writes one kind of rows, another thread makes the next kind."""
    rows = [entry.row for entry in entries]
    people = numbered(session, rows, instansi)
    with ThreadPoolExecutor(1) as maker:
        words = maker.submit(words_of, people)
        facts = maker.submit(_facts_of_all, session, rows, terms)
        add_people(session, people, rows, terms.act.at)
        NameWord.write(session, words.result())
        audit.record_many(session, Tag.IMPORTED_NEW, zip(people, facts.result(), strict=True), terms.act)
    return {
        entry.line: New(entry.line, person.id, (Replaced("nip", None, _nip(entry)),))
        for entry, person in zip(entries, people, strict=True)
    }


def _change(
    session: Session, entries: Sequence[StaffEntry], instansi: dict[str, Instansi], terms: ImportTerms
) -> dict[int, Outcome]:
    """Returns what was done, by line number. It may differ from what was judged before."""
    locked = _locked(session, entries)
    if any(_nip(entry) not in locked for entry in entries):
        raise _Overtaken
    # Compare once more, now that the people are locked: they themselves, or another admin, may have been
    # faster.
    people = {nip: OnRecord.of(person) for nip, person in locked.items()}
    changes = {entry.line: differences(people[_nip(entry)], entry.row) for entry in entries}
    objections = _objections(session, entries, people, changes, terms)
    outcomes: dict[int, Outcome] = {entry.line: Unchanged(entry.line) for entry in entries}
    outcomes |= {line: RowRefused(line, (objection,)) for line, objection in objections.items()}
    why, events = _facts_of_the_run(terms), []
    with session.no_autoflush:
        for entry in entries:
            if changes[entry.line] and entry.line not in objections:
                person = locked[_nip(entry)]
                change = _changed(people[_nip(entry)], entry, changes[entry.line])
                outcomes[entry.line] = change
                _correct(session, person, entry.row, change, instansi, terms)
                columns = {"columns": ",".join(change.columns)}
                events.append((person, {**why, **columns, **_facts_of_change(session, change)}))
    audit.record_many(session, Tag.IMPORTED_CHANGE, events, terms.act)
    return outcomes


def _correct(
    session: Session,
    person: User,
    row: StaffRow,
    change: Changed,
    instansi: dict[str, Instansi],
    terms: ImportTerms,
) -> None:
    """Do what the same corrections on the person's page would do, with the same courses and letters."""
    columns = change.columns
    plain = [column for column in columns if column in _PLAIN]
    person.work_unit = row.work_unit
    if "name" in columns:
        person.rename(row.name)
    if "phone" in columns:
        person.phone = row.phone
    if "category" in columns:
        if person.category is Category.PPT_NON_ASN:
            _pass_the_gate(
                session,
                person,
                ProposedChange(ChangeKind.CATEGORY, person.category, row.category, terms.reason),
                terms,
            )
            plain.remove("category")
        else:
            opens = terms.cpns_open_by_themselves
            change_category(session, person, row.category, terms.act, cpns_open_by_themselves=opens)
            person.end_all_access()
    if "instansi" in columns:
        cancel_under_way(session, person, "Pegawai pindah instansi.", terms.act)
        proposed = ProposedChange(
            ChangeKind.INSTANSI, person.instansi.code, instansi[row.instansi_code].code, terms.reason
        )
        _pass_the_gate(session, person, proposed, terms)
    if "email" in columns and row.email is not None:
        cancel_under_way(session, person, "Email diubah lewat file.", terms.act)
        proposed = ProposedChange(
            ChangeKind.EMAIL, person.email, row.email.text, terms.reason, IdentityCheck.BY_FILE
        )
        _pass_the_gate(session, person, proposed, terms)
    if "password_hash" in columns and row.password_hash:
        person.set_password(row.password_hash, terms.act.at)
        letters.password_changed(session, person, terms.act)
    if plain:
        words = ", ".join(_PLAIN[column] for column in plain)
        what = f"Data Anda dibetulkan oleh {letters.office_of(session, terms.actor, terms.act.at)}: {words}."
        letters.account_changed(session, person, what, terms.reason, terms.act)


def _pass_the_gate(session: Session, person: User, proposed: ProposedChange, terms: ImportTerms) -> None:
    session.flush()
    change = begin_change(session, person, proposed, timedelta(), terms.act)
    session.flush()
    if not isinstance(change, IdentityChange):
        raise _Overtaken


def _facts_of_all(session: Session, rows: Iterable[StaffRow], terms: ImportTerms) -> list[audit.Facts]:
    """What the trail says of each new person. No statement is run."""
    why = _facts_of_the_run(terms)
    return [{**why, **_facts_of_new(session, row)} for row in rows]


def _facts_of_new(session: Session, row: StaffRow) -> audit.Facts:
    values = (
        ("name", row.name),
        ("email", row.email.text if row.email else None),
        ("category", row.category),
        ("work_unit", row.work_unit),
        ("phone", row.phone),
    )
    found: audit.Facts = {}
    for column, value in values:
        if value is not None:
            found.update(audit.before_and_after(session, column, None, value))
    return found


def _facts_of_change(session: Session, change: Changed) -> audit.Facts:
    found: audit.Facts = {}
    for one in change.replaced:
        found |= audit.before_and_after(session, one.column, one.old, one.new)
    return found


def _facts_of_the_run(terms: ImportTerms) -> audit.Facts:
    return {"reason": terms.reason, **({"batch": terms.uploader.batch_id} if terms.uploader else {})}


def _plan_afresh(session: Session) -> None:
    """Let PostgreSQL plan each statement anew for these rows, also those by which it checks foreign keys.
    Otherwise it goes on reading a table from end to end, because the table was small when the first rows
    came: 209 s instead of 32 s for 100,000 rows, where no autovacuum ran. Not for each row, which would cost
    more than the row (`plan_cache_mode = force_custom_plan`)."""
    if dialect_of(session) == "postgresql":
        session.execute(text("DISCARD PLANS"))


def _nip(entry: StaffEntry) -> str:
    return entry.row.nip.digits


def _locked(session: Session, entries: Sequence[StaffEntry]) -> dict[str, User]:
    """The people on record, by NIP, read anew from the database and locked."""
    if not entries:
        return {}
    # In the order of ids, as everywhere where several people are locked at once
    found = select(User).where(User.nip.in_([_nip(entry) for entry in entries])).order_by(User.id)
    found = found.with_for_update(of=User, key_share=True).execution_options(populate_existing=True)
    return {person.nip: person for person in session.scalars(found)}


def _instansi(session: Session, entries: Sequence[StaffEntry]) -> dict[str, Instansi]:
    codes = {entry.row.instansi_code for entry in entries}
    if not codes:
        return {}
    return {
        instansi.code: instansi
        for instansi in session.scalars(select(Instansi).where(Instansi.code.in_(codes)))
    }
