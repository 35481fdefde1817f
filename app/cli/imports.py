"""Commands that take over files: instansi first, then their staff."""

import csv
import os
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TextIO, TypeVar

import click
from flask.cli import with_appcontext
from xlsxwriter.exceptions import XlsxFileError

from app.cli.acts import act
from app.domain.file_changes import column_counts
from app.domain.staff_file import (
    COMMAND_LINE_STAFF_COLUMNS,
    INSTANSI_COLUMNS,
    REPORT_COLUMNS,
    CellFault,
    Columns,
    guarded,
)
from app.files.one_ahead import one_ahead
from app.files.open_table import opened
from app.files.seen_values import SeenValues
from app.files.table import Row, Sheet, UnreadableFile, in_batches
from app.files.text_workbook import TextWorkbook
from app.flows.imports import import_instansi as instansi_flow
from app.flows.imports import import_staff as staff_flow
from app.flows.imports.outcome import Changed, New, Outcome, RowRefused, Unchanged
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal

ROWS_A_BATCH = (
    1000  # one transaction; on SQLite every other writer waits for it, for some hundred milliseconds at most
)
FAULTS_SHOWN = 20
INTERRUPTED = 130  # what a shell expects after Ctrl-C

Vetted = TypeVar("Vetted")
Vet = Callable[[Sequence[Row]], Sequence[Vetted]]  # outside a transaction, while earlier rows are taken over
Take = Callable[[Sequence[Vetted]], Sequence[Outcome]]


@click.command("import-instansi")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def import_instansi(file: Path) -> None:
    """Add and correct instansi from a CSV or XLSX file: kode,nama,kontak."""
    with SeenValues() as seen:

        def vet(lines: Sequence[Row]) -> Sequence[instansi_flow.InstansiEntry | RowRefused]:
            return instansi_flow.vet(lines, seen)

        def take(batch: Sequence[instansi_flow.InstansiEntry | RowRefused]) -> Sequence[Outcome]:
            with unit_of_work() as session:
                return instansi_flow.import_instansi(session, batch, act())

        sys.exit(_run(file, INSTANSI_COLUMNS, vet, take))


@click.command("import-pegawai")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Look only: the same report, and nothing is saved.")
@click.option("--reason", default="", help="Why; the people concerned read it, and the trail keeps it.")
@with_appcontext
def import_pegawai(file: Path, reason: str, *, dry_run: bool) -> None:
    """Add and correct staff from a CSV or XLSX file:
    nip,nama,email,kategori,kode_instansi,unit_kerja[,telepon,password_hash]."""
    opens_cpns = portal().settings.cpns_activation == "otomatis"
    with SeenValues() as seen:

        def vet(lines: Sequence[Row]) -> Sequence[staff_flow.StaffEntry | RowRefused]:
            return staff_flow.vet(lines, seen, dry_run=dry_run)

        def take(batch: Sequence[staff_flow.StaffEntry | RowRefused]) -> Sequence[Outcome]:
            terms = staff_flow.ImportTerms(
                seen, opens_cpns, act(), dry_run, typed_reason=reason.strip()[:300]
            )
            with reading() if dry_run else unit_of_work() as session:
                return staff_flow.import_staff(session, batch, terms)

        if dry_run:
            click.echo("Uji coba: tidak ada yang disimpan.")
        sys.exit(_run(file, COMMAND_LINE_STAFF_COLUMNS, vet, take, saves=not dry_run))


def _run(file: Path, columns: Columns, vet: Vet[Vetted], take: Take[Vetted], *, saves: bool = True) -> int:
    """Take the file over, some rows at a time, and tell what became of it. Returns the exit code."""
    tally = _Tally()
    interrupted = False
    try:
        with opened(file, columns) as sheet, _RefusedRows(file, sheet) as refused_rows:
            try:
                with _interrupted_by_signals():
                    _walk(sheet, vet, take, tally, refused_rows)
            except KeyboardInterrupt:
                interrupted = True
    except UnreadableFile as refusal:
        click.echo(f"{click.format_filename(file)}: {refusal}", err=True)
        return 1
    _tell(tally, refused_rows)
    if not saves:
        _tell_columns(tally)
    click.echo(
        f"Baru {tally.new}, berubah {tally.changed}, tetap {tally.unchanged}, ditolak {tally.refused}."
    )
    if interrupted:
        kept = (
            "yang sudah diterima tetap tersimpan, dan tidak diubah lagi"
            if saves
            else "tidak ada yang disimpan"
        )
        click.echo(
            f"Dihentikan setelah {tally.rows} baris; {kept}. Untuk melanjutkan, jalankan perintah yang "
            "sama sekali lagi: baris yang sudah diterima dilewati dengan cepat.",
            err=True,
        )
        return INTERRUPTED
    return 1 if tally.refused else 0


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does: after the rows that are saved, with a word about them. SIGINT
    too where a shell has started the command with SIGINT ignored. Only the main thread is told of signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in heard]
    try:
        yield
    finally:
        for number, handler in zip(heard, before, strict=True):
            signal.signal(number, handler)


def _walk(
    sheet: Sheet, vet: Vet[Vetted], take: Take[Vetted], tally: "_Tally", refused_rows: "_RefusedRows"
) -> None:
    batches = ((lines, vet(lines)) for lines in in_batches(sheet.lines(), ROWS_A_BATCH))
    with (
        click.progressbar(
            length=sheet.total, label="Mengimpor", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar,
        closing(one_ahead(batches)) as vetted,
    ):
        for lines, batch in vetted:
            for line, outcome in zip(lines, take(batch), strict=True):
                tally.count(outcome)
                if isinstance(outcome, RowRefused):
                    refused_rows.write(line, outcome)
            bar.update(sheet.position - bar.pos)


def _tell(tally: "_Tally", refused_rows: "_RefusedRows") -> None:
    for line, fault in tally.first_faults:
        where = f"baris {line}, kolom {fault.column}" if fault.column else f"baris {line}"
        click.echo(f"{where}: {fault.sentence}", err=True)
    if tally.faults > len(tally.first_faults):
        click.echo(f"... dan {tally.faults - len(tally.first_faults)} kesalahan lain.", err=True)
    if refused_rows.problem:
        click.echo(f"Daftar baris yang ditolak tidak dapat ditulis: {refused_rows.problem}.", err=True)
    elif tally.refused:
        names = " dan ".join(click.format_filename(path) for path in refused_rows.paths)
        click.echo(f"Baris yang ditolak ada di {names}.", err=True)


def _tell_columns(tally: "_Tally") -> None:
    """What a dry run has found: how many people the file would change in each column, and in which columns
    that is too many."""
    counts = column_counts(tally.columns, {"changed": tally.changed, "unchanged": tally.unchanged})
    for one in counts:
        click.echo(f"{one.words.capitalize()} berubah untuk {one.people} pegawai ({one.percent}).")
    for one in counts:
        if one.is_wide:
            click.echo(f"PERINGATAN: {one.warning}", err=True)


@dataclass
class _Tally:
    """What became of the rows so far. Only rows that are saved count."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    columns: Counter[str] = field(default_factory=Counter)  # how many people have a new value in the column
    faults: int = 0
    first_faults: list[tuple[int, CellFault]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.new + self.changed + self.unchanged + self.refused

    def count(self, outcome: Outcome) -> None:
        match outcome:
            case New():
                self.new += 1
            case Changed(_, columns):
                self.changed += 1
                self.columns.update(columns)
            case Unchanged():
                self.unchanged += 1
            case RowRefused(line, faults):
                self.refused += 1
                self.faults += len(faults)
                room = FAULTS_SHOWN - len(self.first_faults)
                self.first_faults.extend((line, fault) for fault in faults[:room])


class _RefusedRows:
    """FILE.ditolak.xlsx and FILE.ditolak.csv: the refused rows as they came, with line number and reason, to
    correct and to import again.

    They hold personal data, so only their owner may read them, and password hashes are left out. The files
    appear when the run ends. If nothing was refused, the files of an earlier run are removed. If they cannot
    be written, the import goes on and `problem` says why.
    """

    def __init__(self, source: Path, sheet: Sheet) -> None:
        self.paths = tuple(source.with_name(f"{source.name}.ditolak.{kind}") for kind in ("xlsx", "csv"))
        self.problem: str | None = None
        self._columns = [
            column for column in sheet.header if column not in (*REPORT_COLUMNS, "password_hash")
        ]
        self._delimiter = sheet.delimiter
        self._drafts: list[Path] = []
        self._book: TextWorkbook | None = None
        self._text: TextIO | None = None

    def __enter__(self) -> "_RefusedRows":
        return self

    def write(self, line: Row, outcome: RowRefused) -> None:
        if self.problem:
            return
        try:
            if self._text is None or self._book is None:
                self._book, self._text = self._begun()
            sentences = " ".join(fault.told for fault in outcome.faults)
            self._write(
                [*(line.cells.get(column, "") for column in self._columns), str(line.number), sentences]
            )
        except OSError as error:
            self._cannot(error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._text is not None and self._book is not None:
                self._text.close()
                self._book.close()
                if not self.problem:
                    for draft, path in zip(self._drafts, self.paths, strict=True):
                        draft.replace(path)
            elif kind is None and not self.problem:
                for path in self.paths:
                    path.unlink(missing_ok=True)
        except (OSError, XlsxFileError) as fault:
            self._cannot(fault)
        if self.problem:
            for draft in self._drafts:
                with suppress(OSError):
                    draft.unlink(missing_ok=True)

    def _begun(self) -> tuple[TextWorkbook, TextIO]:
        for path in self.paths:
            descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
            os.close(descriptor)
            self._drafts.append(Path(name))
        header = [*self._columns, *REPORT_COLUMNS]
        self._book = TextWorkbook(str(self._drafts[0]), header)
        self._text = self._drafts[1].open("w", encoding="utf-8-sig", newline="")
        csv.writer(self._text, delimiter=self._delimiter).writerow(header)
        return self._book, self._text

    def _write(self, cells: Sequence[str]) -> None:
        assert self._book is not None
        assert self._text is not None
        self._book.add(cells)
        csv.writer(self._text, delimiter=self._delimiter).writerow([guarded(cell) for cell in cells])

    def _cannot(self, fault: Exception) -> None:
        self.problem = (fault.strerror if isinstance(fault, OSError) else None) or type(fault).__name__
