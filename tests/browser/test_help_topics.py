"""Bantuan is a list of topics: closed at first, opened by an address or by a word."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import PHONE, PHONE_WITHOUT_JAVASCRIPT
from tests.browser.conftest import OpenBrowser
from tests.browser.steps import field


def _topic(page: Page, heading: str) -> Locator:
    return page.locator("details.topic").filter(has=page.get_by_role("heading", name=heading, exact=True))


@pytest.mark.parametrize("phone", [PHONE, PHONE_WITHOUT_JAVASCRIPT], ids=["with script", "without script"])
def test_an_address_opens_its_answer(open_browser: OpenBrowser, phone: dict[str, object]) -> None:
    page = open_browser(**phone)

    page.goto("/bantuan#token-ditolak")

    expect(page.locator("details.topic[open]")).to_have_count(1)
    expect(page.locator("#token-ditolak")).to_be_in_viewport()


def test_an_answer_that_leads_to_another_one_opens_it(page: Page) -> None:
    page.goto("/bantuan#login-ditolak")

    page.locator("#login-ditolak").get_by_role("link", name="NIP Anda").click()

    expect(_topic(page, "NIP mana yang dipakai")).to_have_attribute("open", "")
    expect(page.locator("#nip")).to_be_in_viewport()


def test_a_word_leaves_the_topics_that_have_it(page: Page) -> None:
    page.goto("/bantuan")
    topics = page.locator("details.topic:visible")
    expect(topics).to_have_count(11)
    expect(page.locator("details.topic[open]")).to_have_count(0)

    field(page, "Cari di halaman ini").fill("Caps Lock")
    expect(topics).to_have_count(1)
    expect(page.locator("#login-ditolak")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("1 dari 11 topik memuat kata itu.")
    field(page, "Cari di halaman ini").fill("kata aneh")
    expect(topics).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("Coba kata lain")
    field(page, "Cari di halaman ini").fill("")

    expect(topics).to_have_count(11)
    expect(page.locator("details.topic[open]")).to_have_count(0)


def test_without_javascript_there_is_no_search_and_every_topic_opens(open_browser: OpenBrowser) -> None:
    page = open_browser(**PHONE_WITHOUT_JAVASCRIPT)
    page.goto("/bantuan")
    expect(field(page, "Cari di halaman ini")).to_be_hidden()

    page.get_by_role("heading", name="CPNS belum bisa masuk").tap()

    expect(page.locator("#cpns")).to_be_visible()


def test_on_paper_all_answers_are_there_and_nothing_to_press(page: Page) -> None:
    page.goto("/bantuan")

    page.emulate_media(media="print", color_scheme="dark")

    for answer in page.locator(".topic__body").all():
        expect(answer).to_be_visible()
    expect(
        page.locator(":is(header nav, footer nav, main button, main .btn, main input):visible")
    ).to_have_count(0)
    expect(page.locator("footer")).to_contain_text(page.url.removesuffix("/bantuan"))
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    shown = "getComputedStyle(document.querySelector('#cpns a, #email-salah a'), '::after').content"
    assert "/perbaikan-email" in page.evaluate(shown)
