"""What happens with the portal as an app on a phone. Each function is one step."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Playwright

from tests.browser.chromium import INDONESIAN, PHONE, launch_args

_WORKER_IN_CHARGE = """() => new Promise((done) => {
    const look = () =>
        navigator.serviceWorker.controller?.state === "activated" ? done() : setTimeout(look, 20);
    look();
})"""
_KEPT = """async () => {
    const kept = {};
    for (const name of await caches.keys())
        kept[name] = (await (await caches.open(name)).keys())
            .map((request) => request.url.replace(location.origin, ""));
    return kept;
}"""


def wait_for_worker(page: Page) -> None:
    """Wait until the service worker is installed and controls this page."""
    page.evaluate(_WORKER_IN_CHARGE)


def kept_on_the_phone(page: Page) -> dict[str, list[str]]:
    """Everything that is in the worker's caches, by cache."""
    kept: dict[str, list[str]] = page.evaluate(_KEPT)
    return kept


@contextmanager
def phone_of_its_own(playwright: Playwright, portal_url: str, folder: Path) -> Iterator[Page]:
    """A phone's browser with a profile that stays. Other tests use private windows, in which nothing can be
    installed."""
    options: dict[str, Any] = {**launch_args(), **PHONE, **INDONESIAN, "base_url": portal_url}
    context = playwright.chromium.launch_persistent_context(folder, **options)
    yield context.pages[0]
    context.close()


class InstalledApp:
    """The portal as an app, which Chromium itself has installed from an open page. Its owner opens it from
    the icon."""

    def __init__(self, page: Page, portal_url: str) -> None:
        self._context = page.context
        self._session = self._context.new_cdp_session(page)
        self._id = {"manifestId": f"{portal_url}/"}
        self._session.send("PWA.install", {**self._id, "installUrlOrBundleUrl": page.url})
        self._session.send("PWA.changeAppUserSettings", {**self._id, "displayMode": "standalone"})

    def open(self, url: str | None = None) -> Page:
        """Open the app in a window of its own, from the icon or from a link."""
        with self._context.expect_page() as window:
            self._session.send("PWA.launch", {**self._id, "url": url} if url else self._id)
        window.value.wait_for_load_state()
        assert window.value.evaluate("() => matchMedia('(display-mode: standalone)').matches")
        return window.value
