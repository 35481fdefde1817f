"""The portal for people who have only a keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.keyboard import Keyboard
from tests.browser.steps import button, field, log_in, see, token_in
from tests.cast import BUDI, NEW_PASSWORD, SARI

BUDIS_ADDRESS = "budi@nusajaya.example"


def test_budi_activates_his_account_by_keyboard_alone(page: Page) -> None:
    keys = Keyboard(page)
    page.goto("/login")

    keys.press(page.get_by_role("link", name="Lupa Password"))
    see(page, "Lupa Password")
    keys.fill(field(page, "NIP"), BUDI.nip)
    keys.fill(field(page, "Email aktif"), BUDIS_ADDRESS)
    keys.enter()
    see(page, "Konfirmasi Reset Password")
    keys.fill(field(page, "Token"), _read_token_by_keyboard(page))
    keys.fill(field(page, "Password"), NEW_PASSWORD)
    keys.press(button(page, "Reset Password"))
    see(page, "Reset Password berhasil")
    keys.press(page.get_by_role("link", name="OK", exact=True))
    see(page, "Masuk")
    keys.fill(field(page, "NIP"), BUDI.nip)
    keys.fill(field(page, "Password"), NEW_PASSWORD)
    keys.press(button(page, "Masuk"))

    see(page, "Pemutakhiran Data Mandiri")
    keys.press(page.get_by_role("navigation", name="Menu utama").get_by_role("link", name="Akun"))
    see(page, "Akun Anda")
    keys.press(button(page, "Keluar"))
    expect(page.get_by_role("status")).to_have_text("Anda sudah keluar.")


def _read_token_by_keyboard(page: Page) -> str:
    """Read the token in another tab, with the filter of the mailbox, and press F5 until the mail is there."""
    tab = page.context.new_page()
    keys = Keyboard(tab)
    tab.goto("/kotak-surat")
    keys.fill(field(tab, "Hanya untuk alamat"), BUDIS_ADDRESS)
    keys.press(button(tab, "Tampilkan email"))
    mail = tab.get_by_role("row").get_by_role("link")
    while not mail.count():
        tab.wait_for_timeout(100)
        tab.reload()
    keys.press(mail.first)
    expect(tab.locator(".letter")).to_be_visible()
    token = token_in(tab)
    tab.close()
    return token


def test_the_way_back_through_the_form_works_too(page: Page) -> None:
    keys = Keyboard(page)
    page.goto("/login")

    keys.go_to(button(page, "Masuk"))
    keys.go_to(field(page, "NIP"), backwards=True)
    keys.go_to(page.get_by_role("link", name="Langsung ke isi"), backwards=True)

    expect(page.get_by_role("link", name="Langsung ke isi")).to_be_in_viewport()


def test_the_skip_link_leads_past_the_header(page: Page) -> None:
    keys = Keyboard(page)
    log_in(page, SARI)
    page.goto("/akun")

    keys.tab()
    expect(page.get_by_role("link", name="Langsung ke isi")).to_be_focused()
    keys.enter()

    expect(page.get_by_role("main")).to_be_focused()
    keys.tab()
    assert not page.evaluate("() => !!document.activeElement.closest('header')")


@pytest.mark.parametrize(
    ("path", "act", "fields"),
    [
        ("/login", "Masuk", ["NIP", "Password"]),
        ("/lupa-password", "Lanjutkan", ["NIP", "Email aktif"]),
        ("/konfirmasi-reset-password", "Reset Password", ["NIP", "Token", "Password"]),
    ],
)
def test_the_summary_of_errors_is_read_first_and_leads_into_the_fields(
    page: Page, path: str, act: str, fields: list[str]
) -> None:
    keys = Keyboard(page)
    page.goto(path)
    keys.press(button(page, act))

    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("heading")).to_have_text("Ada masalah")
    links = summary.get_by_role("link")
    expect(links).to_have_count(len(fields))
    words = links.all_inner_texts()

    for label in fields:
        wrong = field(page, label)
        link = summary.locator(f"a[href='#{wrong.get_attribute('id')}']")
        keys.go_to(link, backwards=label != fields[0])
        keys.enter()
        expect(wrong).to_be_focused()
        expect(wrong).to_be_in_viewport()
        expect(wrong).to_have_attribute("aria-invalid", "true")
        assert any(sentence in (_description(page, label)) for sentence in words)


def _description(page: Page, label: str) -> str:
    """What a screen reader says after the field's name."""
    ids = (field(page, label).get_attribute("aria-describedby") or "").split()
    return " ".join(page.locator(f"[id='{one}']").inner_text() for one in ids)
