"""What JavaScript adds for people who have it."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import PHONE
from tests.browser.conftest import OpenBrowser
from tests.browser.live_portal import LivePortal
from tests.browser.steps import ask_for_token, button, field
from tests.cast import BUDI, SARI

BUDIS_ADDRESS = "budi@nusajaya.example"
GROUPED = "19900715 201505 1 002"


def test_a_password_can_be_shown_and_is_hidden_again_before_it_is_sent(page: Page) -> None:
    page.goto("/login")
    field(page, "NIP").fill(SARI.nip)
    field(page, "Password").fill("salah")

    button(page, "Tampilkan").click()
    expect(field(page, "Password")).to_have_attribute("type", "text")
    expect(button(page, "Sembunyikan")).to_have_attribute("aria-pressed", "true")
    button(page, "Sembunyikan").click()
    expect(field(page, "Password")).to_have_attribute("type", "password")
    button(page, "Tampilkan").click()
    # The form is not sent, so that the test can look at the page
    page.evaluate("document.addEventListener('submit', (event) => event.preventDefault())")
    button(page, "Masuk").click()

    expect(field(page, "Password")).to_have_attribute("type", "password")
    expect(field(page, "Password")).to_have_value("salah")


def test_the_rules_of_the_password_are_ticked_while_typing(page: Page) -> None:
    page.goto("/konfirmasi-reset-password")
    rules = page.locator("[data-rule]")
    met = page.locator("[data-rule][data-met]")
    expect(rules).to_have_count(3)
    expect(met).to_have_count(0)

    for typed, count in (("k", 0), ("K", 1), ("K1", 2), ("Kuda-7", 3), ("Kuda", 1), ("", 0)):
        field(page, "Password").fill(typed)
        expect(met).to_have_count(count)
    field(page, "Password").press_sequentially("Kuda-7")

    expect(rules).to_contain_text([", terpenuhi"] * 3)
    expect(page.get_by_role("status").filter(has_text="3 dari 3 syarat terpenuhi")).to_have_count(1)


@pytest.mark.parametrize(
    "copied",
    [
        "199007152015051002",
        "19900715 201505 1 002",
        " 19900715.201505.1.002\n",
        "19900715-201505–1—002",
        "19900715\u00a0201505\u00a01\u00a0002",
        "\u200b199007\u200d152015\ufeff051002\u2060",
        "\u202a19900715 201505 1 002\u202c",
    ],
    ids=["digits", "spaces", "dots", "dashes", "no-break-spaces", "zero-width", "direction-marks"],
)
def test_a_pasted_nip_is_grouped_as_on_the_letter_of_appointment(
    open_browser: OpenBrowser, copied: str
) -> None:
    page = open_browser(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/lupa-password")

    page.evaluate("text => navigator.clipboard.writeText(text)", copied)
    field(page, "NIP").focus()
    page.keyboard.press("Control+V")

    expect(field(page, "NIP")).to_have_value(GROUPED)


def test_a_nip_is_grouped_while_typing_and_can_be_corrected_in_the_middle(page: Page) -> None:
    page.goto("/lupa-password")
    nip = field(page, "NIP")

    nip.press_sequentially("199007152")
    expect(nip).to_have_value("19900715 2")
    nip.press_sequentially("0150551002")
    expect(nip).to_have_value("19900715 201505 5 1002")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Backspace")  # the space between the groups
    page.keyboard.press("Backspace")

    expect(nip).to_have_value(GROUPED)


def test_what_is_not_a_nip_stays_as_typed_for_the_server_to_name(page: Page) -> None:
    page.goto("/lupa-password")

    field(page, "NIP").press_sequentially("1990O7152015051002")
    expect(field(page, "NIP")).to_have_value("1990O7152015051002")
    button(page, "Lanjutkan").click()

    expect(page.locator("[data-error-summary]")).to_contain_text("NIP hanya berisi angka")


@pytest.mark.settings(RESEND_COOLDOWN_SECONDS="4")
def test_when_the_countdown_is_over_the_token_can_be_sent_again_at_once(
    open_browser: OpenBrowser, live_portal: LivePortal
) -> None:
    page = open_browser(**PHONE)
    page.goto("/lupa-password")
    field(page, "NIP").fill(BUDI.nip)
    field(page, "Email aktif").fill(BUDIS_ADDRESS)
    live_portal.line.seconds = (
        0.3  # This is from late in one second into the next: rounding must not end the countdown too early.
    )
    time.sleep((0.8 - time.time()) % 1)
    button(page, "Lanjutkan").tap()
    expect(page.locator("[data-countdown]")).to_contain_text("Anda dapat mengirim ulang dalam")
    expect(button(page, "Kirim ulang")).to_be_hidden()

    page.wait_for_function("() => !document.querySelector('#kirim-ulang').hidden")
    button(page, "Kirim ulang").tap()
    expect(page.get_by_role("status").first).to_contain_text("Permintaan kirim ulang diterima")
    expect(button(page, "Kirim ulang")).to_be_hidden()

    first, again = live_portal.mails()
    assert first.code == again.code
    page.reload()
    expect(page.get_by_text("Permintaan kirim ulang diterima")).to_have_count(0)


def test_the_countdown_is_said_to_be_over_to_who_cannot_see_it(page: Page) -> None:
    page.clock.install()
    ask_for_token(page, BUDI.nip, BUDIS_ADDRESS)
    expect(page.locator("[data-countdown]")).to_contain_text("detik")

    page.clock.fast_forward("01:01")

    expect(page.locator("[data-countdown]")).to_be_hidden()
    expect(button(page, "Kirim ulang")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Anda sudah dapat mengirim ulang")).to_have_count(1)
