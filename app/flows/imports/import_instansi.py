"""Pusat hands over the list of instansi. New ones are added, names and contacts are corrected, none is
removed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.staff_file import CellFault, InstansiRow, RowFaults, read_instansi_row
from app.files.seen_values import Kind, SeenValues
from app.files.table import Row
from app.flows.imports.outcome import BEING_CHANGED_ELSEWHERE, Changed, New, Outcome, RowRefused, Unchanged
from app.models.audit_event import Tag
from app.models.instansi import Instansi
from app.security import audit

_DIFFERS_BY_ZEROS = CellFault(
    "kode",
    "Kode ini hanya berbeda angka 0 di depannya dari kode lain yang terdaftar atau ada di file ini: "
    "mungkin Excel menghilangkan angka 0 itu. Ubah format kolomnya menjadi Teks, lalu ketik lagi kodenya "
    "dengan lengkap.",
)


_IN_THE_TRAIL = {"chosen_zone": "zone"}


@dataclass(frozen=True)
class InstansiEntry:
    """A row that has no fault in itself; it is not yet compared with the database. `differs_by_zeros` says
    that an earlier row of the file has the same code except for zeros in front. This matters only for a new
    instansi."""

    line: int
    row: InstansiRow
    differs_by_zeros: bool


def vet(lines: Iterable[Row], seen: SeenValues) -> list[InstansiEntry | RowRefused]:
    """Check the rows, each alone and against earlier rows of the file. This is done outside a transaction,
    because it needs no lock."""
    return [_vetted(line, seen) for line in lines]


def import_instansi(
    session: Session, batch: Sequence[InstansiEntry | RowRefused], act: Act[None], *, dry_run: bool = False
) -> list[Outcome]:
    """Take over some rows. Returns one outcome for each row, in the same order. With `dry_run` the outcomes
    are the same, and nothing is written."""
    entries = [entry for entry in batch if isinstance(entry, InstansiEntry)]
    try:
        with session.begin_nested():
            outcomes = _take_over(session, entries, act, dry_run=dry_run)
    except IntegrityError:
        outcomes = {entry.line: _alone(session, entry, act) for entry in entries}
    return [entry if isinstance(entry, RowRefused) else outcomes[entry.line] for entry in batch]


def _vetted(line: Row, seen: SeenValues) -> InstansiEntry | RowRefused:
    if line.fault:
        return RowRefused(line.number, (line.fault,))
    row = read_instansi_row(line.cells)
    if isinstance(row, RowFaults):
        return RowRefused(line.number, row.faults)
    if first := seen.first_line(Kind.INSTANSI, row.code):
        sentence = "Kode ini sudah ada pada baris {}. Hapus salah satu barisnya."
        return RowRefused(line.number, (CellFault.of_row("kode", sentence, first, "lain"),))
    seen.note(Kind.INSTANSI, row.code, line.number)
    bare = row.code.lstrip("0")
    differs_by_zeros = seen.first_line(Kind.INSTANSI_WITHOUT_ZEROS, bare) is not None
    seen.note(Kind.INSTANSI_WITHOUT_ZEROS, bare, line.number)
    return InstansiEntry(line.number, row, differs_by_zeros)


def _alone(session: Session, entry: InstansiEntry, act: Act[None]) -> Outcome:
    """A parallel import was faster with one of the rows, so each row is taken over alone."""
    try:
        with session.begin_nested():
            return _take_over(session, [entry], act, dry_run=False)[entry.line]
    except IntegrityError:
        return RowRefused(entry.line, (BEING_CHANGED_ELSEWHERE,))


def _take_over(
    session: Session, entries: Sequence[InstansiEntry], act: Act[None], *, dry_run: bool
) -> dict[int, Outcome]:
    found = select(Instansi).where(Instansi.code.in_([entry.row.code for entry in entries]))
    on_record = {instansi.code: instansi for instansi in session.scalars(found)}
    unknown = {entry.row.code for entry in entries} - on_record.keys()
    without_zeros = Instansi.without_their_zeros(session, unknown)
    outcomes: dict[int, Outcome] = {}
    for entry in entries:
        instansi = on_record.get(entry.row.code)
        differs_by_zeros = entry.differs_by_zeros or entry.row.code in without_zeros
        outcomes[entry.line] = outcome = _judged(instansi, entry, differs_by_zeros=differs_by_zeros)
        if dry_run or isinstance(outcome, Unchanged | RowRefused):
            continue
        if instansi is None:
            instansi = Instansi(code=entry.row.code)
            session.add(instansi)
        replaced = _replaced(instansi, entry.row)
        for column, (_, new) in replaced.items():
            setattr(instansi, column, new)
        tag = Tag.IMPORTED_NEW if isinstance(outcome, New) else Tag.IMPORTED_CHANGE
        columns = None if isinstance(outcome, New) else ",".join(outcome.columns)
        event = audit.record(session, tag, None, act, instansi=entry.row.code, columns=columns)
        for column, (old, new) in replaced.items():
            # The address is noted whole: it is that of an office, and everybody reads it
            name = _IN_THE_TRAIL.get(column, column.removeprefix("helpdesk_"))
            event.add({f"old_{name}": old, f"new_{name}": new})
    return outcomes


def _judged(
    instansi: Instansi | None, entry: InstansiEntry, *, differs_by_zeros: bool
) -> New | Changed | Unchanged | RowRefused:
    if instansi is None:
        return RowRefused(entry.line, (_DIFFERS_BY_ZEROS,)) if differs_by_zeros else New(entry.line)
    columns = tuple(_replaced(instansi, entry.row))
    return Changed(entry.line, columns) if columns else Unchanged(entry.line)


def _replaced(instansi: Instansi, row: InstansiRow) -> dict[str, tuple[str | None, str | None]]:
    """What the row changes: the columns of the record, with what they hold and what they are to hold."""
    said = {"name": row.name, **Instansi.columns_of(row.contact), "chosen_zone": row.zone}
    compared = {column: (getattr(instansi, column), new) for column, new in said.items() if new}
    return {column: (old, new) for column, (old, new) in compared.items() if old != new}
