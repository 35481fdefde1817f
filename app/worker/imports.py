"""The worker's side of imports on a page, and of their taking back."""

from collections.abc import Iterator, Sequence
from itertools import islice

from flask import Flask

from app.domain.indonesian_time import now
from app.files import sandbox
from app.files.seen_values import SeenValues
from app.files.table import Row, Sheet, UnreadableFile, in_batches
from app.flows.imports import run_batch as steps
from app.flows.imports import take_back_import
from app.flows.imports.import_staff import vet
from app.flows.imports.run_batch import BatchLease, PassContext
from app.runtime.db import SECONDS_FOR_OTHER_WRITERS, engine, reading, unit_of_work
from app.runtime.portal import portal
from app.worker.acts import act
from app.worker.turns import Job, KindOfJob, LeasedJob

ROWS_A_CHUNK = 250  # one transaction
MOST_ROWS = 400_000  # in one file; 32 MB hold as many if every row has a NIP, a name and a unit
SECONDS_BETWEEN_SIGNS = 0.1  # while another process unpacks a workbook
_TOO_MANY_ROWS = (
    f"File ini berisi lebih dari {MOST_ROWS:,} baris. Bagi menjadi beberapa file, lalu unggah satu per satu."
).replace(",", ".", 1)


class ImportJob(LeasedJob[BatchLease]):
    """One pass through one file."""

    _steps = steps

    def chunks(self) -> Iterator[float]:
        """Rows that an earlier worker has counted are only read again, because they matter for the rows after
        them. Addresses that they have set free can be used in this same pass, and not only in the next
        file."""
        with self._app.app_context():
            opens_cpns = portal().settings.cpns_activation == "otomatis"
        with sandbox.begun(self._file()) as received, SeenValues() as seen:
            self.is_being_unpacked = True
            while not received.read_on():
                yield SECONDS_BETWEEN_SIGNS
            self.is_being_unpacked = False
            sheet, setting = received.sheet(), PassContext(seen, opens_cpns)
            self._note_delimiter(sheet.delimiter)
            lines = sheet.lines()
            for counted in in_batches(islice(lines, self.lease.rows_done), ROWS_A_CHUNK):
                vet(counted, seen)
                yield 0.0
            for chunk in in_batches(lines, ROWS_A_CHUNK):
                if self.lease.rows_done + len(chunk) > MOST_ROWS:
                    raise UnreadableFile(_TOO_MANY_ROWS)
                yield self._do(chunk, sheet, setting)

    def _do(self, lines: Sequence[Row], sheet: Sheet, setting: PassContext) -> float:
        rows = vet(lines, setting.seen)
        progress = (sheet.position, sheet.total)
        with self._app.app_context():
            if self.lease.is_dry_run:
                with reading() as session:
                    outcomes = steps.judge(session, self.lease, rows, setting, act())
                with unit_of_work() as session:
                    self.lease = steps.note(session, self.lease, lines, outcomes, progress, now())
            else:
                with unit_of_work() as session:
                    outcomes = steps.take_over(session, self.lease, rows, setting, act())
                    self.lease = steps.note(session, self.lease, lines, outcomes, progress, now())
                if engine().dialect.name == "sqlite":
                    return SECONDS_FOR_OTHER_WRITERS
        return 0.0

    def _file(self) -> bytes:
        with self._app.app_context(), reading() as session:
            return steps.file_of(session, self.lease)

    def _note_delimiter(self, delimiter: str) -> None:
        with self._app.app_context(), unit_of_work() as session:
            steps.note_delimiter(session, self.lease, delimiter)

    def fields(self) -> dict[str, object]:
        return {"batch": self.lease.batch_id, "dry_run": self.lease.is_dry_run, "rows": self.lease.rows_done}


class TakeBackJob(LeasedJob[take_back_import.TakeBackLease]):
    """The taking back of what a file has written."""

    _steps = take_back_import

    def chunks(self) -> Iterator[float]:
        with self._app.app_context():
            delay, rest = portal().settings.email_change_delay, 0.0
            if engine().dialect.name == "sqlite":
                rest = SECONDS_FOR_OTHER_WRITERS
        while True:
            with self._app.app_context(), unit_of_work() as session:
                held = take_back_import.take_back_some(session, self.lease, ROWS_A_CHUNK, delay, act())
            if held is None:
                return
            self.lease = held
            yield rest

    def fields(self) -> dict[str, object]:
        return {"batch": self.lease.batch_id, "taken_back_down_to": self.lease.down_to}


def _file(app: Flask) -> Job | None:
    """The next file that waits; None if nothing waits or another worker was faster."""
    with app.app_context(), unit_of_work() as session:
        lease = steps.claim(session, now())
    return ImportJob(app, lease) if lease else None


def _taking_back(app: Flask) -> Job | None:
    with app.app_context(), unit_of_work() as session:
        lease = take_back_import.claim(session, now())
    return TakeBackJob(app, lease) if lease else None


FILES: KindOfJob = (steps.first_waiting, _file)
TAKING_BACK: KindOfJob = (take_back_import.first_waiting, _taking_back)
