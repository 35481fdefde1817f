"""The demo's mailbox on a phone: one tap from the page that waits for the token, and back by the link in the
mail."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import PHONE, PHONE_WITHOUT_JAVASCRIPT
from tests.browser.conftest import OpenBrowser
from tests.browser.live_portal import LivePortal
from tests.browser.steps import ask_for_token, see
from tests.cast import BUDI

BUDIS_ADDRESS = "budi@nusajaya.example"


@pytest.mark.parametrize("phone", [PHONE, PHONE_WITHOUT_JAVASCRIPT], ids=["with script", "without script"])
def test_budi_goes_to_the_mailbox_and_back_by_the_button_of_the_mail(
    open_browser: OpenBrowser, live_portal: LivePortal, phone: dict[str, object]
) -> None:
    page = open_browser(**phone)
    ask_for_token(page, BUDI.nip, BUDIS_ADDRESS)
    live_portal.mails()

    page.get_by_role("link", name="Buka kotak surat demo").tap()
    page.get_by_role("link", name="Token Reset Password").tap()
    expect(page.locator(".letter")).to_be_visible()
    page.frame_locator("iframe").get_by_role("link", name="Buka Konfirmasi Reset Password").tap()

    see(page, "Konfirmasi Reset Password")
    expect(page.get_by_role("main")).to_contain_text("sudah terisi")
