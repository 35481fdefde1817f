"""Pages that are made once for all strangers are what they would be if they were made anew, and nobody else
gets them."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape

from app.blueprints import token_confirmation
from app.web import confirmation_page, kept_pages
from app.web.confirmation_page import ConfirmationForm
from tests.cast import BUDI, SARI
from tests.conftest import MakeApp, people
from tests.visitor import Visitor, logged_in

PAGES = ("/login", "/lupa-password", "/konfirmasi-reset-password/berhasil")
_OWN = re.compile(r'(name="(?:csrf_token|form_id)"[^>]*value=)"([^"]+)"')


@pytest.fixture
def kept(peopled: Flask) -> dict[object, str]:
    pages: dict[object, str] = peopled.extensions["kept_pages"]
    return pages


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("is_app", [False, True])
def test_a_kept_page_is_what_it_would_be_anew_with_tokens_of_its_own(
    peopled: Flask, kept: dict[object, str], path: str, *, is_app: bool
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
    peopled: Flask, kept: dict[object, str], path: str
) -> None:
    sari = logged_in(peopled, SARI)
    kept.clear()

    assert SARI.name in sari.open(path).text

    assert not kept
    assert SARI.name not in Visitor(peopled).open(path).text


def test_a_message_is_shown_once_and_not_kept(peopled: Flask, kept: dict[object, str]) -> None:
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
    peopled: Flask, kept: dict[object, str]
) -> None:
    typed = {BUDI.nip: "budi@nusajaya.example", SARI.nip: "s'ari+1@nusajaya.example"}
    pages = {}
    for nip, email in typed.items():
        visitor = Visitor(peopled)
        assert visitor.ask_for_token(nip, email).status_code == 303
        pages[nip] = visitor.open("/konfirmasi-reset-password").text

    for nip, other in ((BUDI.nip, SARI.nip), (SARI.nip, BUDI.nip)):
        assert f'value="{nip}"' in pages[nip]
        assert f"<strong>{escape(typed[nip])}</strong>" in pages[nip]
        assert other not in pages[nip]
        assert escape(typed[other]) not in pages[nip]
        assert re.search(r"dalam \d\d detik", pages[nip])
    assert not any(typed[nip] in text or nip in text for nip in typed for text in kept.values())


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
