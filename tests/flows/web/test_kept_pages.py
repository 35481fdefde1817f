"""Pages that are made once for all strangers are what they would be if they were made anew, and nobody else
gets them."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask, request_started
from flask.testing import FlaskClient
from markupsafe import escape

from app.blueprints import token_confirmation
from app.domain.indonesian_time import now
from app.runtime.logs import JsonLines
from app.web import confirmation_page, kept_pages
from app.web.confirmation_page import ConfirmationForm
from app.web.kept_pages import KeptPage
from tests.cast import BUDI, SARI
from tests.conftest import MakeApp, people
from tests.visitor import Visitor, logged_in

PAGES = ("/login", "/lupa-password")
_OWN_HEADERS = {"X-Request-ID", "Set-Cookie"}
_OWN = re.compile(r'(name="(?:csrf_token|form_id)"[^>]*value=)"([^"]+)"')


@pytest.fixture
def kept(peopled: Flask) -> dict[object, KeptPage]:
    pages: dict[object, KeptPage] = peopled.extensions["kept_pages"]
    return pages


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("is_app", [False, True])
def test_a_kept_page_is_what_it_would_be_anew_with_tokens_of_its_own(
    peopled: Flask, kept: dict[object, KeptPage], path: str, *, is_app: bool
) -> None:
    def page(client: FlaskClient) -> str:
        if is_app:
            client.set_cookie("aplikasi", "1")
        return client.get(path).text

    first, second = page(peopled.test_client()), page(peopled.test_client())
    assert len(kept) == 1
    kept.clear()
    anew = page(peopled.test_client())

    pages = [_OWN.sub(r"\1", text) for text in (first, second, anew)]
    assert pages[0] == pages[1] == pages[2]
    own = [value for text in (first, second, anew) for _, value in _OWN.findall(text)]
    assert len(own) == len(set(own)), "nobody gets the token of somebody else"
    assert not any(place in text for text in (first, second, anew) for place in kept_pages.PLACES)


@pytest.mark.parametrize("path", PAGES[1:])
def test_the_page_of_somebody_logged_in_is_not_kept(
    peopled: Flask, kept: dict[object, KeptPage], path: str
) -> None:
    sari = logged_in(peopled, SARI)
    kept.clear()

    assert SARI.name in sari.open(path).text

    assert not kept
    assert SARI.name not in Visitor(peopled).open(path).text


def test_a_message_is_shown_once_and_not_kept(peopled: Flask, kept: dict[object, KeptPage]) -> None:
    sari = logged_in(peopled, SARI)
    kept.clear()
    sari.post_with_token("/beranda", "/logout")

    assert "Anda sudah keluar." in sari.open("/login").text

    assert not kept
    assert "Anda sudah keluar." not in sari.open("/login").text


def test_every_form_of_a_kept_page_can_be_sent(visitor: Visitor) -> None:
    for _ in range(2):
        assert visitor.log_in(SARI.nip, "Salah-Sekali-1").status_code == 422
        assert visitor.ask_for_token(SARI.nip, "sari@nusajaya.example").status_code == 303


def test_the_page_after_asking_says_what_this_browser_has_asked(
    peopled: Flask, kept: dict[object, KeptPage]
) -> None:
    typed = {BUDI.nip: "budi@nusajaya.example", SARI.nip: "s'ari+1@nusajaya.example"}
    pages = {}
    for nip, email in typed.items():
        visitor = Visitor(peopled)
        assert visitor.ask_for_token(nip, email).status_code == 303
        pages[nip] = visitor.open("/konfirmasi-reset-password").text

    for nip, other in ((BUDI.nip, SARI.nip), (SARI.nip, BUDI.nip)):
        assert f'value="{nip}"' in pages[nip]
        assert f"<strong><bdi>{escape(typed[nip])}.</bdi></strong>" in pages[nip]
        assert other not in pages[nip]
        assert escape(typed[other]) not in pages[nip]
        assert re.search(r"dalam \d\d detik", pages[nip])
    assert not any(typed[nip] in page.text or nip in page.text for nip in typed for page in kept.values())


@pytest.mark.parametrize("cooldown", ["60", "0"])
def test_the_page_after_asking_is_what_it_would_be_anew(
    make_app: MakeApp, password_hash: str, cooldown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(RESEND_COOLDOWN_SECONDS=cooldown)
    people(app, password_hash)
    visitor = Visitor(app)
    visitor.ask_for_token(SARI.nip, "sari@nusajaya.example")

    kept = visitor.open("/konfirmasi-reset-password").text
    monkeypatch.setattr(
        token_confirmation, "page_after_asking", lambda _: confirmation_page.form_page(ConfirmationForm())
    )
    anew = visitor.open("/konfirmasi-reset-password").text

    passing = re.compile(rf'{_OWN.pattern}|data-seconds="\d+"|\d+ detik')
    assert passing.sub("", kept) == passing.sub("", anew)
    assert ("data-countdown" in kept) == (cooldown != "0")


# -- the door, which answers without Flask
@pytest.fixture
def of_flask(peopled: Flask) -> Iterator[list[object]]:
    """What Flask is asked; it is asked once for each kept page."""
    asked: list[object] = []

    def note(_app: Flask, **_more: object) -> None:
        asked.append(None)

    for path in PAGES:
        peopled.test_client().get(path)
    with request_started.connected_to(note, peopled):
        yield asked


def session_of(app: Flask, client: FlaskClient) -> str:
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    return cookie.value if cookie else ""


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("comes_again", [False, True])
def test_the_door_sends_what_flask_would_send(
    peopled: Flask, kept: dict[object, KeptPage], of_flask: list[object], path: str, *, comes_again: bool
) -> None:
    client, other = peopled.test_client(), peopled.test_client()
    if comes_again:
        client.get("/login"), other.get("/login")
    before = session_of(peopled, client)

    by_the_door = client.get(path)
    assert not of_flask
    kept.clear()
    by_flask = other.get(path)

    assert of_flask
    assert by_the_door.status == by_flask.status
    same, theirs = (
        sorted(item for item in page.headers if item[0] not in _OWN_HEADERS)
        for page in (by_the_door, by_flask)
    )
    assert same == theirs
    for name in _OWN_HEADERS:
        assert bool(by_the_door.headers.get(name)) == bool(by_flask.headers.get(name)), name
    cookies = [page.headers.get("Set-Cookie", "").partition(";")[2] for page in (by_the_door, by_flask)]
    assert cookies[0] == cookies[1]
    assert session_of(peopled, client) == before or not comes_again


@pytest.mark.parametrize(
    ("method", "path"),
    [("HEAD", "/login"), ("POST", "/login"), ("OPTIONS", "/login"), ("GET", "/login?next=/profil"),
     ("GET", "/login/"), ("GET", "/beranda"), ("GET", "/nowhere")],
)  # fmt: skip
def test_only_a_plain_get_of_a_kept_page_is_answered_at_the_door(
    peopled: Flask, of_flask: list[object], method: str, path: str
) -> None:
    peopled.test_client().open(path, method=method)

    assert of_flask


@pytest.mark.parametrize("path", PAGES)
def test_whoever_is_logged_in_or_has_anything_under_way_is_not_answered_at_the_door(
    peopled: Flask, of_flask: list[object], path: str
) -> None:
    asked, sari = Visitor(peopled), logged_in(peopled, SARI)
    asked.ask_for_token(SARI.nip, SARI.email or "")
    told = Visitor(peopled)
    told.log_in(SARI.nip)
    told.submit("/beranda", "/logout")

    for visitor in (asked, sari, told):
        of_flask.clear()
        visitor.client.get(path)
        assert of_flask


@pytest.mark.parametrize("cookie", ["x", "a.b.c", "", "\xff", '"'])
def test_a_cookie_that_the_portal_has_not_signed_is_no_session_at_the_door(
    peopled: Flask, of_flask: list[object], cookie: str
) -> None:
    visitor = Visitor(peopled)
    visitor.client.set_cookie("formulir", cookie)

    assert visitor.client.get("/login").status_code == 200

    assert not of_flask
    assert visitor.log_in(SARI.nip).status_code == 303, "the form came with a session that is in force"


def test_an_old_session_is_no_session_at_the_door(peopled: Flask, of_flask: list[object]) -> None:
    visitor = Visitor(peopled)
    visitor.open("/login")
    old = session_of(peopled, visitor.client)

    with time_machine.travel(now() + peopled.permanent_session_lifetime + timedelta(minutes=1)):
        visitor.open("/login")

    assert not of_flask
    assert session_of(peopled, visitor.client) != old


def test_the_door_writes_the_line_that_flask_would_write(
    peopled: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "portal.request")
    for path in PAGES:
        peopled.test_client().get(path)
        answer = peopled.test_client().get(path)
        by_flask, by_the_door = caplog.records[-2:]

        assert _fields(by_flask) == _fields(by_the_door)
        assert json.loads(JsonLines().format(by_the_door))["request_id"] == answer.headers["X-Request-ID"]


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = record.__dict__["fields"]
    return {name: value for name, value in fields.items() if name != "ms"}
