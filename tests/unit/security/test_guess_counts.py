"""Wrong passwords are counted one by one, and forgotten one by one."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.indonesian_time import WIT
from app.models.guess_bucket import GuessBucket
from app.security import guesses
from app.security.throttle import Counted, GuessLimit, TooManyTries
from tests.unit.rows import NOW

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
# Two at once, then after one minute, two, and four. One is forgotten in every four minutes.
DELAYS = (MINUTE, 2 * MINUTE, 4 * MINUTE)
LIMIT = GuessLimit("of-this-test", 2, DELAYS, 4 * MINUTE)
OTHER_LIMIT = GuessLimit("another", 2, DELAYS, 4 * MINUTE)


def guess(
    session: Session, minutes: float, limit: GuessLimit = LIMIT, key: str = "key"
) -> Counted | TooManyTries:
    return guesses.take(session, limit, key, NOW + minutes * MINUTE)


def until(session: Session, minutes: float) -> datetime | None:
    return guesses.refused_until(session, LIMIT, "key", NOW + minutes * MINUTE)


def test_the_waits_grow_with_the_guesses_and_shrink_with_each_that_is_forgotten(session: Session) -> None:
    guess(session, 0)
    for minutes, seconds in ((0, 60), (1, 120), (3, 120), (5, 180), (8, 240), (12, 240)):
        assert guess(session, minutes) == Counted()
        assert guess(session, minutes) == TooManyTries(seconds)
        assert guess(session, minutes + 0.5) == TooManyTries(seconds - 30)
        assert until(session, minutes) == NOW + minutes * MINUTE + seconds * SECOND


def test_a_guess_is_forgotten_in_its_time(session: Session) -> None:
    guess(session, 0)
    guess(session, 0)

    assert guess(session, 4) == Counted()
    assert guess(session, 4) == TooManyTries(60), "of two, not of three"


def test_whoever_rests_long_enough_begins_anew(session: Session) -> None:
    for minutes in (0, 0, 1, 5):
        guess(session, minutes)

    assert guess(session, 100) == guess(session, 100) == Counted()
    assert guess(session, 100) == TooManyTries(60)


def test_a_refused_guess_is_not_counted_and_prolongs_nothing(session: Session) -> None:
    guess(session, 0)
    guess(session, 0)
    for _ in range(10):
        guess(session, 0.9)

    assert guess(session, 1) == Counted()
    assert guess(session, 1) == TooManyTries(120)


def test_one_may_ask_until_when_and_counts_nothing(session: Session) -> None:
    assert until(session, 0) is None
    guess(session, 0)
    assert [until(session, 0) for _ in range(5)] == [None] * 5
    guess(session, 0)

    assert until(session, 0) == until(session, 0.9) == NOW + MINUTE
    assert until(session, 1) is None
    assert guesses.refused_until(session, LIMIT, "other", NOW) is None


def test_what_is_asked_is_what_is_stored_now(session: Session) -> None:
    guess(session, 0)
    guess(session, 0)
    session.scalars(select(GuessBucket)).one()  # the session keeps the row as it was
    guess(session, 1)

    assert until(session, 1) == NOW + 3 * MINUTE


def test_a_moment_is_the_same_in_every_time_zone(session: Session) -> None:
    for _ in range(2):
        guesses.take(session, LIMIT, "key", NOW.astimezone(WIT))
    assert guesses.take(session, LIMIT, "key", (NOW + MINUTE).astimezone(WIT)) == Counted()

    assert guess(session, 1) == TooManyTries(120)


def test_each_key_and_each_limit_is_counted_for_itself(session: Session) -> None:
    guess(session, 0)
    guess(session, 0)

    assert guess(session, 0, key="other") == guess(session, 0, limit=OTHER_LIMIT) == Counted()


def test_a_guess_that_is_taken_back_was_never_made(session: Session) -> None:
    for minutes in (0, 0):
        guess(session, minutes)
        guess(session, minutes, key="other")
    before = until(session, 0)
    assert guess(session, 1) == Counted()

    guesses.give_back(session, LIMIT, "key")

    assert until(session, 0) == before
    assert guess(session, 1) == Counted()
    assert guess(session, 1) == TooManyTries(120)
    assert guess(session, 1, key="other") == Counted()


def test_the_first_guess_of_all_is_taken_back_too(session: Session) -> None:
    guess(session, 0)
    guesses.give_back(session, LIMIT, "key")

    assert guess(session, 0) == guess(session, 0) == Counted()
    assert guess(session, 0) == TooManyTries(60)


def test_all_guesses_are_forgotten_at_a_new_password_and_those_at_others_stay(session: Session) -> None:
    for _ in range(2):
        guess(session, 0)
        guess(session, 0, key="other")

    guesses.forget(session, (LIMIT,), "key")

    assert guess(session, 0) == guess(session, 0) == Counted()
    assert guess(session, 0) == TooManyTries(60)
    assert guess(session, 0, key="other") == TooManyTries(60)


def test_a_row_is_as_old_as_its_last_guess_that_was_not_refused(session: Session) -> None:
    """Housekeeping goes by this moment."""
    for minutes in (0, 0, 0.5):
        guess(session, minutes)
    assert session.scalars(select(GuessBucket.last_at)).one() == NOW

    guess(session, 1)
    session.expire_all()
    assert session.scalars(select(GuessBucket.last_at)).one() == NOW + MINUTE
