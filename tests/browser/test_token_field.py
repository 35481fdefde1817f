"""Whoever comes back from the mailbox sees the token field at once."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import PHONE, PHONE_WITHOUT_JAVASCRIPT
from tests.browser.conftest import OpenBrowser
from tests.browser.steps import ask_for_token, button, field
from tests.cast import NEW_PASSWORD, STRANGERS_NIP

LONG_EMAIL = "seseorang.dengan.nama.panjang@dinaspendidikan.nusajaya.example"


@pytest.mark.parametrize("phone", [PHONE, PHONE_WITHOUT_JAVASCRIPT], ids=["with script", "without"])
def test_the_token_field_is_on_the_first_screen_of_a_small_phone(
    open_browser: OpenBrowser, phone: dict[str, Any]
) -> None:
    page = open_browser(**phone)
    ask_for_token(page, STRANGERS_NIP, LONG_EMAIL)

    assert _bottom_of_token_field(page) <= PHONE["viewport"]["height"]


@pytest.mark.parametrize("password", [NEW_PASSWORD, ""], ids=["with a password", "without one"])
def test_it_is_still_there_after_a_refusal(open_browser: OpenBrowser, password: str) -> None:
    page = open_browser(**PHONE)
    ask_for_token(page, STRANGERS_NIP, LONG_EMAIL)

    _type_a_wrong_token(page, password)

    assert _bottom_of_token_field(page) <= PHONE["viewport"]["height"]


def test_it_is_still_there_in_a_browser_that_asks_for_the_nip_too(open_browser: OpenBrowser) -> None:
    page = open_browser(**PHONE)
    page.goto("/konfirmasi-reset-password")
    field(page, "NIP").fill(STRANGERS_NIP)

    _type_a_wrong_token(page, NEW_PASSWORD)

    assert _bottom_of_token_field(page) <= PHONE["viewport"]["height"]


def _type_a_wrong_token(page: Page, password: str) -> None:
    field(page, "Token").fill("WDJB-MJHT")
    field(page, "Password").fill(password)
    button(page, "Reset Password").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    assert page.evaluate("scrollY") == 0


def _bottom_of_token_field(page: Page) -> float:
    box = field(page, "Token").bounding_box()
    assert box is not None
    return box["y"] + box["height"]
