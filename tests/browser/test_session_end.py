"""Sari's session comes to an end, and a warning says so in time."""

import re
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenBrowser
from tests.browser.live_portal import LivePortal
from tests.browser.steps import button, log_in, see
from tests.cast import PASSWORD, SARI, WATI

JUST_BEFORE_THE_WARNING, INTO_THE_WARNING, PAST_THE_END = "27:25", "00:10", "02:40"  # of 30 minutes
_LONG = 60_000  # milliseconds; other processes may use the processor too
LOGIN = re.compile(r"/login\?sesi=berakhir&next=/[a-z/-]*$")
ENDED = "Sesi Anda sudah berakhir"
IDLE_SECONDS = 8.0


def warning(page: Page) -> Locator:
    return page.get_by_role("alertdialog", name="Anda masih di sini?")


def answer_of_a_hotel(route: Route) -> None:
    route.fulfill(body="<p>Selamat datang di WiFi hotel</p>", content_type="text/html")


@pytest.fixture
def home(page: Page) -> Page:
    """Sari's browser on the home page, 145 s before the end of the session. The portal's own clock stands
    still."""
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


def test_what_was_typed_at_the_desk_comes_back_after_the_login(page: Page, live_portal: LivePortal) -> None:
    page.clock.install()
    log_in(page, WATI)
    page.goto("/admin/pegawai")
    page.get_by_role("link", name=SARI.name).first.click()
    page.get_by_role("link", name="Nonaktifkan").click()
    page.get_by_label("Alasan").fill("Sudah pensiun")
    live_portal.let_sessions_rest(timedelta(minutes=31))

    page.clock.fast_forward("32:00")
    see(page, "Masuk lagi")
    page.get_by_label("NIP").fill(WATI.nip)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    button(page, "Masuk").click()

    expect(page.get_by_label("Alasan")).to_have_value("Sudah pensiun")
    expect(page.get_by_text("belum ada yang dilakukan").first).to_be_visible()


def test_the_pages_own_clock_ends_nothing(home: Page) -> None:
    """The page's clock may run fast, or the person may be active in another window. So the page asks the
    portal before it ends anything."""
    with home.expect_response("**/akun/sisa-sesi") as answer:
        home.clock.fast_forward(PAST_THE_END)

    assert answer.value.json()["seconds_left"] > 1700
    expect(warning(home)).to_be_hidden()
    see(home, "Pemutakhiran Data Mandiri")


def test_without_an_answer_nothing_of_anybody_stays_on_the_screen(
    home: Page, live_portal: LivePortal
) -> None:
    live_portal.let_sessions_rest(timedelta(minutes=31))
    home.route("**/akun/sisa-sesi", answer_of_a_hotel)

    home.clock.fast_forward(PAST_THE_END)

    expect(home).to_have_url(LOGIN)


def test_one_tab_and_two_in_which_nobody_does_anything_really_end(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    """Two browsers, so that the time passes for both at once."""
    live_portal.end_sessions_after(IDLE_SECONDS)
    page, first = open_browser(), open_browser()
    log_in(first, SARI)
    second = first.context.new_page()
    second.goto("/akun")
    log_in(page, SARI)
    see(page, "Pemutakhiran Data Mandiri")
    expect(warning(page)).to_be_visible()

    began = time.monotonic()
    page.wait_for_url(LOGIN, timeout=_LONG)

    assert IDLE_SECONDS - 2 < time.monotonic() - began < IDLE_SECONDS + 5
    expect(page.get_by_role("status")).to_contain_text(ENDED)
    for one in (first, second):
        one.wait_for_url(LOGIN, timeout=_LONG)
    for one in (page, first, second):
        one.goto("/beranda")
        see(one, "Masuk")


def test_who_does_something_in_one_tab_stays_in_both_and_then_both_end(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    """In a browser whose tabs talk with each other, and in one whose tabs cannot."""
    live_portal.end_sessions_after(IDLE_SECONDS)
    talking, mute = open_browser(), open_browser()
    mute.context.add_init_script("delete window.BroadcastChannel")
    tabs = []
    for page in (talking, mute):
        log_in(page, SARI)
        see(page, "Pemutakhiran Data Mandiri")
        tabs.append(page.context.new_page())
        tabs[-1].goto("/akun")
    for _ in range(3):  # altogether one and a half times as long as an idle session lasts
        tabs[0].wait_for_timeout(IDLE_SECONDS * 500)
        for tab in tabs:
            button(tab, "Tetap masuk").click()
            expect(warning(tab)).to_be_hidden()
            tab.goto("/akun")

    for page, tab in zip((talking, mute), tabs, strict=True):
        see(page, "Pemutakhiran Data Mandiri")
        see(tab, "Akun Anda")

    for page, tab in zip((talking, mute), tabs, strict=True):
        for one in (page, tab):
            one.wait_for_url(LOGIN, timeout=_LONG)
        page.goto("/akun")
        see(page, "Masuk")


def test_without_javascript_the_next_click_after_the_end_leads_to_the_login_page(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    live_portal.end_sessions_after(3)
    page = open_browser(java_script_enabled=False)
    log_in(page, SARI)
    see(page, "Pemutakhiran Data Mandiri")
    page.wait_for_timeout(3200)

    page.get_by_role("navigation", name="Menu utama").get_by_role("link", name="Akun").click()

    see(page, "Masuk")


def test_what_a_browser_says_of_a_visit_counts_it_as_one(page: Page, live_portal: LivePortal) -> None:
    """Clicks, forms and typed addresses count as visits, also with the service worker in between. Otherwise
    people would be thrown out while they are active."""
    log_in(page, SARI)
    page.wait_for_function("navigator.serviceWorker.controller")
    menu = page.get_by_role("navigation", name="Menu utama")
    acts: tuple[Callable[[], object], ...] = (
        lambda: menu.get_by_role("link", name="Akun").click(),
        lambda: page.reload(),
        lambda: page.goto("/beranda"),
        lambda: page.go_back(),
    )
    for act in acts:
        live_portal.let_sessions_rest(timedelta(minutes=20))
        act()
        page.wait_for_load_state()
        assert live_portal.seconds_since_use() < 60


def test_who_presses_too_late_lands_on_the_login_page(home: Page, live_portal: LivePortal) -> None:
    live_portal.let_sessions_rest(timedelta(minutes=31))

    button(home, "Tetap masuk").click()

    expect(home).to_have_url(LOGIN)
    see(home, "Masuk")


def test_another_tab_hears_that_sari_is_still_here(home: Page) -> None:
    tab = home.context.new_page()
    tab.goto("/akun")  # this visit extends the session
    expect(warning(home)).to_be_hidden()

    home.clock.fast_forward(JUST_BEFORE_THE_WARNING)
    home.clock.fast_forward(INTO_THE_WARNING)
    expect(warning(home)).to_be_visible()
    expect(warning(tab)).to_be_visible()
    button(tab, "Tetap masuk").click()

    expect(warning(home)).to_be_hidden()


def test_an_answer_that_is_not_the_portals_is_no_promise(home: Page) -> None:
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

    expect(page.get_by_role("contentinfo")).to_contain_text(
        re.compile(r"Sesi berakhir pukul \d\d\.\d\d WITA")
    )
    expect(warning(page)).to_be_hidden()
