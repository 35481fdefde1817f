"""What a visit costs on a slow line, with everything that Chromium fetches. Nothing on the page moves while
it loads."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route

from tests.browser.app_steps import kept_on_the_phone, phone_of_its_own, wait_for_worker
from tests.browser.bad_line import BadLine, bad_line
from tests.browser.chromium import PHONE
from tests.browser.conftest import OpenBrowser, OpenPortal
from tests.browser.live_portal import LivePortal
from tests.browser.steps import ask_for_token, field
from tests.cast import BUDI

MOST_BYTES, MOST_BYTES_LATER = 25_000, 10_000
MOST_REQUESTS = 6
MOST_BYTES_OF_THE_WORKER = (
    10_000  # its script and the offline page; it takes everything else from the browser's own cache
)
PUBLIC_PAGES = (
    "/login",
    "/lupa-password",
    "/konfirmasi-reset-password",
    "/bantuan",
    "/status",
    "/privasi",
    "/kuki",
    "/aksesibilitas",
    "/perbaikan-email",
    "/tanpa-jaringan",
)
_SHIFTS = """() => new Promise((done) => {
    const shifts = [];
    new PerformanceObserver((list) => shifts.push(...list.getEntries().map((entry) =>
        [entry.value, ...entry.sources.map((source) =>
            source.node?.outerHTML?.slice(0, 80) ?? "text")].join(" "))))
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(done, 300, shifts);
})"""


class Meter:
    """The bytes that came over the line for a page, by address, and separately the worker's own requests."""

    def __init__(self, page: Page) -> None:
        self.bytes: Counter[str] = Counter()
        self._urls: dict[str, str] = {}
        session = page.context.new_cdp_session(page)
        session.on(
            "Network.requestWillBeSent",
            lambda event: self._urls.update({event["requestId"]: event["request"]["url"]}),
        )
        session.on("Network.loadingFinished", self._weigh)
        session.send("Network.enable")

    def _weigh(self, event: dict[str, Any]) -> None:
        url = self._urls.get(event["requestId"], "?")
        if size := int(event["encodedDataLength"]):
            self.bytes[url] += size


@pytest.fixture(scope="module")
def portal(open_portal: OpenPortal) -> Iterator[LivePortal]:
    with open_portal() as portal:
        yield portal


@pytest.fixture
def own_line(open_portal: OpenPortal) -> Iterator[BadLine]:
    """A line on which every byte is counted, both ways and with all headers."""
    with bad_line() as line, open_portal(PUBLIC_URL=line.url) as portal:
        line.lead_to(portal.url)
        yield line


@pytest.fixture
def live_portal(portal: LivePortal) -> LivePortal:
    return portal


@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_a_first_visit_to_any_public_page_costs_little_in_a_browser_that_could_install_it(
    playwright: Playwright, portal: LivePortal, tmp_path: Path, path: str
) -> None:
    with phone_of_its_own(playwright, portal.url, tmp_path / "profile") as page:
        meter = Meter(page)
        page.goto(path, wait_until="networkidle")
        page.wait_for_timeout(500)  # Chromium fetches the icon after it has read the manifest

    print(path, len(meter.bytes), "requests,", meter.bytes.total(), "bytes")
    assert meter.bytes.total() <= MOST_BYTES, meter.bytes
    assert len(meter.bytes) <= MOST_REQUESTS, meter.bytes


def test_later_pages_cost_their_own_words_only(
    playwright: Playwright, own_line: BadLine, tmp_path: Path
) -> None:
    """The bytes are counted on the line itself, because Chromium does not tell what a page costs through the
    worker."""
    with phone_of_its_own(playwright, own_line.url, tmp_path / "profile") as page:
        page.goto("/login", wait_until="networkidle")
        wait_for_worker(page)
        page.wait_for_timeout(1000)
        costs = {}
        for path in PUBLIC_PAGES:
            own_line.bytes_carried, own_line.requests_carried = 0, []
            page.goto(path, wait_until="networkidle")
            page.wait_for_timeout(1500)  # in this time Chromium asks whether there is a new worker
            costs[path] = (
                own_line.bytes_carried,
                [one for one in own_line.requests_carried if one != "/sw.js"],
            )

    print(costs)
    for path, (size, asked) in costs.items():
        assert size <= MOST_BYTES_LATER, (path, size, asked)
        assert asked == [path], (path, size, asked)


def test_the_worker_fetches_little_after_the_page_is_there(browser: Browser, own_line: BadLine) -> None:
    sizes = []
    for register in ("navigator.serviceWorker.register = () => new Promise(() => {})", ""):
        context = browser.new_context(base_url=own_line.url, **PHONE)
        context.add_init_script(register)
        page = context.new_page()
        own_line.bytes_carried = 0
        page.goto("/login", wait_until="networkidle")
        if not register:
            wait_for_worker(page)
            assert len(kept_on_the_phone(page)) == 1
        sizes.append(own_line.bytes_carried)
        context.close()

    page_alone, with_worker = sizes
    print("page", page_alone, "bytes, worker", with_worker - page_alone, "bytes")
    assert with_worker - page_alone <= MOST_BYTES_OF_THE_WORKER


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_nothing_moves_while_the_page_comes_and_the_script_comes_last(
    open_browser: OpenBrowser, path: str, width: int
) -> None:
    page = open_browser(viewport={"width": width, "height": 640})
    page.route("**/portal.js*", _late)

    page.goto(path, wait_until="networkidle")

    assert page.evaluate(_SHIFTS) == []


def test_nothing_moves_on_the_confirmation_after_asking(open_browser: OpenBrowser) -> None:
    page = open_browser(**PHONE)
    ask_for_token(page, BUDI.nip, "budi@nusajaya.example")

    page.reload(wait_until="networkidle")

    assert page.evaluate(_SHIFTS) == []


@pytest.mark.parametrize("path", PUBLIC_PAGES[:3])
def test_a_form_can_be_used_with_letters_twice_as_large(open_browser: OpenBrowser, path: str) -> None:
    page = open_browser(**PHONE)
    page.goto(path)
    page.evaluate("document.documentElement.style.fontSize = '200%'")

    field(page, "NIP").fill(BUDI.nip)
    for control in page.locator("main :is(input, button):visible").all():
        box = control.bounding_box() or {"x": -1, "width": 0}
        assert box["x"] >= 0, control
        assert box["x"] + box["width"] <= 360, control
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def _late(route: Route) -> None:
    page = route.request.frame.page
    page.wait_for_timeout(400)
    route.continue_()
