"""Ten times as many logins as the portal can do: how many it still does, and how the others are refused."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bench.browser import Browser
from bench.offered import Login, offer
from bench.portal import Served

SECONDS = 15.0
TIMES = 10
SECONDS_OF_CAPACITY = 8.0


@dataclass
class Watched:
    """Seconds until other pages were answered meanwhile, one after the other."""

    login_page: list[float] = field(default_factory=list)
    alive: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Overload:
    capacity: float  # logins per second
    logins: list[Login]
    watched: Watched

    @property
    def done(self) -> list[Login]:
        return [one for one in self.logins if one.status == 303]

    @property
    def refused(self) -> list[Login]:
        return [one for one in self.logins if one.status == 503 and one.says_when]

    @property
    def goodput(self) -> float:
        """Logins per second that were done while all the others came, of what the portal can do."""
        return len([one for one in self.done if one.answered_at < SECONDS]) / SECONDS / self.capacity


def overload(served: Served, people: int) -> Overload:
    """The people must have a password."""
    offer(served.port, 0, 2.0, people)  # what is made once is made now
    quiet = offer(served.port, 0, SECONDS_OF_CAPACITY, people)
    capacity = len([one for one in quiet if one.status == 303]) / SECONDS_OF_CAPACITY
    with _watching(served.port) as watched:
        logins = offer(served.port, TIMES * capacity, SECONDS, people)
    return Overload(capacity, logins, watched)


def nearly_all(seconds: list[float]) -> float:
    """Ninety-nine of a hundred took at most so long."""
    return sorted(seconds)[int(0.99 * len(seconds))] if seconds else float("nan")


@contextmanager
def _watching(port: int) -> Iterator[Watched]:
    watched, stop = Watched(), threading.Event()

    def watch(path: str, times: list[float], pause: float) -> None:
        while not stop.wait(pause):
            start = time.monotonic()
            with suppress(OSError):  # its time tells
                Browser(port).open(path)
            times.append(time.monotonic() - start)

    watchers = [
        threading.Thread(target=watch, args=("/login", watched.login_page, 0.1)),
        threading.Thread(target=watch, args=("/healthz", watched.alive, 0.05)),
    ]
    for one in watchers:
        one.start()
    yield watched
    stop.set()
    for one in watchers:
        one.join()
