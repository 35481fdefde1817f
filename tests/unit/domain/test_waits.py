"""How long somebody is told to wait: rounded up, so that nobody comes back too early."""

from datetime import timedelta

import pytest

from app.domain.waits import whole_minutes, whole_seconds


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        (timedelta(seconds=-3), 0),
        (timedelta(), 0),
        (timedelta(microseconds=1), 1),
        (timedelta(seconds=1), 1),
        (timedelta(seconds=59, microseconds=1), 60),
    ],
)
def test_seconds_are_whole(span: timedelta, seconds: int) -> None:
    assert whole_seconds(span) == seconds


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 0), (1, 1), (60, 1), (61, 2), (900, 15)])
def test_minutes_are_whole(seconds: int, minutes: int) -> None:
    assert whole_minutes(seconds) == minutes
