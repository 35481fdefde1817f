"""The whole activation as people do it: on a phone, without JavaScript, with the link from the mail."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import PHONE, PHONE_WITHOUT_JAVASCRIPT
from tests.browser.conftest import OpenBrowser
from tests.browser.live_portal import LivePortal
from tests.browser.steps import (
    ask_for_token,
    button,
    field,
    log_in,
    open_newest_mail,
    read_token,
    see,
    token_in,
)
from tests.cast import BUDI, NEW_PASSWORD, SARI

BUDIS_ADDRESS = "budi@nusajaya.example"

both_phones = pytest.mark.parametrize(
    "phone", [PHONE, PHONE_WITHOUT_JAVASCRIPT], ids=["phone", "phone-without-javascript"]
)


@both_phones
def test_budi_activates_his_account_on_his_phone(open_browser: OpenBrowser, phone: dict[str, Any]) -> None:
    page = open_browser(**phone)
    page.goto("/")
    see(page, "Masuk")

    page.get_by_role("link", name="Lupa Password").tap()
    see(page, "Lupa Password")
    field(page, "NIP").fill(BUDI.nip)
    field(page, "Email aktif").fill(BUDIS_ADDRESS)
    button(page, "Lanjutkan").tap()
    see(page, "Konfirmasi Reset Password")
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("Periksa email Anda")
    expect(page.get_by_role("main")).to_contain_text(BUDIS_ADDRESS)
    field(page, "Token").fill(f" {read_token(page, BUDIS_ADDRESS)} ")
    field(page, "Password").fill(NEW_PASSWORD)
    button(page, "Reset Password").tap()
    see(page, "Reset Password berhasil")
    page.get_by_role("link", name="OK", exact=True).tap()
    see(page, "Masuk")
    field(page, "NIP").fill("19900715 201505 1 002")
    field(page, "Password").fill(NEW_PASSWORD)
    button(page, "Masuk").tap()

    see(page, "Pemutakhiran Data Mandiri")
    expect(page.get_by_role("main")).to_contain_text("Akun Anda sudah aktif")
    expect(page.get_by_role("main")).to_contain_text("Budi Santoso")


def test_the_mailed_link_opens_on_another_device_with_the_token_filled_in(open_browser: OpenBrowser) -> None:
    phone, laptop = open_browser(**PHONE), open_browser()
    ask_for_token(phone, BUDI.nip, BUDIS_ADDRESS)
    mail = open_newest_mail(phone, BUDIS_ADDRESS)
    link = mail.locator(".letter a").first.get_attribute("href")

    laptop.goto(link or "")
    expect(field(laptop, "Token")).to_have_value(token_in(mail))
    expect(laptop).to_have_url("/konfirmasi-reset-password")
    field(laptop, "Password").fill(NEW_PASSWORD)
    button(laptop, "Reset Password").click()

    see(laptop, "Reset Password berhasil")
    phone.reload()
    see(phone, "Konfirmasi Reset Password")


@pytest.mark.settings(RESEND_COOLDOWN_SECONDS="1")
def test_without_javascript_the_token_can_be_sent_again(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    page = open_browser(**PHONE_WITHOUT_JAVASCRIPT)
    ask_for_token(page, BUDI.nip, BUDIS_ADDRESS)
    expect(button(page, "Kirim ulang")).to_be_visible()

    page.wait_for_timeout(1100)
    button(page, "Kirim ulang").tap()
    expect(page.get_by_role("status")).to_contain_text("Permintaan kirim ulang diterima")

    first, again = live_portal.mails()
    assert first.code == again.code


def test_without_javascript_who_asks_again_too_soon_hears_how_long_to_wait(open_browser: OpenBrowser) -> None:
    page = open_browser(**PHONE_WITHOUT_JAVASCRIPT)
    ask_for_token(page, BUDI.nip, BUDIS_ADDRESS)

    button(page, "Kirim ulang").tap()

    see(page, "Konfirmasi Reset Password")
    expect(page.get_by_role("main")).to_contain_text("detik lagi, lalu tekan Kirim ulang")


@both_phones
def test_sari_logs_out_and_the_home_page_is_closed(open_browser: OpenBrowser, phone: dict[str, Any]) -> None:
    page = open_browser(**phone)
    log_in(page, SARI)
    see(page, "Pemutakhiran Data Mandiri")

    button(page, "Keluar").tap()

    see(page, "Masuk")
    expect(page.get_by_role("status")).to_have_text("Anda sudah keluar.")
    page.goto("/beranda")
    see(page, "Masuk")


@both_phones
def test_a_mistyped_token_is_refused_and_can_be_put_right(
    open_browser: OpenBrowser, phone: dict[str, Any]
) -> None:
    page = open_browser(**phone)
    ask_for_token(page, BUDI.nip, BUDIS_ADDRESS)
    token = read_token(page, BUDIS_ADDRESS)

    field(page, "Token").fill("WDJB-MJHT")
    field(page, "Password").fill(NEW_PASSWORD)
    button(page, "Reset Password").tap()
    expect(page).to_have_title("Kesalahan: Konfirmasi Reset Password - MySAPK")
    expect(field(page, "Token")).to_have_value("WDJB-MJHT")
    expect(field(page, "Password")).to_have_value("")
    field(page, "Token").fill(token.lower().replace("-", " "))
    field(page, "Password").fill(NEW_PASSWORD)
    button(page, "Reset Password").tap()

    see(page, "Reset Password berhasil")
