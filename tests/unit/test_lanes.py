"""Who gets a place before the threads of a lane, and who is refused."""

import threading
from dataclasses import dataclass, field
from time import monotonic

import pytest

from app.runtime import lanes
from app.runtime.lanes import SHARE_OF_STRANGERS, Known, Lane, LaneSize

SECONDS = 10.0


@dataclass(eq=False)
class Person:
    """Somebody whose request is here. It says what became of it."""

    arrived_at: float = field(default_factory=monotonic)
    is_gone: bool = False
    became: str = "waits"
    is_done: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event | None = None

    def has_left(self) -> bool:
        return self.is_gone

    def serve(self) -> None:
        self._end("served")
        if self.may_end:
            assert self.may_end.wait(SECONDS)

    def refuse(self) -> None:
        self._end("refused")

    def let_go(self) -> None:
        self._end("let go")

    def _end(self, became: str) -> None:
        self.became = became
        self.is_done.set()


def stranger() -> None:
    return None


def known(name: str) -> Known:
    return Known(name, 1.0)


@pytest.fixture
def lane() -> Lane:
    """A lane of one thread, which has not started: whoever gets a place waits."""
    return Lane("test", LaneSize(1, 1.5))


def filled(lane: Lane) -> list[Person]:
    """Strangers take all places that are open to them."""
    waiting: list[Person] = []
    while lane.takes(person := Person(), stranger):
        waiting.append(person)
    return waiting


def test_no_more_wait_than_can_be_served_soon(lane: Lane) -> None:
    waiting = filled(lane)

    assert len(waiting) == int(lane.most * SHARE_OF_STRANGERS) < lane.most
    assert lane.refused == 1


def test_a_slow_lane_has_a_short_queue_and_never_a_long_one(lane: Lane) -> None:
    lane._seconds_each = 60.0
    assert lane.most == 2
    lane._seconds_each = 1e-6
    assert lane.most == lanes.MOST_IN_QUEUE


def test_places_are_kept_free_for_known_browsers_one_for_each(lane: Lane) -> None:
    filled(lane)

    assert lane.takes(Person(), lambda: known("Sari"))
    assert not lane.takes(Person(), lambda: known("Sari")), "a copy of the cookie brings nothing"
    assert lane.takes(Person(), lambda: known("Wati"))
    assert not lane.takes(Person(), stranger)


def test_who_only_asked_for_a_token_does_not_take_the_last_places(lane: Lane) -> None:
    filled(lane)
    asked = (Known(f"request {number}", 5 / 6) for number in range(lane.most))
    while lane.takes(Person(), lambda: next(asked)):
        pass

    assert len(lane) == int(lane.most * 5 / 6)
    assert lane.takes(Person(), lambda: known("Sari"))


def test_who_has_left_makes_room(lane: Lane) -> None:
    gone, *others = filled(lane)
    gone.is_gone = True
    lane._last_look = 0.0  # as if the last look was a while ago

    assert lane.takes(Person(), stranger)

    assert gone.became == "let go"
    assert {person.became for person in others} == {"waits"}


def test_who_has_left_is_not_served_and_who_waited_too_long_is_refused(lane: Lane) -> None:
    gone, late, person = Person(is_gone=True), Person(arrived_at=0.0), Person()
    for one in (gone, late, person):
        assert lane.takes(one, stranger)

    lane.start()

    assert all(one.is_done.wait(SECONDS) for one in (gone, late, person))
    assert (gone.became, late.became, person.became) == ("let go", "refused", "served")
    lane.end()
    lane.join(monotonic() + SECONDS)


def test_nobody_waits_for_long_behind_a_thread_that_stands_still(lane: Lane) -> None:
    may_end = threading.Event()
    standing = Person(may_end=may_end)
    lane.takes(standing, stranger)
    lane.start()
    assert standing.is_done.wait(SECONDS)
    late, other = Person(arrived_at=0.0), Person()
    assert lane.takes(late, stranger)
    assert lane.takes(other, stranger)

    lane.refuse_late()

    assert (late.became, other.became) == ("refused", "waits")
    lane.end()
    assert other.became == "refused", "at the end, those who wait are told so"
    assert not lane.takes(Person(), lambda: known("Sari"))
    may_end.set()
    lane.join(monotonic() + SECONDS)


def test_a_thread_goes_on_after_an_accident(lane: Lane) -> None:
    class Broken(Person):
        def serve(self) -> None:
            raise ZeroDivisionError

    person = Person()
    lane.takes(Broken(), stranger)
    lane.takes(person, stranger)

    lane.start()

    assert person.is_done.wait(SECONDS)
    lane.end()
    lane.join(monotonic() + SECONDS)
