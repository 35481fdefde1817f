"""People press twice, go back, and reload."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import PHONE, PHONE_WITHOUT_JAVASCRIPT
from tests.browser.conftest import OpenBrowser
from tests.browser.live_portal import LivePortal
from tests.browser.steps import ask_for_token, button, field, log_in, read_token, see
from tests.cast import BUDI, NEW_PASSWORD, PASSWORD, SARI

BUDIS_ADDRESS = "budi@nusajaya.example"

PHONES = {"phone": PHONE, "phone-without-javascript": PHONE_WITHOUT_JAVASCRIPT}
both_phones = pytest.mark.parametrize("phone", PHONES.values(), ids=PHONES)


@both_phones
def test_the_back_button_works_after_each_step(open_browser: OpenBrowser, phone: dict[str, Any]) -> None:
    page = open_browser(**phone)
    page.goto("/login")
    page.get_by_role("link", name="Lupa Password").tap()
    see(page, "Lupa Password")
    _back_and_forth(page, "Masuk", "Lupa Password")
    field(page, "NIP").fill(BUDI.nip)
    field(page, "Email aktif").fill(BUDIS_ADDRESS)
    button(page, "Lanjutkan").tap()
    see(page, "Konfirmasi Reset Password")
    _back_and_forth(page, "Lupa Password", "Konfirmasi Reset Password")
    expect(page.get_by_role("main")).to_contain_text("Periksa email Anda")

    field(page, "Token").fill(read_token(page, BUDIS_ADDRESS))
    field(page, "Password").fill(NEW_PASSWORD)
    button(page, "Reset Password").tap()
    see(page, "Reset Password berhasil")
    _back_and_forth(page, "Konfirmasi Reset Password", "Reset Password berhasil")
    page.get_by_role("link", name="OK", exact=True).tap()
    see(page, "Masuk")
    _back_and_forth(page, "Reset Password berhasil", "Masuk")

    field(page, "NIP").fill(BUDI.nip)
    field(page, "Password").fill(NEW_PASSWORD)
    button(page, "Masuk").tap()
    see(page, "Pemutakhiran Data Mandiri")
    page.go_back()
    see(page, "Pemutakhiran Data Mandiri")


def _back_and_forth(page: Page, before: str, here: str) -> None:
    page.go_back()
    see(page, before)
    page.go_forward()
    see(page, here)


def test_back_after_logging_out_shows_nothing_of_sari(page: Page) -> None:
    log_in(page, SARI)
    page.goto("/akun")
    expect(page.get_by_role("main")).to_contain_text("Sari Wulandari")
    button(page, "Keluar").click()
    see(page, "Masuk")

    page.go_back()

    see(page, "Masuk")
    expect(page.get_by_text("Sari Wulandari")).to_have_count(0)


def test_back_and_reload_after_a_refused_form(page: Page) -> None:
    page.goto("/login")
    field(page, "NIP").fill(SARI.nip)
    button(page, "Masuk").click()
    expect(page).to_have_title("Kesalahan: Masuk - MySAPK")

    page.reload()
    expect(page).to_have_title("Kesalahan: Masuk - MySAPK")
    page.go_back()

    expect(page).to_have_title("Masuk - MySAPK")


@both_phones
def test_a_double_click_on_lanjutkan_sends_one_mail(
    open_browser: OpenBrowser, live_portal: LivePortal, phone: dict[str, Any]
) -> None:
    page = open_browser(**phone)
    page.goto("/lupa-password")
    field(page, "NIP").fill(BUDI.nip)
    field(page, "Email aktif").fill(BUDIS_ADDRESS)

    _double_click_on_a_slow_line(page, live_portal, "Lanjutkan")

    see(page, "Konfirmasi Reset Password")
    assert [mail.to for mail in live_portal.mails()] == [BUDIS_ADDRESS]


def test_a_double_click_on_reset_password_ends_well(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    page = open_browser(**PHONE)
    ask_for_token(page, BUDI.nip, BUDIS_ADDRESS)
    field(page, "Token").fill(read_token(page, BUDIS_ADDRESS))
    field(page, "Password").fill(NEW_PASSWORD)

    _double_click_on_a_slow_line(page, live_portal, "Reset Password")

    expect(page).to_have_title("Reset Password berhasil - MySAPK", timeout=3000)
    assert ["sudah diganti" in mail.text for mail in live_portal.mails()].count(True) == 1


def test_without_javascript_the_second_click_on_reset_password_is_told_to_log_in(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    page = open_browser(**PHONE_WITHOUT_JAVASCRIPT)
    ask_for_token(page, BUDI.nip, BUDIS_ADDRESS)
    field(page, "Token").fill(read_token(page, BUDIS_ADDRESS))
    field(page, "Password").fill(NEW_PASSWORD)

    _double_click_on_a_slow_line(page, live_portal, "Reset Password")

    expect(page.get_by_role("main")).to_contain_text("Sudah membuat password baru? Masuk")
    live_portal.line.seconds = 0.0
    log_in(page, BUDI, NEW_PASSWORD)
    assert ["sudah diganti" in mail.text for mail in live_portal.mails()].count(True) == 1


@both_phones
def test_a_double_click_on_masuk_opens_one_session(
    open_browser: OpenBrowser, live_portal: LivePortal, phone: dict[str, Any]
) -> None:
    page = open_browser(**phone)
    page.goto("/login")
    field(page, "NIP").fill(SARI.nip)
    field(page, "Password").fill(PASSWORD)

    _double_click_on_a_slow_line(page, live_portal, "Masuk")
    see(page, "Pemutakhiran Data Mandiri")

    page.goto("/akun")
    expect(page.get_by_role("heading", level=3)).to_have_count(1, timeout=1000)


@both_phones
def test_a_double_click_on_keluar_ends_well(
    open_browser: OpenBrowser, live_portal: LivePortal, phone: dict[str, Any]
) -> None:
    page = open_browser(**phone)
    log_in(page, SARI)

    _double_click_on_a_slow_line(page, live_portal, "Keluar")

    see(page, "Masuk")
    expect(page.get_by_role("status")).to_have_text("Anda sudah keluar.")


def _double_click_on_a_slow_line(page: Page, portal: LivePortal, act: str) -> None:
    """Click twice, as fast as a hand can. When the second click comes, the portal has done what the first one
    sent, but has not answered yet."""
    portal.line.seconds = 0.7
    button(page, act).dblclick(delay=120)


def test_who_double_clicks_may_send_the_same_form_again_later(page: Page, live_portal: LivePortal) -> None:
    """The person goes back to the form, types another address, and sends it again. The guard against double
    clicks must not prevent this."""
    ask_for_token(page, BUDI.nip, "bydi@nusajaya.example")
    page.go_back()
    see(page, "Lupa Password")

    field(page, "NIP").fill(BUDI.nip)
    field(page, "Email aktif").fill(BUDIS_ADDRESS)
    button(page, "Lanjutkan").click()
    see(page, "Konfirmasi Reset Password")

    expect(page.get_by_role("main")).to_contain_text(BUDIS_ADDRESS)
    assert [mail.to for mail in live_portal.mails()] == ["bydi@nusajaya.example", BUDIS_ADDRESS]
