"""The portal on the home screen. It can be installed, says so once, and is an app when somebody opens it from
there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Playwright, expect

from tests.browser.app_steps import InstalledApp, phone_of_its_own
from tests.browser.chromium import PHONE, PHONE_WITHOUT_JAVASCRIPT
from tests.browser.conftest import OpenBrowser
from tests.browser.live_portal import LivePortal
from tests.browser.steps import ask_for_token, button, field, see
from tests.browser.test_every_page import AXE_OPTIONS
from tests.cast import BUDI, NEW_PASSWORD

BUDIS_ADDRESS = "budi@nusajaya.example"
START = "/login?aplikasi=1"
OFFER_TO_INSTALL = """() => {
    const event = new Event("beforeinstallprompt", { cancelable: true });
    event.prompt = () => { window.asked = true; };
    dispatchEvent(event);
    return event.defaultPrevented;
}"""


@pytest.fixture
def own_phone(
    playwright: Playwright,
    browser_type_launch_args: dict[str, Any],  # noqa: ARG001 (skips where there is no Chromium)
    live_portal: LivePortal,
    tmp_path: Path,
) -> Iterator[Page]:
    with phone_of_its_own(playwright, live_portal.url, tmp_path / "profile") as page:
        yield page


def test_chromium_finds_nothing_that_keeps_the_portal_from_being_installed(own_phone: Page) -> None:
    own_phone.goto("/login")
    session = own_phone.context.new_cdp_session(own_phone)

    manifest = session.send("Page.getAppManifest")

    assert manifest["errors"] == []
    assert manifest["url"].endswith("/manifest.webmanifest")
    assert manifest["manifest"]["startUrl"].endswith(START)
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []


def test_the_offer_to_install_lies_below_everything_and_asks_once(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE)
    phone.goto("/login")
    offer = phone.get_by_role("region", name="Pasang MySAPK di HP Anda?")
    expect(offer).to_be_hidden()

    assert phone.evaluate(OFFER_TO_INSTALL), "the browser's own bar would lie over the fields"
    expect(offer).to_be_visible()
    expect(offer.get_by_role("link", name="Cara memasang")).to_have_attribute(
        "href", "/bantuan#lewat-aplikasi"
    )
    lies_at = offer.bounding_box()
    assert lies_at is not None
    for other in phone.locator("main :is(input, form button, .ways a):visible").all():
        box = other.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= lies_at["y"]
    offer.get_by_role("button", name="Pasang aplikasi").tap()

    assert phone.evaluate("() => window.asked")
    expect(offer).to_be_hidden()


def test_who_declines_is_never_asked_again(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE)
    phone.goto("/login")
    phone.evaluate(OFFER_TO_INSTALL)
    phone.get_by_role("button", name="Jangan tampilkan lagi").tap()
    expect(phone.locator("[data-install]")).to_be_hidden()

    phone.reload()
    phone.evaluate(OFFER_TO_INSTALL)

    expect(phone.locator("[data-install]")).to_be_hidden()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_offer_shuts_nobody_out(open_browser: OpenBrowser, colours: Any) -> None:
    phone = open_browser(**PHONE, color_scheme=colours)
    phone.goto("/login")
    phone.evaluate(OFFER_TO_INSTALL)

    found = Axe().run(phone, options=AXE_OPTIONS)
    assert found.violations_count == 0, found.generate_report()

    phone.evaluate("document.documentElement.style.fontSize = '200%'")
    assert phone.evaluate("document.documentElement.scrollWidth") == 360


@pytest.fixture
def app(own_phone: Page, live_portal: LivePortal) -> InstalledApp:
    """The portal on this phone's home screen."""
    own_phone.goto("/login")
    installed = InstalledApp(own_phone, live_portal.url)
    own_phone.goto("about:blank")
    return installed


def test_opened_from_its_icon_the_portal_speaks_as_the_app(app: InstalledApp) -> None:
    phone = app.open()
    see(phone, "Masuk")
    expect(phone.get_by_role("link", name="Pasang sebagai aplikasi di HP")).to_have_count(0)

    ask_in_the_app(phone)

    phone.get_by_role("link", name="Buka aplikasi email").tap()
    see(phone, "Kotak surat demo")
    phone.go_back()
    see(phone, "Konfirmasi Reset Password")


def test_opened_without_the_start_address_the_script_knows_the_app(
    app: InstalledApp, live_portal: LivePortal
) -> None:
    phone = app.open(f"{live_portal.url}/lupa-password")

    expect(button(phone, "Berikutnya")).to_be_visible()
    expect(button(phone, "Lanjutkan")).to_have_count(0)
    phone.goto("/login")
    expect(phone.get_by_role("link", name="Pasang sebagai aplikasi di HP")).to_be_hidden()


def test_the_mailed_link_opens_in_the_app(app: InstalledApp, live_portal: LivePortal) -> None:
    phone = app.open()
    ask_in_the_app(phone)
    mail = live_portal.mails()[0]
    phone.close()

    again = app.open(mail.link)

    see(again, "Konfirmasi Reset Password")
    expect(field(again, "Token")).to_have_value(mail.code)


def test_the_app_that_was_thrown_away_opens_at_the_confirmation(
    app: InstalledApp, live_portal: LivePortal
) -> None:
    phone = app.open()
    ask_in_the_app(phone)
    phone.close()

    again = app.open()

    see(again, "Konfirmasi Reset Password")
    expect(again.locator("main [name=nip]")).to_have_value("19900715 201505 1 002")
    field(again, "Token").fill(live_portal.mails()[0].code)
    field(again, "Password").fill(NEW_PASSWORD)
    button(again, "Reset Password").tap()
    see(again, "Reset Password berhasil")
    again.close()
    see(app.open(), "Masuk")


def ask_in_the_app(phone: Page) -> None:
    phone.get_by_role("link", name="Lupa Password").tap()
    field(phone, "NIP").fill(BUDI.nip)
    field(phone, "Email aktif").fill(BUDIS_ADDRESS)
    button(phone, "Berikutnya").tap()
    see(phone, "Konfirmasi Reset Password")


def test_in_a_browser_it_speaks_as_before(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE)
    ask_for_token(phone, BUDI.nip, BUDIS_ADDRESS)

    expect(phone.get_by_role("link", name="Buka aplikasi email")).to_be_hidden()


def test_without_javascript_the_start_address_makes_it_the_app(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE_WITHOUT_JAVASCRIPT)
    phone.goto(START)

    ask_in_the_app(phone)

    expect(phone.get_by_role("link", name="Buka aplikasi email")).to_be_visible()
    expect(phone.get_by_role("button", name="Tempel token")).to_be_hidden()


def test_without_javascript_it_goes_on_where_it_was_too(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE_WITHOUT_JAVASCRIPT)
    phone.goto(START)
    ask_in_the_app(phone)
    context = phone.context
    phone.close()

    again = context.new_page()
    again.goto(START)

    see(again, "Konfirmasi Reset Password")
    expect(again.get_by_role("main")).to_contain_text(BUDIS_ADDRESS)


@pytest.mark.parametrize(
    ("copied", "pasted"),
    [
        ("  wdjb-mjht \n", "wdjb-mjht"),
        ("Yth. Budi,\n\nToken Anda:\n\nWDJB-MJHT\n\nBerlaku 60 menit.", "WDJB-MJHT"),
        ("wdjb mjht", "wdjb mjht"),
    ],
    ids=["token", "whole-mail", "as-it-is"],
)
def test_the_copied_token_is_pasted_with_one_tap(open_browser: OpenBrowser, copied: str, pasted: str) -> None:
    phone = open_browser(**PHONE, permissions=["clipboard-read", "clipboard-write"])
    phone.goto("/konfirmasi-reset-password")
    phone.evaluate("text => navigator.clipboard.writeText(text)", copied)

    button(phone, "Tempel token").tap()

    expect(field(phone, "Token")).to_have_value(pasted)
    expect(field(phone, "Token")).to_be_focused()


def test_who_may_not_read_the_clipboard_hears_how_to_paste_by_hand(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE)
    phone.goto("/konfirmasi-reset-password")
    phone.evaluate(
        "() => { navigator.clipboard.readText = () => Promise.reject(new DOMException('', "
        "'NotAllowedError')); }"
    )

    button(phone, "Tempel token").tap()

    expect(phone.get_by_text("Tekan lama pada kolom Token")).to_be_visible()


def test_the_pictures_of_the_help_come_when_they_are_asked_for(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE)
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto("/bantuan#lewat-aplikasi", wait_until="networkidle")
    assert not [url for url in asked if "bantuan/" in url]

    phone.get_by_text("Lihat gambar langkah-langkahnya").last.tap()
    picture = phone.get_by_role("img", name="tombol Berikutnya")
    picture.scroll_into_view_if_needed()

    expect(picture).to_have_js_property("naturalWidth", 540)
