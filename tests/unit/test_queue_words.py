"""What an admin types into the queue."""

from datetime import timedelta

import pytest

from app.domain.corrections import Age
from app.web.queue_filter import is_ticket


@pytest.mark.parametrize("typed", ["PE-WDJB-MJHT", "pe wdjb mjht", "wdjbmjht", " WDJB-MJHT "])
def test_a_ticket_however_it_is_read_out(typed: str) -> None:
    assert is_ticket(typed)


@pytest.mark.parametrize(
    "typed", ["", "joko prabowo", "198211032006041003", "wdjb", "pe-wdjb-mjhta", "Yayuk"]
)
def test_a_name_or_a_nip_is_no_ticket(typed: str) -> None:
    assert not is_ticket(typed)


@pytest.mark.parametrize(
    ("hours", "age"),
    [
        (-1, Age.FRESH),
        (0, Age.FRESH),
        (3.99, Age.FRESH),
        (4, Age.SOME_HOURS),
        (12, Age.NEARLY_LATE),
        (24, Age.LATE),
    ],
)
def test_every_wait_is_in_one_band(hours: float, age: Age) -> None:
    assert Age.of(timedelta(hours=hours)) is age
