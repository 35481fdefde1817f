"""What anybody can repeat at no cost becomes one event a minute, and nobody can hide behind the events of
another person."""

from datetime import timedelta

from app.domain.act import Act
from app.domain.client import Client
from app.domain.indonesian_time import now
from app.models.audit_event import Tag
from app.security.once_a_minute import MOST_KEPT, OnceAMinute

HERE, THERE = Client("203.0.113.7", "x", "1"), Client("203.0.113.8", "x", "2")


def test_the_next_row_says_how_many_were_left_out() -> None:
    door, moment = OnceAMinute(), now()

    assert [door.let_through(Tag.LOGIN_THROTTLED, "a", Act(HERE, moment, None)) for _ in range(4)] == [
        0,
        None,
        None,
        None,
    ]
    assert door.let_through(Tag.LOGIN_THROTTLED, "a", Act(HERE, moment + timedelta(seconds=60), None)) == 3
    assert door.let_through(Tag.LOGIN_THROTTLED, "a", Act(HERE, moment + timedelta(seconds=180), None)) == 0


def test_nobody_hides_behind_the_noise_of_another() -> None:
    door, moment = OnceAMinute(), now()
    door.let_through(Tag.LOGIN_THROTTLED, "a", Act(HERE, moment, None))

    assert door.let_through(Tag.LOGIN_THROTTLED, "b", Act(HERE, moment, None)) == 0, "about another NIP"
    assert door.let_through(Tag.LOGIN_THROTTLED, "a", Act(THERE, moment, None)) == 0, "over another line"
    assert door.let_through(Tag.TOKEN_THROTTLED, "a", Act(HERE, moment, None)) == 0, "under another tag"
    subscriber = [Client(f"2001:db8::{number}", "x", "1") for number in (1, 2)]
    assert [door.let_through(Tag.FORM_REFUSED, "", Act(one, moment, None)) for one in subscriber] == [
        0,
        None,
    ], "one IPv6 line"
    mapped = [Client(f"::ffff:203.0.113.{number}", "x", "1") for number in (9, 10)]
    assert [door.let_through(Tag.FORM_REFUSED, "", Act(one, moment, None)) for one in mapped] == [0, 0], (
        "two IPv4 lines"
    )


def test_the_doors_memory_is_bounded_and_a_clock_put_back_hides_nothing() -> None:
    door, moment = OnceAMinute(), now()
    for number in range(MOST_KEPT + 10):
        door.let_through(Tag.FORM_REFUSED, str(number), Act(HERE, moment, None))

    assert len(door._written) == MOST_KEPT
    assert door.let_through(Tag.FORM_REFUSED, "0", Act(HERE, moment, None)) == 0
    assert (
        door.let_through(Tag.FORM_REFUSED, str(MOST_KEPT), Act(HERE, moment - timedelta(hours=1), None)) == 0
    )
