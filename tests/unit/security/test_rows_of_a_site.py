"""An owner of many IPv6 lines gets so many rows a minute for each tag, and after them one row for all."""

import logging
from datetime import timedelta

import pytest

from app.domain.act import Act
from app.domain.client import Client
from app.models.audit_event import Tag
from app.security.once_a_minute import A_MINUTE, MOST_KEPT, ROWS_OF_A_SITE, OnceAMinute
from tests.unit.rows import NOW

TAG, OTHER_TAG = Tag.LOGIN_THROTTLED, Tag.TOKEN_THROTTLED
SECOND = timedelta(seconds=1)


def from_line(number: int, site: int = 1, after: timedelta = timedelta()) -> Act[None]:
    return Act(Client(f"2001:db8:{site:x}:{number:x}::1", "x", "1"), NOW + after, None)


@pytest.fixture
def door() -> OnceAMinute:
    """A site has had all its rows."""
    made = OnceAMinute()
    for number in range(ROWS_OF_A_SITE):
        assert made.let_through(TAG, "a", from_line(number)) == 0
    return made


def test_after_its_rows_a_site_gets_one_more_whatever_it_is_about(door: OnceAMinute) -> None:
    assert door.let_through(TAG, "b", from_line(100)) == 0
    assert [door.let_through(TAG, about, from_line(101)) for about in ("c", "d", "")] == [None] * 3

    assert door.let_through(TAG, "a", from_line(1)) is None, "a line that had a row of its own"
    assert door.let_through(TAG, "e", from_line(102, after=A_MINUTE)) == 0, "a line again, a minute later"


def test_the_row_for_all_says_how_many_were_left_out(door: OnceAMinute) -> None:
    for number in range(5):
        door.let_through(TAG, "b", from_line(100 + number, after=50 * SECOND))
    for number in range(ROWS_OF_A_SITE):
        door.let_through(TAG, "a", from_line(200 + number, after=A_MINUTE))

    assert door.let_through(TAG, "c", from_line(300, after=110 * SECOND)) == 4


def test_another_site_and_another_tag_have_their_own_rows(door: OnceAMinute) -> None:
    door.let_through(TAG, "b", from_line(100))

    assert door.let_through(TAG, "b", from_line(100, site=2)) == 0
    assert door.let_through(TAG, "c", from_line(100, site=2)) == 0
    assert door.let_through(OTHER_TAG, "b", from_line(100)) == 0
    assert door.let_through(OTHER_TAG, "c", from_line(100)) == 0


def test_rows_that_were_left_out_of_a_line_are_not_counted_for_its_site() -> None:
    door = OnceAMinute()
    for _ in range(ROWS_OF_A_SITE * 2):
        door.let_through(TAG, "a", from_line(1))

    assert [door.let_through(TAG, about, from_line(2)) for about in ("b", "c")] == [0, 0]


def test_the_minute_of_a_site_begins_with_its_first_row() -> None:
    door = OnceAMinute()
    for number in range(ROWS_OF_A_SITE):
        door.let_through(TAG, "a", from_line(number, after=number * SECOND / 2))

    assert door.let_through(TAG, "b", from_line(100, after=A_MINUTE - SECOND)) == 0
    assert door.let_through(TAG, "c", from_line(101, after=A_MINUTE - SECOND)) is None
    assert [door.let_through(TAG, one, from_line(102, after=A_MINUTE)) for one in ("d", "e")] == [0, 0]


def test_of_very_many_sites_the_oldest_is_forgotten() -> None:
    door = OnceAMinute()
    for site in range(MOST_KEPT):
        door.let_through(TAG, "a", from_line(1, site=site))
    for number in range(ROWS_OF_A_SITE):
        assert door.let_through(TAG, "a", from_line(number, site=MOST_KEPT)) == 0

    answers = [door.let_through(TAG, about, from_line(100, site=MOST_KEPT)) for about in ("b", "c")]

    assert answers == [0, None]


def test_an_ipv4_line_is_a_site_of_its_own_and_counts_every_thing_for_itself() -> None:
    door, act = OnceAMinute(), Act(Client("203.0.113.7", "x", "1"), NOW, None)

    assert {door.let_through(TAG, str(number), act) for number in range(3 * ROWS_OF_A_SITE)} == {0}


def test_what_is_left_out_is_a_line_of_the_log(door: OnceAMinute, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "portal.trail"):
        door.let_through(TAG, "b", from_line(100))
        assert not caplog.records
        door.let_through(TAG, "c", from_line(100))

    (record,) = caplog.records
    assert record.getMessage() == "left out of the trail"
    assert record.__dict__["fields"] == {"tag": TAG.value, "line": "2001:0db8:0001:*"}
