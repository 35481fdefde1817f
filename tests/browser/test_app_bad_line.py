"""The line goes bad while somebody is at work. Nothing that they typed is lost, nothing is done twice, and
the page says what to do."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.app_steps import wait_for_worker
from tests.browser.bad_line import BadLine, Line, bad_line
from tests.browser.chromium import PHONE
from tests.browser.conftest import OpenPortal
from tests.browser.live_portal import LivePortal
from tests.browser.steps import button, field, see
from tests.browser.test_every_page import AXE_OPTIONS
from tests.cast import BUDI, NEW_PASSWORD, PASSWORD, SARI

BUDIS_ADDRESS = "budi@nusajaya.example"


@pytest.fixture
def line() -> Iterator[BadLine]:
    with bad_line() as line:
        yield line


@pytest.fixture
def portal(open_portal: OpenPortal, line: BadLine) -> Iterator[LivePortal]:
    with open_portal(PUBLIC_URL=line.url) as portal:
        line.lead_to(portal.url)
        yield portal


@pytest.fixture
def phone(
    new_context: Callable[..., Any],
    portal: LivePortal,  # noqa: ARG001 (the line leads there)
    line: BadLine,
) -> Page:
    """A phone on which the service worker is installed."""
    page: Page = new_context(base_url=line.url, **PHONE).new_page()
    page.goto("/login")
    wait_for_worker(page)
    return page


def test_without_a_network_a_page_says_what_to_do(phone: Page, line: BadLine) -> None:
    line.become(Line.DEAD)
    phone.get_by_role("link", name="Lupa Password").tap()
    see(phone, "Tidak ada jaringan")
    expect(phone).to_have_url("/lupa-password")
    expect(phone.locator(".operator")).to_have_css("background-color", "rgb(15, 46, 86)")

    line.become(Line.GOOD)
    phone.get_by_role("link", name="Coba lagi").tap()

    see(phone, "Lupa Password")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_page_without_a_network_shuts_nobody_out(phone: Page, line: BadLine, colours: Any) -> None:
    phone.emulate_media(color_scheme=colours)
    line.become(Line.DEAD)
    phone.goto("/bantuan")
    see(phone, "Tidak ada jaringan")

    found = Axe().run(phone, options=AXE_OPTIONS)
    assert found.violations_count == 0, found.generate_report()

    phone.evaluate("document.documentElement.style.fontSize = '200%'")
    assert phone.evaluate("document.documentElement.scrollWidth") == 360


def test_a_form_that_finds_no_network_keeps_what_was_typed(
    phone: Page, line: BadLine, portal: LivePortal
) -> None:
    _fill_in_request(phone)
    line.become(Line.DEAD)

    button(phone, "Lanjutkan").tap()
    expect(phone.get_by_role("alert")).to_contain_text("Isian Anda masih ada")
    see(phone, "Lupa Password")
    expect(field(phone, "Email aktif")).to_have_value(BUDIS_ADDRESS)
    found = Axe().run(phone, options=AXE_OPTIONS)
    assert found.violations_count == 0, found.generate_report()
    line.become(Line.GOOD)
    button(phone, "Lanjutkan").tap()

    see(phone, "Konfirmasi Reset Password")
    assert [mail.to for mail in portal.mails()] == [BUDIS_ADDRESS]


@pytest.mark.usefixtures("portal")
def test_in_flight_mode_a_form_is_not_even_sent(phone: Page) -> None:
    phone.goto("/login")
    field(phone, "NIP").fill(SARI.nip)
    field(phone, "Password").fill(PASSWORD)
    phone.context.set_offline(True)

    button(phone, "Masuk").tap()
    expect(phone.get_by_role("alert")).to_contain_text("Tidak ada jaringan")
    expect(field(phone, "Password")).to_have_value(PASSWORD)
    phone.context.set_offline(False)
    button(phone, "Masuk").tap()

    see(phone, "Pemutakhiran Data Mandiri")


def test_a_request_whose_answer_was_lost_is_one_request_when_sent_again(
    phone: Page, line: BadLine, portal: LivePortal
) -> None:
    _fill_in_request(phone)
    line.become(Line.MUTE)

    button(phone, "Lanjutkan").tap()
    expect(phone.get_by_role("alert")).to_contain_text("Isian Anda masih ada")
    assert len(portal.mails()) == 1
    line.become(Line.GOOD)
    button(phone, "Lanjutkan").tap()

    see(phone, "Konfirmasi Reset Password")
    assert [mail.to for mail in portal.mails()] == [BUDIS_ADDRESS]


def test_a_reset_whose_answer_was_lost_is_done_once_and_said_to_be_so(
    phone: Page, line: BadLine, portal: LivePortal
) -> None:
    _fill_in_request(phone)
    button(phone, "Lanjutkan").tap()
    see(phone, "Konfirmasi Reset Password")
    field(phone, "Token").fill(portal.mails()[0].code)
    field(phone, "Password").fill(NEW_PASSWORD)
    line.become(Line.MUTE)

    button(phone, "Reset Password").tap()
    expect(phone.get_by_role("alert")).to_contain_text("Isian Anda masih ada")
    line.become(Line.GOOD)
    button(phone, "Reset Password").tap()
    expect(phone.get_by_role("main")).to_contain_text("Sudah membuat password baru? Masuk")

    assert ["sudah diganti" in mail.subject for mail in portal.mails()] == [False, True]
    phone.goto("/login")
    field(phone, "NIP").fill(BUDI.nip)
    field(phone, "Password").fill(NEW_PASSWORD)
    button(phone, "Masuk").tap()
    see(phone, "Pemutakhiran Data Mandiri")


def test_logging_out_on_a_bad_line_can_be_done_again(phone: Page, line: BadLine) -> None:
    phone.goto("/login")
    field(phone, "NIP").fill(SARI.nip)
    field(phone, "Password").fill(PASSWORD)
    button(phone, "Masuk").tap()
    see(phone, "Pemutakhiran Data Mandiri")
    line.become(Line.MUTE)

    button(phone, "Keluar").tap()
    expect(phone.get_by_role("alert")).to_contain_text("Tidak ada jaringan")
    line.become(Line.GOOD)
    button(phone, "Keluar").tap()

    see(phone, "Masuk")
    expect(phone.get_by_role("status").first).to_have_text("Anda sudah keluar.")


def _fill_in_request(phone: Page) -> None:
    phone.goto("/lupa-password")
    field(phone, "NIP").fill(BUDI.nip)
    field(phone, "Email aktif").fill(BUDIS_ADDRESS)
