"""The whole activation in Chromium on a slow line, as page times: from the tap until the next page has
loaded.

The line is Chromium's preset "slow 3G": 400 kbit/s each way and 2 s until an answer begins. The DevTools
protocol applies it to the page, but not inside a service worker. So the browser has no service worker here,
and every page and file crosses the slow line. (With a service worker, files would come from its cache, and
pages would still be requested.)
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from bench.results import Figure, at_most, not_here, plain
from tests.browser.chromium import INDONESIAN, PHONE, NoChromium, launch_args

MOST_SECONDS = 20.0
# People read "Reset Password berhasil" before they press OK; the next page is fetched meanwhile
READING_SECONDS = 5
SLOW_3G = {
    "offline": False,
    "downloadThroughput": 400_000 / 8,
    "uploadThroughput": 400_000 / 8,
    "latency": 2000,
}
NEW_PASSWORD = "Kuda-Laut7"
_TOKEN = re.compile(r"^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", re.MULTILINE)
_LOAD_TIME = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"


@dataclass(frozen=True)
class Step:
    name: str
    seconds: float


def measure(port: int, nip: str, email: str, mail_folder: Path) -> list[Step] | None:
    """The steps of one activation; None if there is no Chromium."""
    try:
        options = launch_args()
    except NoChromium:
        return None
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**options)
        context = chromium.new_context(
            base_url=f"http://127.0.0.1:{port}", service_workers="block", **PHONE, **INDONESIAN
        )
        page = context.new_page()
        line = context.new_cdp_session(page)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", SLOW_3G)
        steps = _activation(page, nip, email, mail_folder)
        chromium.close()
    return steps


def _activation(page: Page, nip: str, email: str, mail_folder: Path) -> list[Step]:
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    steps = []

    def arrived(name: str, heading: str) -> None:
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        page.wait_for_function("() => performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
        steps.append(Step(name, page.evaluate(_LOAD_TIME) / 1000))

    page.goto("/login")
    arrived("Masuk, first visit", "Masuk")
    page.get_by_role("link", name="Lupa Password").tap()
    arrived("Lupa Password", "Lupa Password")
    page.get_by_label("NIP", exact=True).fill(nip)
    page.get_by_label("Email aktif").fill(email)
    page.get_by_role("button", name="Lanjutkan").tap()
    arrived("Lanjutkan", "Konfirmasi Reset Password")
    page.get_by_label("Token", exact=True).fill(_token_for(email, mail_folder))
    page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name="Reset Password").tap()
    arrived("Reset Password", "Reset Password berhasil")
    page.wait_for_timeout(READING_SECONDS * 1000)
    page.get_by_role("link", name="OK", exact=True).tap()
    arrived("OK", "Masuk")
    page.get_by_label("NIP", exact=True).fill(nip)
    page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name="Masuk").tap()
    arrived("Masuk", "Pemutakhiran Data Mandiri")
    return steps


def _token_for(email: str, mail_folder: Path) -> str:
    """The token comes from the demo's mailbox, not over the slow line, because people read their mail in
    another app."""
    last_moment = time.monotonic() + 30
    while time.monotonic() < last_moment:
        for file in mail_folder.glob("*.eml"):
            text = file.read_text()
            if f"To: {email}" in text and (found := _TOKEN.search(text)):
                return found[0]
        time.sleep(0.1)
    raise TimeoutError(f"no token for {email}")


def figures(steps: list[Step] | None) -> list[Figure]:
    if steps is None:
        return [not_here("page time of the whole activation", "no Chromium", f"at most {MOST_SECONDS:g} s")]
    total = sum(step.seconds for step in steps)
    return [
        *(plain(step.name, step.seconds, "s") for step in steps),
        at_most(f"page time of all {len(steps)} pages", total, MOST_SECONDS, "s", 1),
    ]
