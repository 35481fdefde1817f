"""The large things that admins ask for: files of staff, their taking back, acts on many people.

A worker has several in hand and does a chunk of each in turn, by instansi, so that a large one does not hold
up the others.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from time import perf_counter
from typing import Generic, Protocol, TypeVar

from flask import Flask
from sqlalchemy.exc import OperationalError, TimeoutError
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import now
from app.files.table import UnreadableFile
from app.flows.imports.run_batch import LEASE_LASTS, LeaseLost, MandateEnded, NextInTurn
from app.runtime.db import reading, unit_of_work
from app.worker.acts import act

log = logging.getLogger("portal.worker")

MOST_IN_HAND = 8  # each file takes a nameless one in the folder for temporary files, and little memory
CHUNKS_A_SLICE = (
    20  # then a job that keeps another one waiting goes back to the waiting ones, and is taken up again later
)
_ACCIDENT = (
    "Impor ini terhenti karena gangguan pada portal, dan gangguannya sudah tercatat. Unggah lagi "
    "filenya, atau minta bantuan."
)


class Turns:
    """What one worker has in hand, and whose turn it is: the party that has waited longest since its last
    chunk."""

    def __init__(self, app: Flask, kinds: "Sequence[KindOfJob]") -> None:
        self._app, self._kinds = app, kinds
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
        """Take up one more waiting job, if there is room, or if another one has to make room."""
        with self._app.app_context(), reading() as session:
            waiting = [(first, claim) for look, claim in self._kinds if (first := look(session, now()))]
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

    name = "import"  # in the log
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
        """Close the file, if there is one, and the process that reads it."""
        if isinstance(self._work, Generator):
            self._work.close()
        fields = {**self.fields(), "ending": self.ending, "seconds": round(perf_counter() - self._started, 1)}
        log.info(self.name, extra={"fields": fields})

    def _end(self, way: Callable[[], str]) -> None:
        try:
            self.ending = way()
        except LeaseLost:
            self.ending = "let go"


class Lease(Protocol):
    """What a worker has in hand, and until when."""

    @property
    def party(self) -> int: ...
    @property
    def until(self) -> datetime: ...


Held = TypeVar("Held", bound=Lease)


class Steps(Protocol[Held]):
    """What a module of flows does with its lease, each in one transaction. All raise LeaseLost."""

    def keep(self, session: Session, lease: Held, now: datetime, /) -> Held: ...
    def release(self, session: Session, lease: Held, /) -> None: ...
    def finish(self, session: Session, lease: Held, act: Act[None], /) -> str: ...
    def stop_without_mandate(self, session: Session, lease: Held, act: Act[None], /) -> str: ...
    def give_up(self, session: Session, lease: Held, problem: str, act: Act[None], /) -> str: ...


class LeasedJob(Job, Generic[Held]):
    """A job whose lease is kept and ended by the steps of a flow."""

    _steps: Steps[Held]  # the module of the flow

    def __init__(self, app: Flask, lease: Held) -> None:
        super().__init__(app, lease.party)
        self.lease = lease

    def keep(self) -> None:
        if now() > self.lease.until - LEASE_LASTS / 2:
            with self._app.app_context(), unit_of_work() as session:
                self.lease = self._steps.keep(session, self.lease, now())

    def release(self) -> None:
        with self._app.app_context(), unit_of_work() as session:
            self._steps.release(session, self.lease)

    def finish(self) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return self._steps.finish(session, self.lease, act())

    def stop_without_mandate(self) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return self._steps.stop_without_mandate(session, self.lease, act())

    def give_up(self, problem: str) -> str:
        with self._app.app_context(), unit_of_work() as session:
            return self._steps.give_up(session, self.lease, problem, act())


# How to look what waits, without a lock, and how to take it up: None if another worker was faster
KindOfJob = tuple[Callable[[Session, datetime], NextInTurn | None], Callable[[Flask], Job | None]]
