"""Which request gets a thread, which one waits, and which one is refused at once.

A lane is a few threads and a short queue for one kind of request. Requests of another kind never wait for its
threads. A queue is as long as what the lane can serve within a moment, by the time that its requests have
taken lately. Whoever would wait longer is told so at once, and comes back when there is less to do.

A part of each queue is kept free for those who are known. Each of them has one such place, so that nobody can
take all of them with copies of one cookie.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread
from time import monotonic
from typing import Protocol

log = logging.getLogger("portal")

# What the server tells in environ: when the request was here as a whole, as `time.monotonic` counts
ARRIVED_AT = "portal.arrived_at"
# and a function that says whether the other end of the connection is gone; waitress's own name
HAS_LEFT = "waitress.client_disconnected"

LONGEST_WAIT = 1.75  # seconds; whoever has waited longer, because the lane stands still, is refused
MOST_IN_QUEUE = 256
SHARE_OF_STRANGERS = 2 / 3  # of a queue
_FIRST_GUESS = 0.1  # seconds that a request takes, before any was measured
_WEIGHT_OF_THE_LAST = 0.05
_SECONDS_BETWEEN_LOOKS = 0.25


class Waiter(Protocol):
    """Somebody whose request is here as a whole."""

    arrived_at: float

    def has_left(self) -> bool: ...
    def serve(self) -> None: ...
    def refuse(self) -> None: ...
    def let_go(self) -> None: ...


@dataclass(frozen=True)
class Known:
    """Somebody whom a cookie of the portal tells apart from strangers, and how much of a queue is open to
    them."""

    name: str
    share: float


@dataclass(frozen=True)
class LaneSize:
    threads: int
    seconds_in_queue: float  # that somebody in the last place has to expect


@dataclass(frozen=True)
class _Place:
    waiter: Waiter
    kept_for: str | None = None  # None: a place of strangers


class Lane:
    """Some threads with one queue before them."""

    def __init__(self, name: str, size: LaneSize) -> None:
        self.name, self.size = name, size
        self.refused = self.in_work = 0
        self._queue: deque[_Place] = deque()
        self._may_go_on = Condition()
        self._running: list[Thread] = []
        self._seconds_each = _FIRST_GUESS
        self._last_look = 0.0
        self._is_ending = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._queue)

    @property
    def most(self) -> int:
        """How many may wait."""
        served_meanwhile = int(self.size.seconds_in_queue * self.size.threads / self._seconds_each)
        return max(2 * self.size.threads, min(served_meanwhile, MOST_IN_QUEUE))

    def takes(self, waiter: Waiter, known: Callable[[], Known | None]) -> bool:
        """Give the waiter a place. False if there is none. `known` is asked only if the places of strangers
        are taken."""
        with self._may_go_on:
            if self._has_place(SHARE_OF_STRANGERS):
                return self._add(_Place(waiter))
        found = known()
        left = self._who_left()
        for one in left:
            one.let_go()
        with self._may_go_on:
            if left and self._has_place(SHARE_OF_STRANGERS):
                return self._add(_Place(waiter))
            if found and self._has_place(found.share) and not self._is_kept_for(found.name):
                return self._add(_Place(waiter, found.name))
            self.refused += 1
            return False

    def start(self) -> None:
        for number in range(self.size.threads):
            thread = Thread(target=self._serve, name=f"{self.name}-{number}", daemon=True)
            self._running.append(thread)
            thread.start()

    def refuse_late(self) -> None:
        """Refuse those who have waited too long: all threads of the lane are held up by something."""
        last_arrival = monotonic() - LONGEST_WAIT
        late = []
        with self._may_go_on:
            while self._queue and self._queue[0].waiter.arrived_at < last_arrival:
                late.append(self._queue.popleft().waiter)
            self.refused += len(late)
        for waiter in late:
            waiter.refuse()

    def end(self) -> None:
        """Refuse those who wait. The threads end after the requests that they have in work."""
        with self._may_go_on:
            self._is_ending = True
            waiting = [place.waiter for place in self._queue]
            self._queue.clear()
            self._may_go_on.notify_all()
        for waiter in waiting:
            waiter.refuse()

    def join(self, until: float) -> None:
        for thread in self._running:
            thread.join(max(0.0, until - monotonic()))

    def _has_place(self, share: float) -> bool:
        return not self._is_ending and len(self._queue) < max(self.size.threads, int(self.most * share))

    def _is_kept_for(self, name: str) -> bool:
        return any(place.kept_for == name for place in self._queue)

    def _add(self, place: _Place) -> bool:
        self._queue.append(place)
        self._may_go_on.notify()
        return True

    def _who_left(self) -> list[Waiter]:
        """Those who have left the queue. To find them costs a system call for each, so it is done only now
        and then."""
        with self._may_go_on:
            if monotonic() < self._last_look + _SECONDS_BETWEEN_LOOKS:
                return []
            self._last_look = monotonic()
            left = [place for place in self._queue if place.waiter.has_left()]
            for place in left:
                self._queue.remove(place)
        return [place.waiter for place in left]

    def _serve(self) -> None:
        while (waiter := self._next()) is not None:
            began_at = monotonic()
            try:
                if waiter.has_left():
                    waiter.let_go()
                elif began_at > waiter.arrived_at + LONGEST_WAIT:
                    self.refused += 1
                    waiter.refuse()
                else:
                    waiter.serve()
                    self._seconds_each += _WEIGHT_OF_THE_LAST * (monotonic() - began_at - self._seconds_each)
            except Exception as fault:  # a thread that ends would be missed for good
                log.error("accident", exc_info=fault)
            with self._may_go_on:
                self.in_work -= 1

    def _next(self) -> Waiter | None:
        with self._may_go_on:
            while not self._queue and not self._is_ending:
                self._may_go_on.wait()
            if not self._queue:
                return None
            self.in_work += 1
            return self._queue.popleft().waiter
