"""Commands that take over files: instansi first, then their staff."""

import csv
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TextIO

import click
from flask.cli import with_appcontext

from app.db import reading, unit_of_work
from app.domain.client import COMMAND_LINE
from app.domain.indonesian_time import now
from app.domain.staff_file import COMMAND_LINE_STAFF_COLUMNS, INSTANSI_COLUMNS, REPORT_COLUMNS, Columns, Fault, guarded
from app.flows import import_instansi as instansi_flow
from app.flows import import_staff as staff_flow
from app.flows.import_outcome import Changed, New, Outcome, Refused, Unchanged
from app.flows.seen_in_file import SeenInFile
from app.flows.staff_sheet import Line, Sheet, UnreadableFile, in_batches, opened
from app.web.portal import portal

ROWS_A_BATCH = 500  # one transaction; on SQLite every other writer waits for it, at most some hundred milliseconds
FAULTS_SHOWN = 20
INTERRUPTED = 130  # what a shell expects after Ctrl-C

Take = Callable[[Sequence[Line]], Sequence[Outcome]]


@click.command("import-instansi")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def import_instansi(file: Path) -> None:
    """Add and correct instansi from a CSV or XLSX file: kode,nama,kontak."""
    with SeenInFile() as seen:

        def take(lines: Sequence[Line]) -> Sequence[Outcome]:
            batch = instansi_flow.vet(lines, seen)
            with unit_of_work() as session:
                return instansi_flow.import_instansi(session, batch, COMMAND_LINE, now())

        sys.exit(_run(file, INSTANSI_COLUMNS, take))


@click.command("import-pegawai")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Look only: the same report, and nothing is saved.")
@click.option("--reason", default="", help="Why; the people concerned read it, and the trail keeps it.")
@with_appcontext
def import_pegawai(file: Path, dry_run: bool, reason: str) -> None:
    """Add and correct staff from a CSV or XLSX file: nip,nama,email,kategori,kode_instansi,unit_kerja[,telepon,password_hash]."""
    opens_cpns = portal().settings.cpns_activation == "otomatis"
    with SeenInFile() as seen:

        def take(lines: Sequence[Line]) -> Sequence[Outcome]:
            batch = staff_flow.vet(lines, seen, dry_run)
            terms = staff_flow.Terms(seen, opens_cpns, COMMAND_LINE, now(), dry_run, typed_reason=reason.strip()[:300])
            with reading() if dry_run else unit_of_work() as session:
                return staff_flow.import_staff(session, batch, terms)

        if dry_run:
            click.echo("Uji coba: tidak ada yang disimpan.")
        sys.exit(_run(file, COMMAND_LINE_STAFF_COLUMNS, take, saves=not dry_run))


def _run(file: Path, columns: Columns, take: Take, saves: bool = True) -> int:
    """Take the file over batch by batch and tell what became of it. Returns the exit code."""
    tally = _Tally()
    interrupted = False
    try:
        with opened(file, columns) as sheet, _RefusedRows(file, sheet) as refused_rows:
            try:
                _walk(sheet, take, tally, refused_rows)
            except KeyboardInterrupt:
                interrupted = True
    except UnreadableFile as refusal:
        click.echo(f"{click.format_filename(file)}: {refusal}", err=True)
        return 1
    _tell(tally, refused_rows)
    if interrupted:
        kept = "yang sudah diterima tetap tersimpan, dan tidak diubah lagi" if saves else "tidak ada yang disimpan"
        click.echo(
            f"Dihentikan setelah {tally.rows} baris; {kept}. Untuk melanjutkan, jalankan perintah yang sama sekali lagi.",
            err=True,
        )
        return INTERRUPTED
    return 1 if tally.refused else 0


def _walk(sheet: Sheet, take: Take, tally: "_Tally", refused_rows: "_RefusedRows") -> None:
    with click.progressbar(length=sheet.total, label="Mengimpor", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for lines in in_batches(sheet.lines(), ROWS_A_BATCH):
            for line, outcome in zip(lines, take(lines), strict=True):
                tally.count(outcome)
                if isinstance(outcome, Refused):
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
        click.echo(f"Baris yang ditolak ada di {click.format_filename(refused_rows.path)}.", err=True)
    click.echo(f"Baru {tally.new}, berubah {tally.changed}, tetap {tally.unchanged}, ditolak {tally.refused}.")


@dataclass
class _Tally:
    """What became of the rows so far, of those that are saved."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    faults: int = 0
    first_faults: list[tuple[int, Fault]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.new + self.changed + self.unchanged + self.refused

    def count(self, outcome: Outcome) -> None:
        match outcome:
            case New():
                self.new += 1
            case Changed():
                self.changed += 1
            case Unchanged():
                self.unchanged += 1
            case Refused(line, faults):
                self.refused += 1
                self.faults += len(faults)
                room = FAULTS_SHOWN - len(self.first_faults)
                self.first_faults.extend((line, fault) for fault in faults[:room])


class _RefusedRows:
    """FILE.ditolak.csv: the refused rows as they came, with line and reason, for correcting and importing again.

    It holds personal data, so nobody but its owner may read it, and password hashes are left out. It appears when the
    run ends; the list of an earlier run goes away when nothing was refused. Where it cannot be written, the import
    goes on and `problem` says why.
    """

    def __init__(self, source: Path, sheet: Sheet) -> None:
        self.path = source.with_name(f"{source.name}.ditolak.csv")
        self.problem: str | None = None
        self._columns = [column for column in sheet.header if column not in (*REPORT_COLUMNS, "password_hash")]
        self._delimiter = sheet.delimiter
        self._file: TextIO | None = None
        self._draft = self.path

    def __enter__(self) -> "_RefusedRows":
        return self

    def write(self, line: Line, outcome: Refused) -> None:
        if self.problem:
            return
        try:
            if self._file is None:
                self._file = self._begun()
            sentences = " ".join(fault.sentence for fault in outcome.faults)
            self._write([*(line.cells.get(column, "") for column in self._columns), str(line.number), sentences])
        except OSError as error:
            self.problem = error.strerror or type(error).__name__

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if self._file is not None:
                self._file.close()
                self._draft.replace(self.path)
            elif kind is None and not self.problem:
                self.path.unlink(missing_ok=True)
        except OSError as fault:
            self.problem = fault.strerror or type(fault).__name__
            with suppress(OSError):
                self._draft.unlink(missing_ok=True)

    def _begun(self) -> TextIO:
        descriptor, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)  # mode 0600
        self._draft = Path(name)
        file = os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")
        self._file = file
        self._write([*self._columns, *REPORT_COLUMNS])
        return file

    def _write(self, cells: Sequence[str]) -> None:
        assert self._file is not None
        csv.writer(self._file, delimiter=self._delimiter).writerow([guarded(cell) for cell in cells])
