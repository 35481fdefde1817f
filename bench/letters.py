"""Many tokens asked for at once, and the worker that sends them, beside a bare smtplib loop to the same mail
server."""

import smtplib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.browser import Browser, expect
from bench.people import email_of
from bench.portal import Portal, Served
from bench.processes import cpu_seconds, spent_by
from bench.sink import Sink

LETTERS, CLIENTS = 2000, 4
SECONDS_TO_SEND = 300.0


@dataclass(frozen=True)
class Letters:
    cpu_seconds_of_an_ask: float
    sent_per_second: float  # by the worker
    cpu_seconds_each: float  # of the worker
    bare_per_second: float


def send(portal: Portal, sink: Sink) -> Letters:
    """The portal must know the people from 0 to LETTERS."""
    with portal.serving("--no-worker") as served, spent_by(served.pid) as asking:
        _ask(served)
    sink.forget()
    with portal.working() as worker:
        before = cpu_seconds(worker)
        rate = _rate(sink)
        spent = cpu_seconds(worker) - before
    letter = sink.take(email_of(0))
    sink.forget()
    _send_bare(sink, letter)
    return Letters(asking.seconds / LETTERS, rate, spent / LETTERS, _rate(sink))


def _ask(served: Served) -> None:
    def ask(people: range) -> None:
        browser = Browser(served.port)
        expect(browser.open("/lupa-password"))
        for person in people:
            browser.ask_for_token(person)

    share = LETTERS // CLIENTS
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, (range(first, first + share) for first in range(0, LETTERS, share))))


def _rate(sink: Sink) -> float:
    """Letters per second, from the first to the last one."""
    last_moment = time.monotonic() + SECONDS_TO_SEND
    while (arrived := sink.arrived())[0] < LETTERS:
        if time.monotonic() > last_moment:
            raise TimeoutError(f"only {arrived[0]} of {LETTERS} letters have come")
        time.sleep(0.1)
    return (LETTERS - 1) / arrived[1]


def _send_bare(sink: Sink, letter: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port) as talk:
        for number in range(LETTERS):
            talk.sendmail("no-reply@contoh.example", [email_of(number)], letter)
