"""The number of a correction, which people tell on the phone."""

import re

import pytest

from app.domain.corrections import new_ticket, read_ticket


def test_a_ticket_is_eight_letters_without_vowels_and_another_one_each_time() -> None:
    tickets = {new_ticket() for _ in range(50)}

    assert len(tickets) == 50
    for ticket in tickets:
        assert re.fullmatch("PE(-[BCDFGHJKLMNPQRSTVWXZ]{4}){2}", ticket)


@pytest.mark.parametrize(
    "told", ["PE-WDJB-MJHT", "pe wdjb mjht", "wdjbmjht", "WDJB\u2011MJHT", "tiket PE-WDJB-MJHT."]
)
def test_a_ticket_is_read_as_somebody_says_it(told: str) -> None:
    assert read_ticket(told) == "PE-WDJB-MJHT"
