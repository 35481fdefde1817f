"""Sari's session comes to an end, and she hears of it in time."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenBrowser
from tests.browser.live_portal import LivePortal
from tests.browser.steps import button, log_in, see
from tests.cast import SARI

JUST_BEFORE_THE_WARNING, INTO_THE_WARNING, PAST_THE_END = "27:25", "00:10", "02:40"  # of 30 minutes
LOGIN = re.compile(r"/login$")


def warning(page: Page) -> Locator:
    return page.get_by_role("alertdialog", name="Anda masih di sini?")


@pytest.fixture
def home(page: Page) -> Page:
    """Sari's browser on her home page, 145 s before the end of her session; the portal's own clock stands still."""
    page.clock.install()
    log_in(page, SARI)
    see(page, "Pemutakhiran Data Mandiri")
    page.clock.fast_forward(JUST_BEFORE_THE_WARNING)
    expect(warning(page)).to_be_hidden()
    page.clock.fast_forward(INTO_THE_WARNING)
    expect(warning(page)).to_contain_text(re.compile(r"Sesi Anda berakhir dalam 2 menit \d+ detik"))
    return page


def test_sari_stays_with_one_press_and_is_asked_again_next_time(home: Page) -> None:
    with home.expect_response("**/akun/tetap-masuk") as answer:
        button(home, "Tetap masuk").click()
    expect(warning(home)).to_be_hidden()
    assert answer.value.json()["seconds_left"] > 1700

    home.clock.fast_forward(JUST_BEFORE_THE_WARNING)
    expect(warning(home)).to_be_hidden()
    home.clock.fast_forward(INTO_THE_WARNING)

    expect(warning(home)).to_be_visible()


def test_the_focus_goes_into_the_dialog_and_escape_means_i_am_here(home: Page) -> None:
    expect(button(home, "Tetap masuk")).to_be_focused()

    with home.expect_response("**/akun/tetap-masuk"):
        home.keyboard.press("Escape")

    expect(warning(home)).to_be_hidden()
    see(home, "Pemutakhiran Data Mandiri")


def test_sari_leaves_at_once(home: Page) -> None:
    button(home, "Keluar sekarang").click()

    see(home, "Masuk")
    expect(home.get_by_role("status")).to_have_text("Anda sudah keluar.")


def test_whose_session_has_ended_lands_on_the_login_page(home: Page, live_portal: LivePortal) -> None:
    live_portal.let_sessions_rest(timedelta(minutes=31))

    home.clock.fast_forward(PAST_THE_END)

    expect(home).to_have_url(LOGIN)
    see(home, "Masuk")


def test_who_presses_too_late_lands_on_the_login_page(home: Page, live_portal: LivePortal) -> None:
    live_portal.let_sessions_rest(timedelta(minutes=31))

    button(home, "Tetap masuk").click()

    expect(home).to_have_url(LOGIN)
    see(home, "Masuk")


def test_another_tab_hears_that_sari_is_still_here(home: Page) -> None:
    tab = home.context.new_page()
    tab.goto("/akun")  # this very visit prolongs the session
    expect(warning(home)).to_be_hidden()

    home.clock.fast_forward(JUST_BEFORE_THE_WARNING)
    home.clock.fast_forward(INTO_THE_WARNING)
    expect(warning(home)).to_be_visible()
    expect(warning(tab)).to_be_visible()
    button(tab, "Tetap masuk").click()

    expect(warning(home)).to_be_hidden()


def test_an_answer_that_is_not_the_portals_is_no_promise(home: Page) -> None:
    def answer_of_a_hotel(route: Route) -> None:
        route.fulfill(body="<p>Selamat datang di WiFi hotel</p>", content_type="text/html")

    home.route("**/akun/tetap-masuk", answer_of_a_hotel)
    button(home, "Tetap masuk").click()
    expect(home.get_by_role("alert")).to_contain_text("Server belum menjawab")

    home.unroute("**/akun/tetap-masuk")
    button(home, "Tetap masuk").click()
    expect(warning(home)).to_be_hidden()


@pytest.mark.settings(SESSION_IDLE_MINUTES="1")
def test_a_session_of_a_minute_warns_once_and_not_at_every_second(page: Page) -> None:
    log_in(page, SARI)
    expect(warning(page)).to_contain_text(re.compile(r"Sesi Anda berakhir dalam \d+ detik"))

    button(page, "Tetap masuk").click()
    expect(warning(page)).to_be_hidden()
    page.wait_for_timeout(1500)

    expect(warning(page)).to_be_hidden()


def test_without_javascript_the_page_says_when_the_session_ends(open_browser: OpenBrowser) -> None:
    page = open_browser(java_script_enabled=False)

    log_in(page, SARI)

    expect(page.get_by_role("contentinfo")).to_contain_text(re.compile(r"Sesi berakhir pukul \d\d\.\d\d WIB"))
    expect(warning(page)).to_be_hidden()
