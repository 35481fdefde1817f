"""A first visit on a slow line: the browser fetches little, and nothing twice."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenBrowser

MOST_BYTES = 22_000
MOST_REQUESTS = 6


@pytest.mark.parametrize("path", ["/login", "/lupa-password", "/konfirmasi-reset-password"])
def test_a_first_visit_costs_little(page: Page, path: str) -> None:
    line = _Line(page)

    page.goto(path, wait_until="networkidle")

    assert sum(line.bytes.values()) <= MOST_BYTES, line.bytes
    assert len(line.bytes) <= MOST_REQUESTS, line.bytes


def test_a_second_page_costs_its_own_words_only(open_browser: OpenBrowser) -> None:
    page = open_browser(service_workers="block")  # what a worker fetches is not counted here
    page.goto("/login", wait_until="networkidle")
    line = _Line(page)

    page.get_by_role("link", name="Lupa Password").click()
    page.wait_for_load_state("networkidle")

    assert [url for url, size in line.bytes.items() if size] == [page.url]
    assert line.bytes[page.url] < 10_000


def test_static_files_are_kept_for_good_and_pages_never(page: Page) -> None:
    kept: dict[str, str] = {}
    page.on("response", lambda answer: kept.update({answer.url: answer.headers.get("cache-control", "")}))

    page.goto("/login", wait_until="networkidle")

    static = {url: rule for url, rule in kept.items() if "/static/" in url}
    assert len(static) >= 2
    assert [
        url for url, rule in static.items() if "immutable" not in rule or "max-age=3153600" not in rule
    ] == []
    assert [rule for url, rule in kept.items() if url not in static] == ["no-store"]


class _Line:
    """The bytes that came over the line for each address, with their headers. It is 0 for what the browser
    had already."""

    def __init__(self, page: Page) -> None:
        self.bytes: dict[str, int] = {}
        self._urls: dict[str, str] = {}
        session = page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._note)
        session.on("Network.loadingFinished", self._weigh)
        session.send("Network.enable")

    def _note(self, event: dict[str, Any]) -> None:
        self._urls[event["requestId"]] = event["request"]["url"]

    def _weigh(self, event: dict[str, Any]) -> None:
        url = self._urls[event["requestId"]]
        if not url.startswith("data:"):  # an icon of the style sheet, which is on no line
            self.bytes[url] = int(event["encodedDataLength"])
