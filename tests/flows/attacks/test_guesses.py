"""Nobody gets many guesses at a password, in whatever way they spread them over the day. What the portal says
about the wait is true."""

import secrets
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.runtime.db import unit_of_work
from app.security import guesses
from app.security.throttle import (
    LOGIN_IN_KNOWN_BROWSERS,
    LOGIN_IN_NEW_BROWSERS,
    Counted,
    GuessLimit,
    TooManyTries,
)

DAY = timedelta(days=1)
MOST_A_DAY = 105  # as the table of limits says, and the README
LIMITS = (LOGIN_IN_NEW_BROWSERS, LOGIN_IN_KNOWN_BROWSERS)
BEGINNING = datetime(2026, 3, 1, 7, tzinfo=UTC)
OWNER = "the owner logs in with the right password"
Move = timedelta | str
_moves = st.one_of(
    st.just(OWNER),
    st.timedeltas(timedelta(), timedelta(minutes=5)),
    st.sampled_from([timedelta(), timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=2)]),
)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with app.app_context(), unit_of_work() as opened:
        yield opened


def _let_through(session: Session, limit: GuessLimit, schedule: list[Move]) -> list[datetime]:
    """The moments of the guesses of somebody who goes on like this for more than a day. They make these
    pauses, and guess as soon afterwards as the portal allows."""
    key, now, made = secrets.token_hex(32), BEGINNING, []
    for move in islice(cycle(schedule), 250):
        now += move if isinstance(move, timedelta) else timedelta()
        now = max(now, guesses.refused_until(session, limit, key, now) or now)
        assert guesses.take(session, limit, key, now) == Counted()
        if move == OWNER:
            guesses.give_back(session, limit, key)
        else:
            made.append(now)
        if now > BEGINNING + 1.2 * DAY:
            break
    return made


def _most_in_a_day(made: list[datetime]) -> int:
    return max((bisect_left(made, moment + DAY) - number for number, moment in enumerate(made)), default=0)


# The schedules with the most guesses are tried on PostgreSQL too
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schedule=st.lists(_moves, min_size=1, max_size=6))
def test_no_schedule_gets_more_guesses_a_day_than_the_table_says(
    session: Session, schedule: list[Move]
) -> None:
    assert _most_in_a_day(_let_through(session, LOGIN_IN_NEW_BROWSERS, schedule)) <= MOST_A_DAY


@pytest.mark.parametrize("schedule", [[timedelta()], [timedelta(), OWNER]], ids=["alone", "with the owner"])
def test_the_busiest_guesser_comes_near_that_number_and_an_owner_who_logs_in_all_the_time_does_not_help(
    session: Session, schedule: list[Move]
) -> None:
    most = _most_in_a_day(_let_through(session, LOGIN_IN_NEW_BROWSERS, schedule))

    assert MOST_A_DAY - 5 <= most <= MOST_A_DAY


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.timedeltas(timedelta(), timedelta(minutes=20)), min_size=6, max_size=60))
def test_a_refused_try_is_told_the_second_at_which_it_is_let_through(
    session: Session, gaps: list[timedelta]
) -> None:
    limit, key, now = LOGIN_IN_NEW_BROWSERS, secrets.token_hex(32), BEGINNING
    for gap in gaps:
        now += gap / 10
        match guesses.take(session, limit, key, now):
            case TooManyTries(seconds):
                assert 1 <= seconds <= limit.delays[-1].total_seconds()
                too_early = guesses.take(session, limit, key, now + timedelta(seconds=seconds - 1))
                assert too_early == TooManyTries(1), "and one second earlier it is not"
                now += timedelta(seconds=seconds)
                assert guesses.refused_until(session, limit, key, now) is None
                assert guesses.take(session, limit, key, now) == Counted()
            case Counted():
                pass


def test_an_owner_who_errs_five_times_waits_a_minute(session: Session) -> None:
    for _ in range(5):
        assert guesses.take(session, LOGIN_IN_NEW_BROWSERS, "key", BEGINNING) == Counted()

    assert guesses.take(session, LOGIN_IN_NEW_BROWSERS, "key", BEGINNING) == TooManyTries(60)


def test_a_try_that_is_taken_back_leaves_everything_as_it_was(session: Session) -> None:
    for second in range(7):
        guesses.take(session, LOGIN_IN_NEW_BROWSERS, "key", BEGINNING + timedelta(minutes=second))
    before = guesses.refused_until(session, LOGIN_IN_NEW_BROWSERS, "key", BEGINNING + timedelta(minutes=6))
    assert before is not None
    for _ in range(3):
        assert guesses.take(session, LOGIN_IN_NEW_BROWSERS, "key", before) == Counted()
        guesses.give_back(session, LOGIN_IN_NEW_BROWSERS, "key")

    assert (
        guesses.refused_until(session, LOGIN_IN_NEW_BROWSERS, "key", before - timedelta(microseconds=1))
        == before
    )
    assert guesses.refused_until(session, LOGIN_IN_NEW_BROWSERS, "key", before) is None


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_the_delays_grow_and_a_try_is_not_remembered_for_less_time_than_the_longest(
    limit: GuessLimit,
) -> None:
    """The number of guesses a day depends on this."""
    assert list(limit.delays) == sorted(limit.delays)
    assert limit.forgets_one_in >= limit.delays[-1]
    remembered = limit.most + len(limit.delays) - 1

    assert remembered + DAY / limit.forgets_one_in == MOST_A_DAY
