"""When the worker does its duties. The clock is the test's own."""

import logging
from collections.abc import Callable

import pytest

from app.worker import duty as module
from app.worker.duty import SECONDS_AFTER_A_FAULT, Duty


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "monotonic", clock)
    return clock


def times_done(duty: Duty, clock: Clock, *seconds: float) -> list[float]:
    """At which of these moments, counted from now, the duty was due."""
    start, done = clock.at, []
    for moment in seconds:
        clock.at = start + moment
        if duty.seconds_left == 0:
            duty.do_if_due()
            done.append(moment)
    return done


def nothing_more() -> bool:
    return False


def fails() -> bool:
    raise RuntimeError("no")


def test_a_duty_rests_when_there_is_nothing_more_to_do(clock: Clock) -> None:
    duty = Duty("seal", nothing_more, 5.0, gap=1.0)

    assert times_done(duty, clock, 0, 1, 4.9, 5, 9, 10) == [0, 5, 10]


def test_a_call_ends_the_rest_but_not_before_its_gap(clock: Clock) -> None:
    duty = Duty("seal", nothing_more, 5.0, gap=1.0)
    duty.do_if_due()
    duty.call()

    assert times_done(duty, clock, 0.9, 1, 2, 5.9, 6) == [1, 6]


def test_a_duty_without_a_gap_is_never_called(clock: Clock) -> None:
    duty = Duty("count", nothing_more, 600.0)
    duty.do_if_due()
    duty.call()

    assert times_done(duty, clock, 1, 599, 600) == [600]


def test_what_has_more_to_do_goes_on_after_its_pause(clock: Clock) -> None:
    duty = Duty("seal", lambda: True, 5.0, gap=1.0, pause=0.1)

    assert times_done(duty, clock, 0, 0.05, 0.1, 0.15, 0.2) == [0, 0.1, 0.2]


@pytest.mark.parametrize("call", [Duty.call, lambda _duty: None], ids=["called", "not called"])
def test_after_a_fault_a_duty_is_tried_again_soon_and_not_at_once(
    clock: Clock, call: Callable[[Duty], None]
) -> None:
    logging.disable(logging.CRITICAL)
    duty = Duty("send", fails, 600.0, gap=0.0)
    duty.do_if_due()
    call(duty)
    logging.disable(logging.NOTSET)

    assert times_done(duty, clock, 1, SECONDS_AFTER_A_FAULT) == [SECONDS_AFTER_A_FAULT]
