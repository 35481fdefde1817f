"""The worker's side of imports on a page. It runs in a thread of its own, so that letters leave while it works."""

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from threading import Event
from time import perf_counter

from flask import Flask
from sqlalchemy.exc import OperationalError, SQLAlchemyError, TimeoutError

from app.db import engine, reading, unit_of_work
from app.domain.indonesian_time import now
from app.flows import carry_out_import as steps
from app.flows import received_file
from app.flows.carry_out_import import Hold, LetGo, MandateEnded, Setting
from app.flows.import_staff import vet
from app.flows.seen_in_file import SeenInFile
from app.flows.staff_sheet import Line, Sheet, UnreadableFile, in_batches
from app.web.portal import portal

log = logging.getLogger("portal.worker")

ROWS_A_CHUNK = 250  # one transaction
SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_AFTER_A_FAULT = 3.0
SECONDS_FOR_OTHER_WRITERS = 0.12  # SQLite has one writer at a time, and who waits for it looks every 0.1 s
_ACCIDENT = (
    "Impor ini terhenti karena gangguan pada portal, dan gangguannya sudah tercatat. Unggah lagi filenya, atau minta bantuan."
)


def run_imports(app: Flask, stop: Event) -> None:
    """Until told to stop."""
    while not stop.is_set():
        try:
            if not import_next(app, stop):
                stop.wait(SECONDS_BETWEEN_LOOKS)
        except SQLAlchemyError as fault:
            log.error("database", exc_info=fault)
            stop.wait(SECONDS_AFTER_A_FAULT)
        except Exception as accident:  # whatever it was: nobody would start this thread again
            log.error("accident", exc_info=accident)
            stop.wait(SECONDS_AFTER_A_FAULT)


def import_next(app: Flask, stop: Event) -> bool:
    """Carry the next batch through its pass. False when none waits."""
    with app.app_context(), unit_of_work() as session:
        hold = steps.claim(session, now())
    if hold is None:
        return False
    started = perf_counter()
    in_hand = Pass(app, hold)
    try:
        ending = in_hand.run(stop)
    except LetGo:
        ending = "let go"
    fields = {
        "batch": hold.batch_id,
        "dry_run": hold.is_dry_run,
        "rows": in_hand.hold.rows_done,
        "ending": ending,
        "seconds": round(perf_counter() - started, 1),
    }
    log.info("import", extra={"fields": fields})
    return True


class Pass:
    """One way through one file, as far as it goes in this worker's hand."""

    def __init__(self, app: Flask, hold: Hold) -> None:
        self._app = app
        self.hold = hold

    def run(self, stop: Event) -> str:
        """To the end, or until told to stop. Returns how it ended; raises LetGo."""
        try:
            for gap in self.chunks():
                if stop.wait(gap):
                    self._release()
                    return "released"
            return self._end()
        except MandateEnded:
            return self._stop_without_mandate()
        except UnreadableFile as problem:
            return self._give_up(str(problem))
        except LetGo:
            raise
        except (OperationalError, TimeoutError):
            raise  # the database is away: goes on when the hold has run out
        except Exception as accident:
            log.error("accident", exc_info=accident)
            return self._give_up(_ACCIDENT)

    def chunks(self) -> Iterator[float]:
        """Do a chunk and yield how long to leave the database to others. What an earlier worker has counted is only read
        once more, for what its rows say about those behind them; addresses that it has set free may be taken in this pass
        already, and not only in the next file."""
        with self._app.app_context():
            opens_cpns = portal().settings.cpns_activation == "otomatis"
        with received_file.opened(self._file(), self._keep) as sheet, SeenInFile() as seen:
            setting = Setting(seen, opens_cpns)
            self._note_delimiter(sheet.delimiter)
            lines = sheet.lines()
            for counted in in_batches(islice(lines, self.hold.rows_done), ROWS_A_CHUNK):
                vet(counted, seen)
                self._keep()
            for chunk in in_batches(lines, ROWS_A_CHUNK):
                yield self._do(chunk, sheet, setting)

    def _do(self, lines: Sequence[Line], sheet: Sheet, setting: Setting) -> float:
        rows = vet(lines, setting.seen)
        progress = (sheet.position, sheet.total)
        with self._app.app_context():
            if self.hold.is_dry_run:
                with reading() as session:
                    outcomes = steps.judge(session, self.hold, rows, setting, now())
                with unit_of_work() as session:
                    self.hold = steps.note(session, self.hold, lines, outcomes, progress, now())
            else:
                with unit_of_work() as session:
                    outcomes = steps.take_over(session, self.hold, rows, setting, now())
                    self.hold = steps.note(session, self.hold, lines, outcomes, progress, now())
                if engine().dialect.name == "sqlite":
                    return SECONDS_FOR_OTHER_WRITERS
        return 0.0

    def _file(self) -> bytes:
        with self._app.app_context(), reading() as session:
            return steps.file_of(session, self.hold)

    def _keep(self) -> None:
        if now() > self.hold.until - steps.HOLD_LASTS / 2:
            with self._app.app_context(), unit_of_work() as session:
                self.hold = steps.keep(session, self.hold, now())

    def _note_delimiter(self, delimiter: str) -> None:
        with self._app.app_context(), unit_of_work() as session:
            steps.note_delimiter(session, self.hold, delimiter)

    def _release(self) -> None:
        with self._app.app_context(), unit_of_work() as session:
            steps.release(session, self.hold)

    def _end(self) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return steps.finish(session, self.hold, now())

    def _stop_without_mandate(self) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return steps.stop_without_mandate(session, self.hold, now())

    def _give_up(self, problem: str) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return steps.give_up(session, self.hold, problem, now())
