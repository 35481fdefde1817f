"""A session that nobody uses ends, even if pages, scripts and browsers ask for something meanwhile."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from app.domain.indonesian_time import now
from app.models.login_session import LoginSession
from app.runtime.db import reading
from tests.cast import SARI, WATI
from tests.visitor import Visitor, logged_in

JUST_BEFORE, JUST_AFTER = timedelta(minutes=29, seconds=59), timedelta(seconds=2)
NOT_OF_A_PERSON = {
    "a script": {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    "the service worker's own": {"Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "serviceworker"},
    "a picture": {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "a prefetch": {"Sec-Purpose": "prefetch", "Sec-Fetch-Mode": "navigate"},
    "a page drawn ahead": {"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Mode": "navigate"},
    "an older prefetch": {"Purpose": "prefetch"},
}
BY_THEMSELVES = [
    "/login",
    "/login?sesi=berakhir",
    "/akun/sisa-sesi",
    "/sw.js",
    "/manifest.webmanifest",
    "/tanpa-jaringan",
    "/.well-known/assetlinks.json",
    "/static/js/portal.js",
    "/favicon.ico",
    "/beranda?otomatis=1",
    "/healthz",
]


def _seconds_left(answer: TestResponse) -> int:
    assert answer.json is not None
    left: int = answer.json["seconds_left"]
    return left


def lives_on(visitor: Visitor, clock: time_machine.Traveller) -> bool:
    """Whether a request just before the end has extended the session."""
    clock.shift(JUST_AFTER)
    return visitor.is_logged_in()


@pytest.mark.parametrize("path", BY_THEMSELVES)
def test_what_is_asked_for_without_anybody_prolongs_nothing(visitor: Visitor, path: str) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        clock.shift(JUST_BEFORE)
        visitor.open(path).close()

        assert not lives_on(visitor, clock)


@pytest.mark.parametrize("headers", NOT_OF_A_PERSON.values(), ids=NOT_OF_A_PERSON)
def test_no_page_of_the_portal_is_use_when_no_person_asks_for_it(
    peopled: Flask, headers: dict[str, str]
) -> None:
    pages = [
        rule.rule
        for rule in peopled.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    assert len(pages) > 20
    with time_machine.travel(now(), tick=False) as clock:
        wati = logged_in(peopled, WATI)
        clock.shift(JUST_BEFORE)
        for page in pages:
            wati.client.get(page, headers=headers)

        assert not lives_on(wati, clock)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"}],
    ids=["old browser", "new browser"],
)
@pytest.mark.parametrize("path", ["/beranda", "/akun", "/bantuan"])
def test_an_opened_page_is_use(visitor: Visitor, path: str, headers: dict[str, str]) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        clock.shift(JUST_BEFORE)
        visitor.client.get(path, headers=headers)

        assert lives_on(visitor, clock)


def test_the_button_that_says_i_am_here_is_use_though_a_script_sends_it(visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        token = visitor.csrf_token("/akun")
        clock.shift(JUST_BEFORE)
        answer = visitor.client.post(
            "/akun/tetap-masuk", data={"csrf_token": token}, headers={"Sec-Fetch-Mode": "cors"}
        )

        assert _seconds_left(answer) == 30 * 60
        assert lives_on(visitor, clock)


def test_the_page_is_told_of_the_very_second_at_which_the_portal_ends_the_session(visitor: Visitor) -> None:
    def left() -> int:
        return _seconds_left(visitor.open("/akun/sisa-sesi"))

    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        clock.shift(timedelta(seconds=40))
        # So soon after the login the visit is not written down, and the page must not say otherwise
        visitor.open("/akun")
        assert left() == 30 * 60 - 40
        clock.shift(timedelta(seconds=30 * 60 - 40, milliseconds=-300))
        assert left() == 1

        clock.shift(timedelta(milliseconds=300))

        assert left() == 0
        assert not visitor.is_logged_in()


def test_what_the_absolute_end_leaves_is_told_too(visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        for _ in range(12 * 60 // 20 - 1):
            clock.shift(timedelta(minutes=20))
            visitor.open("/beranda")
        clock.shift(timedelta(minutes=15))

        assert _seconds_left(visitor.open("/akun/sisa-sesi")) == 5 * 60


def test_an_ended_session_comes_back_by_nothing(peopled: Flask, visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        token = visitor.csrf_token("/akun")
        clock.shift(timedelta(minutes=30))
        visitor.post("/akun/tetap-masuk", csrf_token=token)
        visitor.open("/login")
        visitor.open("/akun/sisa-sesi")

        assert not visitor.is_logged_in()
        with peopled.app_context(), reading() as db:
            assert all(now() - login.seen_at >= timedelta(minutes=30) for login in db.query(LoginSession))


def test_the_login_page_says_that_a_session_has_ended_only_when_it_has(
    peopled: Flask, visitor: Visitor
) -> None:
    assert "Sesi Anda sudah berakhir" in visitor.open("/login?sesi=berakhir").text
    assert "Sesi Anda sudah berakhir" not in visitor.open("/login").text

    sari = logged_in(peopled, SARI)

    assert "Sesi Anda sudah berakhir" not in sari.open("/login?sesi=berakhir").text
