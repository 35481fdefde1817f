"""A portal to which nobody comes: what it costs, and how soon a token leaves when somebody does come."""

import time

from bench.browser import Browser, expect
from bench.people import email_of
from bench.portal import Served
from bench.processes import spent_by
from bench.sink import Sink

SECONDS = 20.0


def share_of_a_core(served: Served) -> float:
    """Of web and worker, in percent."""
    with spent_by(served.pid) as spent:
        time.sleep(SECONDS)
    return 100 * spent.seconds / SECONDS


def slowest_token(served: Served, sink: Sink, people: range) -> float:
    """Seconds from the answer of the portal until the mail server has the token."""
    waits = []
    for person in people:
        browser = Browser(served.port)
        expect(browser.open("/lupa-password"))
        time.sleep(0.37 * (1 + person % 5))  # at another moment of whatever the worker does in turns
        browser.ask_for_token(person)
        start = time.perf_counter()
        sink.token_for(email_of(person))
        waits.append(time.perf_counter() - start)
    return max(waits)
