"""So many tries in a window, counted under a key; and what takes tries back."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.indonesian_time import WIT
from app.models.throttle_bucket import ThrottleBucket
from app.security import throttle
from app.security.throttle import Bucket, Counted, Limit, TooManyTries
from tests.unit.rows import NOW

WINDOW = timedelta(minutes=15)
LIMIT = Limit("of-this-test", 3, WINDOW)
OTHER_LIMIT = Limit("another", 3, WINDOW)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
FULL: list[Counted | TooManyTries] = [Counted()] * 3


def tries(
    session: Session, count: int, now: datetime = NOW, limit: Limit = LIMIT, key: str = "key"
) -> list[Counted | TooManyTries]:
    return [throttle.take(session, limit, key, now) for _ in range(count)]


def last_at(session: Session) -> datetime:
    return session.scalars(select(ThrottleBucket.last_at)).one()


def test_the_fourth_try_of_three_waits_until_the_window_of_the_first_is_over(session: Session) -> None:
    assert tries(session, 2) + tries(session, 1, NOW + MINUTE) == FULL

    assert tries(session, 1, NOW + MINUTE) == [TooManyTries(14 * 60)]
    assert tries(session, 1, NOW + WINDOW - SECOND) == [TooManyTries(1)]
    assert tries(session, 1, NOW + WINDOW) == [Counted()]


def test_a_new_window_begins_with_its_own_first_try(session: Session) -> None:
    tries(session, 4)
    later = NOW + WINDOW + MINUTE

    assert tries(session, 3, later) == FULL
    assert tries(session, 1, later + MINUTE) == [TooManyTries(14 * 60)]
    assert tries(session, 1, later + WINDOW - SECOND) == [TooManyTries(1)]


def test_a_moment_is_the_same_in_every_time_zone(session: Session) -> None:
    tries(session, 3, NOW.astimezone(WIT))

    assert tries(session, 1, NOW + MINUTE) == [TooManyTries(14 * 60)]
    assert tries(session, 1, (NOW + WINDOW).astimezone(WIT)) == [Counted()]
    assert last_at(session) == NOW + WINDOW


def test_each_key_and_each_limit_is_counted_for_itself(session: Session) -> None:
    tries(session, 4)

    assert tries(session, 1, key="other") == tries(session, 1, limit=OTHER_LIMIT) == [Counted()]
    assert throttle.take(session, LIMIT, ("key", "line"), NOW) == Counted()


def test_a_row_is_as_old_as_its_last_try_that_was_not_refused(session: Session) -> None:
    """Housekeeping goes by this moment."""
    tries(session, 2)
    tries(session, 1, NOW + MINUTE)
    assert last_at(session) == NOW + MINUTE

    tries(session, 1, NOW + 2 * MINUTE)
    assert last_at(session) == NOW + MINUTE
    tries(session, 1, NOW + WINDOW)
    assert last_at(session) == NOW + WINDOW


def test_one_may_ask_until_when_a_key_is_refused_and_counts_nothing(session: Session) -> None:
    def until(now: datetime) -> datetime | None:
        return throttle.refused_until(session, LIMIT, "key", now)

    tries(session, 2)
    assert [until(NOW) for _ in range(5)] == [None] * 5
    tries(session, 1)

    assert until(NOW + MINUTE) == until(NOW + WINDOW - SECOND) == NOW + WINDOW
    assert until(NOW + WINDOW) is None
    assert throttle.refused_until(session, LIMIT, "other", NOW) is None


def test_an_owner_is_forgiven_all_tries_and_nobody_else_is(session: Session) -> None:
    tries(session, 3)
    tries(session, 3, key="other")

    throttle.forget(session, LIMIT, "key")

    assert tries(session, 4) == [*FULL, TooManyTries(900)]
    assert tries(session, 1, key="other") == [TooManyTries(900)]


def test_a_try_that_was_never_made_is_given_back(session: Session) -> None:
    tries(session, 3)
    tries(session, 3, key="other")

    throttle.give_back(session, LIMIT, "key")

    assert tries(session, 2) == [Counted(), TooManyTries(900)]
    assert tries(session, 1, key="other") == [TooManyTries(900)]


def test_a_refused_try_is_not_counted(session: Session) -> None:
    tries(session, 6)

    throttle.give_back(session, LIMIT, "key")

    assert tries(session, 1) == [Counted()]


def test_no_more_is_given_back_than_was_taken(session: Session) -> None:
    throttle.give_back(session, LIMIT, "key")
    tries(session, 1)
    for _ in range(5):
        throttle.give_back(session, LIMIT, "key")

    assert tries(session, 4) == [*FULL, TooManyTries(900)]


@pytest.mark.parametrize(
    ("taken_at", "is_counted"), [(NOW, True), (NOW + MINUTE, True), (NOW - SECOND, False)]
)
def test_a_try_of_an_earlier_window_is_not_given_back(
    session: Session, taken_at: datetime, *, is_counted: bool
) -> None:
    tries(session, 3)

    throttle.give_back(session, LIMIT, "key", taken_at)

    assert tries(session, 1) == ([Counted()] if is_counted else [TooManyTries(900)])


# -- where limits meet
def test_a_bucket_is_held_without_a_try(session: Session) -> None:
    assert [throttle.lock_bucket(session, LIMIT, "key", NOW) for _ in range(5)] == [True] * 5
    tries(session, 2)
    assert throttle.lock_bucket(session, LIMIT, "key", NOW)
    tries(session, 1)

    assert not throttle.lock_bucket(session, LIMIT, "key", NOW + WINDOW - SECOND)
    assert tries(session, 1, NOW + MINUTE) == [TooManyTries(14 * 60)]
    assert throttle.lock_bucket(session, LIMIT, "key", NOW + WINDOW)
    assert tries(session, 4, NOW + WINDOW) == [*FULL, TooManyTries(900)]


def test_held_buckets_are_charged_together_or_not_at_all(session: Session) -> None:
    held: list[Bucket] = [(LIMIT, "key"), (OTHER_LIMIT, ("key", "line"))]
    for limit, key in held:
        throttle.lock_bucket(session, limit, key, NOW)
    throttle.lock_bucket(session, LIMIT, "not held", NOW)

    throttle.charge(session, held, NOW + MINUTE, is_charged=True)
    throttle.charge(session, held, NOW + MINUTE, is_charged=False)

    for limit, key in held:
        assert [throttle.take(session, limit, key, NOW) for _ in range(3)] == [*FULL[:2], TooManyTries(900)]
    assert tries(session, 4, key="not held") == [*FULL, TooManyTries(900)]


def test_a_charge_makes_a_row_young(session: Session) -> None:
    throttle.lock_bucket(session, LIMIT, "key", NOW)
    assert last_at(session) == NOW

    throttle.charge(session, [(LIMIT, "key")], NOW + MINUTE, is_charged=True)

    assert last_at(session) == NOW + MINUTE


def test_when_one_limit_refuses_no_other_counts(session: Session) -> None:
    small = Limit("small", 1, WINDOW)
    wanted: list[Bucket] = [(LIMIT, "key"), (small, "key")]

    assert [throttle.take_all(session, wanted, NOW) for _ in range(3)] == [True, False, False]

    assert tries(session, 3) == [*FULL[:2], TooManyTries(900)]


def test_a_site_has_ten_times_what_a_line_has() -> None:
    assert throttle.of_a_site("100 per 10 minutes") == "1000 per 10 minutes"
    assert throttle.of_a_site("20 per hour") == "200 per hour"
