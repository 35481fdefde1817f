"""The whole activation in Chromium on a slow line, as page times: from the tap until the next page has
loaded; and when a first visitor sees the first page on a phone's line.

The line is Chromium's preset "slow 3G": 400 kbit/s each way and 2 s until an answer begins. The DevTools
protocol applies it to the page, but not inside a service worker. So the browser has no service worker here,
and every page and file crosses the slow line. (With a service worker, files would come from its cache, and
pages would still be requested.)
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

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
# The line of a phone, as Lighthouse takes it
SLOW_4G = {
    "offline": False,
    "downloadThroughput": 1_474_560 / 8,
    "uploadThroughput": 675_000 / 8,
    "latency": 562.5,
}
MOST_SECONDS_UNTIL_SEEN = 2.2
NEW_PASSWORD = "Kuda-Laut7"
_TOKEN = re.compile(r"^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", re.MULTILINE)
_LARGEST_PAINT = """() => new Promise((done) =>
    new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
        .observe({ type: "largest-contentful-paint", buffered: true }))"""
_LOAD_TIME = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"


@dataclass(frozen=True)
class Step:
    name: str
    seconds: float


@dataclass(frozen=True)
class Found:
    seconds_until_seen: float  # the largest thing on the first page
    steps: list[Step]  # of one activation


def measure(port: int, nip: str, email: str, mail_folder: Path) -> Found | None:
    """None if there is no Chromium."""
    try:
        options = launch_args()
    except NoChromium:
        return None
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**options)
        first_page = _page_on_a_line(chromium, port, SLOW_4G)
        first_page.goto("/login")
        seconds_until_seen = first_page.evaluate(_LARGEST_PAINT) / 1000
        steps = _activation(_page_on_a_line(chromium, port, SLOW_3G), nip, email, mail_folder)
        chromium.close()
    return Found(seconds_until_seen, steps)


def _page_on_a_line(chromium: Browser, port: int, line: dict[str, float]) -> Page:
    """A page of a phone that has never been here."""
    context = chromium.new_context(
        base_url=f"http://127.0.0.1:{port}", service_workers="block", **PHONE, **INDONESIAN
    )
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", line)
    return page


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


def figures(found: Found | None) -> list[Figure]:
    if found is None:
        return [not_here("page time of the whole activation", "no Chromium", f"at most {MOST_SECONDS:g} s")]
    total = sum(step.seconds for step in found.steps)
    return [
        *(plain(step.name, step.seconds, "s") for step in found.steps),
        at_most(f"page time of all {len(found.steps)} pages", total, MOST_SECONDS, "s", 1),
        at_most(
            "until a first visitor sees the first page, slow 4G",
            found.seconds_until_seen,
            MOST_SECONDS_UNTIL_SEEN,
            "s",
            2,
        ),
    ]
