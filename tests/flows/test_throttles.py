"""Limits slow guessing and floods down; nobody is locked out by a stranger."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.domain.indonesian_time import now
from tests.cast import BUDI, CINTA, PASSWORD, RAKA, SARI, STRANGERS_NIP
from tests.conftest import MakeApp, people
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

SPELLINGS = (
    "198503122010012001",
    "19850312 201001 2 001",
    "19850312.201001.2.001",
    " 198503122010012001\u200b",
    "19850312-201001-2-001",
)


def _guess(visitor: Visitor, nip: str, times: int) -> list[int]:
    return [visitor.log_in(nip, f"Salah-Sekali-{number}").status_code for number in range(times)]


@pytest.mark.parametrize("nip", [SARI.nip, CINTA.nip, STRANGERS_NIP])
def test_the_sixth_wrong_password_has_to_wait_whoever_it_is(visitor: Visitor, nip: str) -> None:
    assert _guess(visitor, nip, 5) == [422] * 5

    refused = visitor.log_in(nip, "Salah-Sekali-6")

    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert "Coba lagi sekitar 1 menit lagi" in words_of(refused) and nip in refused.text


def test_the_delay_grows_to_fifteen_minutes_and_one_try_is_forgotten_in_that_time(visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        _guess(visitor, SARI.nip, 5)
        for minutes in (1, 2, 4, 8, 8, 8, 14, 15, 15):
            assert int(visitor.log_in(SARI.nip, "Salah-1").headers["Retry-After"]) == minutes * 60
            clock.shift(timedelta(minutes=minutes, seconds=-1))
            assert visitor.log_in(SARI.nip, "Salah-1").status_code == 429
            clock.shift(timedelta(seconds=1))
            assert visitor.log_in(SARI.nip, "Salah-1").status_code == 422

        clock.shift(timedelta(hours=2, minutes=15))

        assert _guess(visitor, SARI.nip, 6) == [422] * 5 + [429], "by then the nine that were remembered are forgotten"


def test_four_wrong_passwords_every_five_minutes_meet_a_delay(visitor: Visitor) -> None:
    """They were 1,152 guesses a day as long as a window forgot them all at once."""
    with time_machine.travel(now(), tick=False) as clock:
        answers = []
        for _ in range(6):
            answers += _guess(visitor, SARI.nip, 4)
            clock.shift(timedelta(minutes=5, seconds=1))

        assert answers.count(422) <= 5 + 6


def test_spelling_the_nip_otherwise_does_not_help(visitor: Visitor) -> None:
    assert [_guess(visitor, spelling, 1) for spelling in SPELLINGS] == [[422]] * 5

    assert visitor.log_in(SARI.nip, PASSWORD).status_code == 429


def test_logging_in_to_another_account_does_not_help(visitor: Visitor) -> None:
    _guess(visitor, SARI.nip, 5)

    assert visitor.log_in(RAKA.nip, PASSWORD).status_code == 303
    visitor.submit("/beranda", "/logout")

    assert visitor.log_in(SARI.nip, "Salah-Sekali-1").status_code == 429


def test_a_stranger_who_guesses_cannot_lock_sari_out_of_her_own_browser(peopled: Flask, visitor: Visitor) -> None:
    her_own = logged_in(peopled, SARI)
    her_own.submit("/beranda", "/logout")
    assert _guess(visitor, SARI.nip, 6)[-1] == 429

    assert her_own.log_in(SARI.nip).status_code == 303

    assert visitor.log_in(SARI.nip, PASSWORD).status_code == 429, "her login does not free the stranger"


def test_a_made_up_device_cookie_is_worth_nothing(visitor: Visitor) -> None:
    _guess(visitor, SARI.nip, 5)

    visitor.client.set_cookie("perangkat", "eyJhIjoiYiJ9.c2lnbmF0dXJl", domain="localhost")

    assert visitor.log_in(SARI.nip).status_code == 429


def test_a_right_password_is_no_guess_and_what_was_guessed_stays_counted(peopled: Flask) -> None:
    """Else every login of hers would give five tries more to who guesses."""
    guesser = Visitor(peopled)
    assert _guess(guesser, SARI.nip, 4) == [422] * 4
    for _ in range(3):
        assert Visitor(peopled).log_in(SARI.nip).status_code == 303

    assert _guess(guesser, SARI.nip, 2) == [422, 429]


def test_the_right_password_of_who_may_not_enter_is_no_guess_either(visitor: Visitor) -> None:
    for _ in range(7):
        assert visitor.log_in(CINTA.nip).location == "/status-akun"


def test_a_reset_frees_the_login_that_wrong_tries_had_slowed_down(visitor: Visitor, inbox: Inbox) -> None:
    _guess(visitor, SARI.nip, 6)
    visitor.ask_for_token(SARI.nip, SARI.email or "")

    visitor.reset_password(inbox.fetch_one().code, "Kuda-Laut7")

    assert visitor.log_in(SARI.nip, "Kuda-Laut7").status_code == 303


def test_an_operator_can_unlock_a_nip(peopled: Flask, visitor: Visitor) -> None:
    _guess(visitor, SARI.nip, 6)

    assert peopled.test_cli_runner().invoke(args=["unlock", SARI.nip]).exit_code == 0

    assert visitor.log_in(SARI.nip).status_code == 303


def test_the_sixth_wrong_code_waits_and_the_mailed_link_does_not(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    mail = inbox.fetch_one()
    stranger = Visitor(peopled)
    wrong = [stranger.reset_password("WDJB-MJHT", "Kuda-Laut7", nip=BUDI.nip).status_code for _ in range(6)]
    assert wrong == [422] * 5 + [429]

    typed = visitor.reset_password(mail.code, "Kuda-Laut7")
    assert typed.status_code == 429 and "Buka tautan di email" in words_of(typed)

    visitor.open(mail.link)
    assert visitor.reset_password(mail.code, "Kuda-Laut7").status_code == 303


@pytest.mark.parametrize("nip", [BUDI.nip, STRANGERS_NIP])
def test_wrong_codes_are_counted_for_nips_of_nobody_too(visitor: Visitor, nip: str) -> None:
    codes = [visitor.reset_password("WDJB-MJHT", "Kuda-Laut7", nip=nip).status_code for _ in range(6)]

    assert codes == [422] * 5 + [429]


def test_three_mails_an_hour_go_to_one_typed_address(visitor: Visitor, inbox: Inbox) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for nip in (BUDI.nip, SARI.nip, STRANGERS_NIP, CINTA.nip):
            assert visitor.ask_for_token(nip, "Orang@contoh.example").status_code == 303
        assert len(inbox.fetch()) == 3

        clock.shift(timedelta(hours=1))
        visitor.ask_for_token(CINTA.nip, "orang@CONTOH.example")

        assert len(inbox.fetch()) == 1


def test_five_mails_a_day_go_to_the_owner_of_a_nip(visitor: Visitor, inbox: Inbox) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(6):
            visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
            clock.shift(timedelta(minutes=31))
        assert len(inbox.fetch()) == 5

        clock.shift(timedelta(days=1))
        visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")

        assert len(inbox.fetch()) == 1


def test_a_stranger_with_wrong_addresses_cannot_use_up_the_owners_mails(peopled: Flask, visitor: Visitor, inbox: Inbox) -> None:
    for number in range(7):
        Visitor(peopled).ask_for_token(BUDI.nip, f"orang{number}@contoh.example")
    assert len(inbox.fetch()) == 7, "each typed address counts for itself"

    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")

    assert inbox.fetch_one("budi@nusajaya.example").code


def test_an_address_that_guesses_over_many_nips_is_stopped_and_its_neighbours_are_not(peopled: Flask) -> None:
    guesser = Visitor(peopled, "198.51.100.9")
    nips = [f"1970010119950{number:05d}" for number in range(101)]
    token = guesser.csrf_token("/login")
    answers = [guesser.post("/login", csrf_token=token, nip=nip, password="Salah-1").status_code for nip in nips]
    assert answers == [422] * 100 + [429]

    stopped = guesser.log_in(SARI.nip)
    assert stopped.status_code == 429 and int(stopped.headers["Retry-After"]) <= 600
    assert "Dari jaringan ini" in words_of(stopped)

    assert Visitor(peopled, "198.51.100.10").log_in(SARI.nip).status_code == 303


def test_a_morning_of_right_logins_behind_one_address_is_not_stopped(peopled: Flask) -> None:
    for _ in range(110):
        assert Visitor(peopled, "198.51.100.9").log_in(SARI.nip).status_code == 303


def test_an_address_asks_for_a_hundred_mails_an_hour(peopled: Flask, inbox: Inbox) -> None:
    office = Visitor(peopled, "198.51.100.9")
    token = office.csrf_token("/lupa-password")
    answers = [
        office.post("/lupa-password", csrf_token=token, nip=STRANGERS_NIP, email=f"a{number}@contoh.example").status_code
        for number in range(101)
    ]

    assert answers == [303] * 100 + [429]


def test_benchmarks_can_switch_the_limits_per_address_off(make_app: MakeApp, password_hash: str) -> None:
    app = make_app(ADDRESS_LIMITS="off")
    people(app, password_hash)
    office = Visitor(app, "198.51.100.9")
    token = office.csrf_token("/login")

    nips = [f"1970010119950{number:05d}" for number in range(102)]

    assert {office.post("/login", csrf_token=token, nip=nip, password="Salah-1").status_code for nip in nips} == {422}


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(make_app: MakeApp, password_hash: str) -> None:
    app = make_app(TRUSTED_PROXIES="1")
    people(app, password_hash)
    visitor = Visitor(app)
    token = visitor.csrf_token("/login")

    def guess(forwarded: str, number: int) -> int:
        return visitor.client.post(
            "/login",
            data={"csrf_token": token, "nip": f"1970010119950{number:05d}", "password": "Salah-1"},
            headers={"X-Forwarded-For": forwarded},
        ).status_code

    assert {guess(f"203.0.113.{number}, 198.51.100.9", number) for number in range(100)} == {422}
    assert guess("203.0.113.200, 198.51.100.9", 100) == 429
    assert guess("198.51.100.9, 203.0.113.201", 101) == 422


def test_who_has_just_reset_a_password_is_not_slowed_down_by_a_strangers_guesses(
    peopled: Flask, visitor: Visitor, inbox: Inbox
) -> None:
    visitor.ask_for_token(BUDI.nip, "budi@nusajaya.example")
    visitor.reset_password(inbox.fetch_one().code, "Kuda-Laut7")
    assert _guess(Visitor(peopled), BUDI.nip, 6)[-1] == 429

    assert visitor.log_in(BUDI.nip, "Kuda-Laut7").status_code == 303


def test_a_known_browser_is_not_stopped_together_with_a_guesser_in_its_office(peopled: Flask) -> None:
    sari, guesser = Visitor(peopled, "198.51.100.9"), Visitor(peopled, "198.51.100.9")
    sari.log_in(SARI.nip)
    sari.submit("/beranda", "/logout")
    token = guesser.csrf_token("/login")
    for number in range(100):
        guesser.post("/login", csrf_token=token, nip=f"1970010119950{number:05d}", password="Salah-1")
    assert guesser.log_in(SARI.nip).status_code == 429

    assert sari.log_in(SARI.nip).status_code == 303


def test_waiting_people_who_go_on_trying_count_for_their_address(peopled: Flask) -> None:
    impatient = Visitor(peopled, "198.51.100.9")
    token = impatient.csrf_token("/login")

    answers = [impatient.post("/login", csrf_token=token, nip=SARI.nip, password="Salah-1") for _ in range(101)]

    assert "untuk NIP ini" in words_of(answers[99]) and "Dari jaringan ini" in words_of(answers[100])
