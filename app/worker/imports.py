"""The worker's side of imports on a page. It runs in a thread of its own, so that mails leave while it works.

It has several files in hand and does a chunk of each in turn, by instansi, so that a large file does not hold
up the others.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from threading import Event
from time import perf_counter

from flask import Flask
from sqlalchemy.exc import OperationalError, SQLAlchemyError, TimeoutError

from app.domain.indonesian_time import now
from app.files import sandbox
from app.files.seen_values import SeenValues
from app.files.table import Row, Sheet, UnreadableFile, in_batches
from app.flows.imports import run_batch as steps
from app.flows.imports import take_back_import
from app.flows.imports.import_staff import vet
from app.flows.imports.run_batch import BatchLease, LeaseLost, MandateEnded, PassContext
from app.runtime.db import SECONDS_FOR_OTHER_WRITERS, engine, reading, unit_of_work
from app.runtime.portal import portal
from app.worker.acts import act
from app.worker.bell import Bell

log = logging.getLogger("portal.worker")

ROWS_A_CHUNK = 250  # one transaction
MOST_ROWS = 400_000  # in one file; 32 MB hold as many if every row has a NIP, a name and a unit
MOST_IN_HAND = 8  # files; each takes a nameless file in the folder for temporary files, and little memory
CHUNKS_A_SLICE = (
    20  # then a file that keeps another one waiting goes back to the waiting ones, and is read again later
)
SECONDS_OF_REST = 10.0  # while nobody writes to the database; a lease may run out meanwhile
SECONDS_AFTER_A_FAULT = 3.0
SECONDS_BETWEEN_SIGNS = 0.1  # while another process unpacks a workbook
_ACCIDENT = (
    "Impor ini terhenti karena gangguan pada portal, dan gangguannya sudah tercatat. Unggah lagi "
    "filenya, atau minta bantuan."
)
_TOO_MANY_ROWS = (
    f"File ini berisi lebih dari {MOST_ROWS:,} baris. Bagi menjadi beberapa file, lalu unggah satu per satu."
).replace(",", ".", 1)


def run_imports(app: Flask, stop: Event, bell: Bell) -> None:
    """Do imports until told to stop. The bell rings when somebody has written to the database."""
    turns = Turns(app)
    while not stop.is_set():
        try:
            gap = turns.next()
            if gap is None:
                bell.wait(SECONDS_OF_REST)
            else:
                stop.wait(gap)
        except SQLAlchemyError as fault:
            log.error("database", exc_info=fault)
            stop.wait(SECONDS_AFTER_A_FAULT)
        except Exception as accident:  # whatever it was: nobody would start this thread again
            log.error("accident", exc_info=accident)
            stop.wait(SECONDS_AFTER_A_FAULT)
    turns.release()


def import_next(app: Flask, stop: Event) -> bool:
    """Finish all files that wait, in turns, or until told to stop. False when nothing waits."""
    turns = Turns(app)
    gap = turns.next()
    if gap is None:
        return False
    while gap is not None:
        if stop.wait(gap):
            turns.release()
            break
        gap = turns.next()
    return True


class Turns:
    """What one worker has in hand, and whose turn it is: the party that has waited longest since its last
    chunk."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._jobs: list[Job] = []
        self._ticks = count(1)
        self._served: dict[int, int] = {}  # party -> tick

    def next(self) -> float | None:
        """Do one chunk. Returns how many seconds to leave the database to others; None when there is nothing
        to do."""
        self._take_up()
        for other in list(self._jobs):
            self._keep(other)
        if not self._jobs:
            return None
        ready = [one for one in self._jobs if not one.is_being_unpacked] or self._jobs
        turn = min(ready, key=lambda one: (self._served.get(one.party, 0), one.served))
        turn.served = self._served[turn.party] = next(self._ticks)
        try:
            gap = turn.step()
        except BaseException:
            self._drop(turn)
            raise
        if gap is None:
            self._drop(turn)
            return 0.0
        return 0.0 if turn.is_being_unpacked and self._jobs != [turn] else gap

    def release(self) -> None:
        """The worker is told to stop: let another worker go on with all of it at once."""
        for one in list(self._jobs):
            self._put_back(one)

    def _take_up(self) -> None:
        """Take up one more waiting file, if there is room, or if another one has to make room."""
        with self._app.app_context(), reading() as session:
            waiting = [(first, claim) for look, claim in _KINDS if (first := look(session, now()))]
        if not waiting:
            return
        first, claim = min(waiting, key=lambda one: one[0].served_at or datetime.min.replace(tzinfo=UTC))
        if len(self._jobs) >= MOST_IN_HAND:
            leaver = self._to_release(first.party)
            if leaver is None:
                return
            self._put_back(leaver)
        if claimed := claim(self._app):
            self._jobs.append(claimed)

    def _to_release(self, party: int) -> "Job | None":
        """The job that has to make room for a party that has none in hand: one of a party that has several;
        otherwise the one that has done the most chunks, if it has had a whole slice. None if there is no such
        job."""
        parties = [one.party for one in self._jobs]
        if party in parties:
            return None
        longest = max(self._jobs, key=lambda one: (parties.count(one.party), one.chunks_done))
        return longest if parties.count(longest.party) > 1 or longest.chunks_done >= CHUNKS_A_SLICE else None

    def _keep(self, one: "Job") -> None:
        try:
            one.keep()
        except LeaseLost:
            one.ending = "let go"
            self._drop(one)

    def _put_back(self, one: "Job") -> None:
        try:
            one.release()
            one.ending = "released"
        except LeaseLost:
            one.ending = "let go"
        self._drop(one)

    def _drop(self, one: "Job") -> None:
        self._jobs.remove(one)
        one.close()


class Job(ABC):
    """Something large that is done in chunks, while this worker has it in hand."""

    is_being_unpacked = False  # by another process; the worker has nothing to do here meanwhile

    def __init__(self, app: Flask, party: int) -> None:
        self._app = app
        self.party = party
        self.served = 0  # the tick of its last turn
        self.chunks_done = 0
        self.ending = "dropped"
        self._work: Iterator[float] | None = None
        self._started = perf_counter()

    @abstractmethod
    def chunks(self) -> Iterator[float]:
        """Do a chunk and yield how many seconds to leave the database to others. Raises the error that ends
        the job."""

    @abstractmethod
    def keep(self) -> None:
        """Renew the lease, if it is time to. Raises LeaseLost."""

    @abstractmethod
    def release(self) -> None:
        """Give the lease back, so that another worker may go on with the job at once. Raises LeaseLost."""

    @abstractmethod
    def finish(self) -> str:
        """Note that all is done. Returns how the job ended. Raises LeaseLost."""

    @abstractmethod
    def stop_without_mandate(self) -> str: ...

    @abstractmethod
    def give_up(self, problem: str) -> str: ...

    @abstractmethod
    def fields(self) -> dict[str, object]:
        """The fields of the job for the log."""

    def step(self) -> float | None:
        """Do the next chunk. Returns how long to leave the database to others; None when it is over, and
        `ending` says how. Raises what the database raises: it goes on when the lease has run out."""
        self._work = self._work or self.chunks()
        try:
            gap = next(self._work, None)
            if gap is not None:
                self.chunks_done += not self.is_being_unpacked
                return gap
            self.ending = self.finish()
        except LeaseLost:
            self.ending = "let go"
        except MandateEnded:
            self._end(self.stop_without_mandate)
        except UnreadableFile as problem:
            sentence = str(problem)
            self._end(lambda: self.give_up(sentence))
        except (OperationalError, TimeoutError):
            raise
        except Exception as accident:
            log.error("accident", exc_info=accident)
            self._end(lambda: self.give_up(_ACCIDENT))
        return None

    def close(self) -> None:
        """Close the file and the process that reads it."""
        if isinstance(self._work, Generator):
            self._work.close()
        fields = {**self.fields(), "ending": self.ending, "seconds": round(perf_counter() - self._started, 1)}
        log.info("import", extra={"fields": fields})

    def _end(self, way: Callable[[], str]) -> None:
        try:
            self.ending = way()
        except LeaseLost:
            self.ending = "let go"


class ImportJob(Job):
    """One pass through one file."""

    def __init__(self, app: Flask, lease: BatchLease) -> None:
        super().__init__(app, lease.party)
        self.lease = lease

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

    def keep(self) -> None:
        if now() > self.lease.until - steps.LEASE_LASTS / 2:
            with self._app.app_context(), unit_of_work() as session:
                self.lease = steps.keep(session, self.lease, now())

    def _note_delimiter(self, delimiter: str) -> None:
        with self._app.app_context(), unit_of_work() as session:
            steps.note_delimiter(session, self.lease, delimiter)

    def release(self) -> None:
        with self._app.app_context(), unit_of_work() as session:
            steps.release(session, self.lease)

    def finish(self) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return steps.finish(session, self.lease, act())

    def stop_without_mandate(self) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return steps.stop_without_mandate(session, self.lease, act())

    def give_up(self, problem: str) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return steps.give_up(session, self.lease, problem, act())

    def fields(self) -> dict[str, object]:
        return {"batch": self.lease.batch_id, "dry_run": self.lease.is_dry_run, "rows": self.lease.rows_done}


class TakeBackJob(Job):
    """The taking back of what a file has written."""

    def __init__(self, app: Flask, lease: take_back_import.TakeBackLease) -> None:
        super().__init__(app, lease.party)
        self.lease = lease

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

    def keep(self) -> None:
        if now() > self.lease.until - steps.LEASE_LASTS / 2:
            with self._app.app_context(), unit_of_work() as session:
                self.lease = take_back_import.keep(session, self.lease, now())

    def release(self) -> None:
        with self._app.app_context(), unit_of_work() as session:
            take_back_import.release(session, self.lease)

    def finish(self) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return take_back_import.finish(session, self.lease, act())

    def stop_without_mandate(self) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return take_back_import.stop_without_mandate(session, self.lease, act())

    def give_up(self, problem: str) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return take_back_import.give_up(session, self.lease, problem, act())

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


_KINDS = ((steps.first_waiting, _file), (take_back_import.first_waiting, _taking_back))
