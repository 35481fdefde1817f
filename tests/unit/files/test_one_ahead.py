"""The next rows are made while the rows before are worked on, and nothing else changes."""

from collections.abc import Iterator
from contextlib import closing
from threading import Event

import pytest

from app.files.one_ahead import one_ahead
from app.files.table import UnreadableFile

SECONDS = 10.0


def test_all_values_come_in_their_order() -> None:
    with closing(one_ahead(iter(range(1, 100)))) as values:
        assert list(values) == list(range(1, 100))


def test_the_next_value_is_made_meanwhile_and_no_other() -> None:
    second_is_made, third_is_made = Event(), Event()

    def source() -> Iterator[str]:
        yield "first"
        second_is_made.set()
        yield "second"
        third_is_made.set()
        yield "third"

    with closing(one_ahead(source())) as values:
        assert next(values) == "first"
        assert second_is_made.wait(SECONDS)
        assert not third_is_made.wait(0.05)
        assert list(values) == ["second", "third"]


def test_a_fault_of_the_file_comes_after_the_rows_before_it() -> None:
    def source() -> Iterator[str]:
        yield "first"
        raise UnreadableFile("Baris 2 rusak.")

    with closing(one_ahead(source())) as values:
        assert next(values) == "first"
        with pytest.raises(UnreadableFile):
            next(values)


def test_who_stops_early_waits_for_the_thread() -> None:
    is_going_on, made = Event(), []

    def source() -> Iterator[str]:
        yield "first"
        is_going_on.wait(SECONDS)
        made.append("second")
        yield "second"

    with closing(one_ahead(source())) as values:
        next(values)
        is_going_on.set()

    assert made == ["second"]
