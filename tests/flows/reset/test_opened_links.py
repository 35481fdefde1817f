"""A person who has opened the mailed link has proven the mailbox. They can go on even if their office has
used up its wrong tries."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.domain.indonesian_time import now
from tests.cast import BUDI, SARI, STRANGERS_NIP
from tests.inbox import Inbox, Mail
from tests.visitor import Visitor, words_of

OFFICE = "198.51.100.9"
NEW_PASSWORD = "Kuda-Laut7"
WRONG = "WDJB-MJHT"


@pytest.fixture
def budi(peopled: Flask) -> Visitor:
    return Visitor(peopled, OFFICE)


@pytest.fixture
def mail(budi: Visitor, inbox: Inbox) -> Mail:
    budi.ask_for_token(BUDI.nip, BUDI.email or "")
    return inbox.fetch_one()


def _use_up_the_office(app: Flask, page: str = "/reset-password") -> None:
    guesser = Visitor(app, OFFICE)
    token = guesser.csrf_token("/konfirmasi-reset-password")
    secret = {"token": WRONG, "password": NEW_PASSWORD}
    answers = [
        guesser.post(page, csrf_token=token, nip=f"1970010119950{number:05d}", **secret).status_code
        for number in range(101)
    ]
    assert answers == [422] * 100 + [429]


def _send(visitor: Visitor, **fields: str) -> int:
    token = visitor.csrf_token("/login")  # the page itself forgets a link that is over
    return visitor.post(
        "/reset-password", csrf_token=token, **{"password": NEW_PASSWORD, **fields}
    ).status_code


@pytest.mark.parametrize("page", ["/reset-password", "/login"])
def test_an_opened_link_resets_in_an_office_that_has_used_up_its_tries(
    peopled: Flask, budi: Visitor, mail: Mail, page: str
) -> None:
    _use_up_the_office(peopled, page)
    assert _send(budi, nip=BUDI.nip, token=mail.code) == 429, "a typed code is a try like others"

    assert budi.open(mail.link).status_code == 303
    page_shown = words_of(budi.open("/konfirmasi-reset-password"))
    assert "Token dari email sudah terisi" in page_shown
    assert _send(budi, nip="", token=mail.code) == 303

    assert budi.log_in(BUDI.nip, NEW_PASSWORD).status_code == 303, (
        "and from there the login is open, in this office too"
    )


@pytest.mark.parametrize(
    "spelling", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\n"]
)
def test_the_filled_in_code_may_be_spelled_otherwise(
    peopled: Flask, budi: Visitor, mail: Mail, spelling: object
) -> None:
    budi.open(mail.link)
    _use_up_the_office(peopled)

    assert _send(budi, nip=BUDI.nip, token=spelling(mail.code)) == 303  # type: ignore[operator]


def test_the_link_itself_may_be_pasted_where_it_was_opened(peopled: Flask, budi: Visitor, mail: Mail) -> None:
    budi.open(mail.link)
    _use_up_the_office(peopled)

    assert _send(budi, nip="", token=mail.link) == 303


def test_the_holder_of_a_link_does_not_guess_at_other_codes_or_other_nips(
    peopled: Flask, budi: Visitor, mail: Mail, inbox: Inbox
) -> None:
    Visitor(peopled).ask_for_token(SARI.nip, SARI.email or "")
    code_of_sari = inbox.fetch_one().code
    budi.open(mail.link)
    _use_up_the_office(peopled)

    for nip in (SARI.nip, STRANGERS_NIP, "x"):
        for token in (WRONG, code_of_sari, mail.code, mail.link):
            assert _send(budi, nip=nip, token=token) == 429, (nip, token)
    for token in (WRONG, code_of_sari, "", "x", f"{mail.code}B"):
        assert _send(budi, nip=BUDI.nip, token=token) == 429, token
        assert _send(budi, nip="", token=token) == 429, token


@pytest.mark.usefixtures("peopled")
def test_wrong_codes_beside_an_opened_link_are_counted_for_the_office(budi: Visitor, mail: Mail) -> None:
    budi.open(mail.link)
    token = budi.csrf_token("/konfirmasi-reset-password")
    fields = {"csrf_token": token, "token": WRONG, "password": NEW_PASSWORD}
    answers = [
        budi.post("/reset-password", nip=f"1970010119950{n:05d}", **fields).status_code for n in range(101)
    ]

    assert answers == [422] * 100 + [429]


def test_a_link_that_opens_no_more_is_no_proof(peopled: Flask, budi: Visitor, mail: Mail) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        budi.open(mail.link)
        elsewhere = Visitor(peopled)
        elsewhere.open(mail.link)
        assert _send(elsewhere, nip="", token=mail.code) == 303
        _use_up_the_office(peopled)
        assert _send(budi, nip=BUDI.nip, token=mail.code) == 429, "used"

        clock.shift(timedelta(minutes=11))
        assert _send(budi, nip=BUDI.nip, token=mail.code) == 422


def test_a_link_that_is_too_old_is_no_proof(peopled: Flask, budi: Visitor, mail: Mail) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        budi.open(mail.link)
        clock.shift(timedelta(minutes=61))
        _use_up_the_office(peopled)

        assert _send(budi, nip=BUDI.nip, token=mail.code) == 429


def test_a_link_with_another_signature_opens_nothing(peopled: Flask, budi: Visitor, mail: Mail) -> None:
    # The first letter of the signature is changed, because some bits of the last one mean nothing
    start, signature = mail.link.rsplit(".", 1)
    forged = f"{start}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    assert budi.open(forged).status_code == 404
    _use_up_the_office(peopled)

    assert _send(budi, nip=BUDI.nip, token=mail.code) == 429
