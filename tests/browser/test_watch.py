"""The watch of these tests really sees the faults that it is made for."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests.browser.keyboard import Keyboard
from tests.browser.live_portal import LivePortal
from tests.browser.test_every_page import AXE_OPTIONS
from tests.browser.watch import Watch

OFFENCES = {
    "inline style": (
        "() => document.body.append(Object.assign(document.createElement('style'), {textContent: 'p {}'}))",
        "CSP",
    ),
    "inline script": ("() => document.body.setAttribute('onclick', 'alert()')", "CSP"),
    "script error": ("() => setTimeout(() => { throw new Error('broken'); })", "broken"),
    "another host": ("() => { new Image().src = 'http://localhost:9/logo.png'; }", "localhost:9"),
    "missing file": ("() => { new Image().src = '/static/tidak-ada.png'; }", "404"),
}


@pytest.mark.parametrize(("offence", "word"), OFFENCES.values(), ids=OFFENCES)
def test_an_offence_of_a_page_is_noticed(
    context: BrowserContext, live_portal: LivePortal, offence: str, word: str
) -> None:
    watch = Watch(context, live_portal.url)
    page = context.new_page()
    page.goto(f"{live_portal.url}/login")
    assert watch.faults == []

    page.evaluate(offence)
    page.wait_for_timeout(300)

    assert any(word in fault for fault in watch.faults), watch.faults


def test_a_control_without_a_ring_is_noticed(page: Page) -> None:
    page.goto("/login")
    page.evaluate(
        "() => document.styleSheets[0].insertRule(':focus-visible { outline: none !important; box-shadow: "
        "none }')"
    )

    with pytest.raises(AssertionError, match="no ring"):
        Keyboard(page).tab()


def test_pale_letters_are_noticed(page: Page) -> None:
    page.goto("/login")
    page.evaluate("() => { document.querySelector('h1').style.color = '#ccc'; }")

    found = Axe().run(page, options=AXE_OPTIONS)

    assert "color-contrast" in found.generate_snapshot()
