"""The counters of client addresses in memory: exact, without a thread, and forgotten when they are old."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from app.runtime import counters
from app.runtime.counters import OwnMemory

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3600


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> OwnMemory:
    made = OwnMemory()
    monkeypatch.setattr(threading.Thread, "start", _started)
    return made


def _started(_thread: threading.Thread) -> None:
    raise AssertionError("a thread was started")


def test_a_count_starts_no_thread(memory: OwnMemory) -> None:
    assert [memory.acquire_entry("line", 3, HOUR) for _ in range(5)] == [True, True, True, False, False]
    assert memory.get_moving_window("line", 3, HOUR)[1] == 3
    memory.incr("line", HOUR)


def test_what_is_old_is_forgotten_and_a_limit_stays_as_it_was(
    memory: OwnMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "SECONDS_BETWEEN_SWEEPS", -1.0)  # at each count
    with time_machine.travel(START, tick=False) as clock:
        assert memory.acquire_entry("before", 1, HOUR)
        assert memory.acquire_entry("line", 2, HOUR)
        clock.shift(timedelta(minutes=40))
        assert memory.acquire_entry("line", 2, HOUR)
        assert not memory.acquire_entry("line", 2, HOUR)

        clock.shift(timedelta(minutes=21))  # the first of both is over
        assert memory.acquire_entry("line", 2, HOUR)
        assert not memory.acquire_entry("line", 2, HOUR)
        assert set(memory.events) == {"line"}

        clock.shift(timedelta(hours=2))
        assert memory.acquire_entry("after", 1, HOUR)
    assert set(memory.events) == {"after"}
    assert set(memory.locks) == {"after"}


def test_many_who_count_at_once_take_no_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "SECONDS_BETWEEN_SWEEPS", -1.0)
    memory = OwnMemory()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: memory.acquire_entry("line", 50, HOUR), range(400)))

    assert taken.count(True) == 50
