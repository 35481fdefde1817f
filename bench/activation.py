"""One whole activation, from outside: seven requests and the letters, several people at a time."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.browser import Browser, expect
from bench.people import NEW_PASSWORD, email_of
from bench.portal import Served
from bench.processes import spent_by
from bench.sink import Sink

AT_A_TIME = 4
SECONDS_UNTIL_QUIET = 3.0  # the last letters leave, and the trail is sealed


@dataclass(frozen=True)
class Activations:
    cpu_seconds_each: float  # of web and worker
    half_within: float  # seconds


def activate(served: Served, sink: Sink, people: Iterable[int]) -> Activations:
    people = list(people)
    with spent_by(served.pid) as spent, ThreadPoolExecutor(AT_A_TIME) as pool:
        seconds = sorted(pool.map(lambda person: _activate(served.port, sink, person), people))
        time.sleep(SECONDS_UNTIL_QUIET)
    return Activations(spent.seconds / len(people), seconds[len(people) // 2])


def _activate(port: int, sink: Sink, person: int) -> float:
    start, browser = time.perf_counter(), Browser(port)
    expect(browser.open("/lupa-password"))
    browser.ask_for_token(person)
    expect(browser.open("/konfirmasi-reset-password"))
    browser.reset_password(sink.token_for(email_of(person)))
    expect(browser.open("/login"))
    browser.log_in(person, NEW_PASSWORD)
    expect(browser.open("/beranda"))
    return time.perf_counter() - start
