"""Days, moments and spans as people read them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.indonesian_time import now, shown_date, shown_span, today_in_jakarta


def test_this_moment_is_told_with_its_zone() -> None:
    assert now().tzinfo is UTC


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        (date(2026, 1, 1), "1 Januari 2026"),
        (date(2026, 5, 22), "22 Mei 2026"),
        (date(2026, 12, 31), "31 Desember 2026"),
    ],
)
def test_a_day_is_shown_with_its_month_in_words(day: date, shown: str) -> None:
    assert shown_date(day) == shown


def test_a_day_begins_at_midnight_in_jakarta() -> None:
    midnight = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)

    assert today_in_jakarta(midnight) == date(2026, 11, 23)
    assert today_in_jakarta(midnight - timedelta(seconds=1)) == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(minutes=-5), "0 menit"),
        (timedelta(seconds=59), "0 menit"),
        (timedelta(minutes=1, seconds=59), "1 menit"),
        (timedelta(minutes=59), "59 menit"),
        (timedelta(minutes=60), "1 jam"),
        (timedelta(hours=47, minutes=59), "47 jam"),
        (timedelta(hours=48), "2 hari"),
        (timedelta(days=3, hours=23), "3 hari"),
    ],
)
def test_a_span_is_shown_in_its_largest_unit(span: timedelta, shown: str) -> None:
    assert shown_span(span) == shown
