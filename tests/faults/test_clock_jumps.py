"""A clock that jumps by an hour, either way: no token is lost, and nobody waits longer than the jump."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.domain.indonesian_time import now
from app.models.mail_fault import CONNECTION_RESTS
from app.models.outbox_mail import LEASE, MailState
from app.worker.sealing import seal_what_is_new
from tests.cast import BUDI, NEW_PASSWORD, PASSWORD, SARI, email_of
from tests.faults.post_office import PostOffice
from tests.faults.smtp_server import MailServer
from tests.inbox import Inbox, Mail
from tests.visitor import Visitor, logged_in

AN_HOUR = timedelta(hours=1)
MOMENT = timedelta(seconds=1)
JUMPS = pytest.mark.parametrize("jump", [AN_HOUR, -AN_HOUR], ids=["ahead", "back"])
STEPS = (
    "the form is open",
    "asked",
    "the letter has left",
    "the link is open",
    "the password is set",
    "at home",
)


@JUMPS
@pytest.mark.parametrize("step", STEPS)
def test_a_person_activates_although_the_clock_jumps(
    visitor: Visitor, inbox: Inbox, jump: timedelta, step: str
) -> None:
    """They do not wait. If a token is too old by the clock, or has not left yet, they ask for another."""
    with time_machine.travel(now(), tick=False) as clock:

        def go_on(done: str) -> None:
            clock.shift(jump if done == step else MOMENT)

        form = visitor.open("/lupa-password")
        go_on("the form is open")
        assert visitor.submit(form, nip=BUDI.nip, email=email_of(BUDI)).status_code == 303
        go_on("asked")
        letters = inbox.fetch()
        if not letters:
            letters = [_asked_anew(visitor, inbox)]
        go_on("the letter has left")
        if visitor.open(letters[-1].link).location != "/konfirmasi-reset-password":
            letters = [_asked_anew(visitor, inbox)]
            visitor.open(letters[-1].link)
        go_on("the link is open")
        has_form = 'action="/reset-password"' in visitor.open("/konfirmasi-reset-password").text
        if not has_form or visitor.reset_password(letters[-1].code, NEW_PASSWORD).status_code != 303:
            visitor.reset_password(_asked_anew(visitor, inbox).code, NEW_PASSWORD)
        go_on("the password is set")
        assert visitor.log_in(BUDI.nip, NEW_PASSWORD).status_code == 303
        go_on("at home")
        if not visitor.is_logged_in():  # by the clock, the session was idle for an hour
            visitor.log_in(BUDI.nip, NEW_PASSWORD)
        assert visitor.is_logged_in()


def _asked_anew(visitor: Visitor, inbox: Inbox) -> Mail:
    assert visitor.ask_for_token(BUDI.nip, email_of(BUDI)).status_code == 303
    return inbox.fetch_one(email_of(BUDI))


@JUMPS
def test_a_token_opens_when_the_clock_is_right_again(visitor: Visitor, inbox: Inbox, jump: timedelta) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.ask_for_token(BUDI.nip, email_of(BUDI))
        token = inbox.fetch_one(email_of(BUDI)).code
        clock.shift(jump)
        visitor.open("/konfirmasi-reset-password")
        clock.shift(-jump)

        assert visitor.reset_password(token, NEW_PASSWORD, nip=BUDI.nip).status_code == 303


@JUMPS
def test_who_is_logged_in_is_so_when_the_clock_is_right_again(peopled: Flask, jump: timedelta) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor = logged_in(peopled, SARI)
        clock.shift(jump)
        assert visitor.is_logged_in() == (jump < timedelta())
        clock.shift(-jump)

        assert visitor.is_logged_in()


def test_who_may_not_try_again_waits_no_longer_than_the_jump_and_the_usual_wait(
    visitor: Visitor, inbox: Inbox
) -> None:
    """The clock was an hour ahead when all of this was counted."""
    longest = {"/login": 60, "/konfirmasi-reset-password": 15 * 60, "kirim-ulang": 60}
    with time_machine.travel(now() + AN_HOUR, tick=False) as clock:
        visitor.ask_for_token(BUDI.nip, email_of(BUDI))
        token = inbox.fetch_one(email_of(BUDI)).code
        for _ in range(5):
            visitor.log_in(SARI.nip, "Salah-1")
            visitor.reset_password("WWWW-WWWW", NEW_PASSWORD)
        clock.shift(-AN_HOUR)

        refused = {
            "/login": visitor.log_in(SARI.nip, PASSWORD),
            "/konfirmasi-reset-password": visitor.reset_password(token, NEW_PASSWORD),
            "kirim-ulang": visitor.post_with_token(
                "/konfirmasi-reset-password", "/konfirmasi-reset-password/kirim-ulang"
            ),
        }
        for what, answer in refused.items():
            assert answer.status_code == 429, what
            assert int(answer.headers["Retry-After"]) <= longest[what] + AN_HOUR.total_seconds(), what
        clock.shift(AN_HOUR + timedelta(minutes=15))
        assert visitor.log_in(SARI.nip, PASSWORD).status_code == 303


@JUMPS
def test_a_letter_in_the_hand_of_a_worker_arrives(
    office: PostOffice, server: MailServer, jump: timedelta
) -> None:
    """The worker lives, and settles the letter although the others may take it for dead; or it has died, and
    they take it over when its lease is over."""
    with time_machine.travel(now(), tick=False) as clock:
        office.budi_asks()
        office.begin_and_die()
        clock.shift(jump)
        office.keep_house()
        office.deliver()
        clock.shift(max(timedelta(), -jump) + LEASE + MOMENT)
        office.keep_house()
        office.deliver()

    assert office.mail().state is MailState.SENT
    assert len({arrival.message_id for arrival in server.taken}) == 1


@JUMPS
def test_letters_rest_no_longer_than_the_jump(
    office: PostOffice, server: MailServer, jump: timedelta
) -> None:
    """A server that was away when the clock was wrong."""
    with time_machine.travel(now(), tick=False) as clock:
        server.stop()
        office.budi_asks()
        office.deliver()
        server.start()
        clock.shift(jump)
        office.deliver()
        clock.shift(max(timedelta(), -jump) + CONNECTION_RESTS[0])
        office.deliver()

    assert office.mail().state is MailState.SENT


@JUMPS
def test_what_was_done_under_a_wrong_clock_is_sealed(peopled: Flask, jump: timedelta) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        Visitor(peopled).log_in(SARI.nip)
        _seal(peopled)
        clock.shift(jump)
        Visitor(peopled).log_in(SARI.nip)
        _seal(peopled)
        clock.shift(MOMENT - jump)
        Visitor(peopled).log_in(SARI.nip)
        clock.shift(AN_HOUR)
        _seal(peopled)

    assert peopled.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 0


def _seal(app: Flask) -> None:
    with app.app_context():
        while seal_what_is_new():
            pass
