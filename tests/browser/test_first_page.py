"""The first page: on a small phone everything that most people need is on the first screen, and on a wide one
the room is used."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import PHONE, PHONE_WITHOUT_JAVASCRIPT
from tests.browser.conftest import OpenBrowser
from tests.browser.steps import button, field


def _box(one: Locator) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    box = one.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


def test_login_and_activation_are_on_the_first_screen_of_a_small_phone(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE)
    phone.goto("/login")

    links = (phone.get_by_role("link", name=name) for name in ("Lupa Password", "Aktifkan akun"))
    for one in (field(phone, "NIP"), field(phone, "Password"), button(phone, "Masuk"), *links):
        expect(one).to_be_in_viewport(ratio=1)


def test_both_ways_of_a_newcomer_lead_to_the_first_step(page: Page) -> None:
    page.goto("/login")

    page.get_by_role("link", name="Aktifkan akun").click()

    expect(page).to_have_url("/lupa-password")


def test_the_pictures_stand_beside_the_form_on_a_wide_screen(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/login")

    form, pictures = _box(page.locator(".door__form")), _box(page.locator(".how"))

    assert pictures[0] > form[2]
    assert pictures[3] < 800


@pytest.mark.parametrize("path", ["/login", "/lupa-password", "/konfirmasi-reset-password"])
def test_the_primary_button_is_as_wide_as_a_phone(open_browser: OpenBrowser, path: str) -> None:
    phone = open_browser(**PHONE)
    phone.goto(path)

    left, _, right, _ = _box(phone.locator("main .btn-primary"))

    assert right - left == 360 - 2 * 16


def test_the_button_that_shows_the_password_is_inside_the_field(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE)
    phone.goto("/login")

    frame, toggle = _box(phone.locator(".password")), _box(button(phone, "Tampilkan"))

    assert frame[0] < toggle[0]
    assert frame[1] <= toggle[1]
    assert toggle[2] <= frame[2]
    assert toggle[3] <= frame[3]
    assert toggle[3] - toggle[1] >= 44


def test_without_javascript_there_is_no_button_in_the_field(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE_WITHOUT_JAVASCRIPT)
    phone.goto("/login")

    expect(phone.locator(".password__toggle")).to_be_hidden()
    expect(field(phone, "Password")).to_be_in_viewport(ratio=1)
