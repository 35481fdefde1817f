"""Browsers of people who use a running portal. A test fails if a page has done in one of them what no page
may do."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from app.web import assets
from tests.browser.chromium import INDONESIAN, NoChromium, launch_args
from tests.browser.live_portal import LivePortal, running_portal
from tests.browser.watch import Watch

OpenPortal = Callable[..., AbstractContextManager[LivePortal]]
OpenBrowser = Callable[..., Page]

_PATIENCE = 10_000  # milliseconds; other processes may use the processor too


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "settings(**environ): settings of the live portal in this test")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    try:
        return launch_args()
    except NoChromium as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


# These three fixtures end with this package. The plugin's own fixtures would leave an event loop in the main
# thread for all later tests.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        expect.set_options(timeout=_PATIENCE)
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(**browser_type_launch_args)
    yield chromium
    chromium.close()


@pytest.fixture(scope="package")
def browser_context_args() -> dict[str, Any]:
    return INDONESIAN


@pytest.fixture(scope="session")
def open_portal(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, password_hash: str
) -> OpenPortal:
    """Run a portal that has the whole cast: `with open_portal(TOKEN_LIFETIME_MINUTES="5") as portal`."""

    def open_one(**environ: str) -> AbstractContextManager[LivePortal]:
        return running_portal(
            tmp_path_factory.mktemp("portal"), sqlite_template, assets.STATIC, password_hash, **environ
        )

    return open_one


@pytest.fixture
def live_portal(request: pytest.FixtureRequest, open_portal: OpenPortal) -> Iterator[LivePortal]:
    """A running portal for this test alone. @pytest.mark.settings changes its settings."""
    marker = request.node.get_closest_marker("settings")
    with open_portal(**(marker.kwargs if marker else {})) as portal:
        yield portal


@pytest.fixture
def open_browser(
    new_context: Callable[..., BrowserContext], live_portal: LivePortal
) -> Iterator[OpenBrowser]:
    """Open a browser that has never been here: open_browser(**PHONE)."""
    watches: list[Watch] = []

    def open_one(**options: Any) -> Page:
        context = new_context(base_url=live_portal.url, **options)
        context.set_default_timeout(_PATIENCE)
        watches.append(Watch(context, live_portal.url))
        return context.new_page()

    yield open_one
    faults = [fault for watch in watches for fault in watch.faults]
    assert not faults, "\n".join(faults)


@pytest.fixture
def page(open_browser: OpenBrowser) -> Page:
    """A laptop's browser that has never been here."""
    return open_browser()
