"""The service worker keeps the files of one release and nothing about a person. Files of two releases are
never mixed."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.web.assets import STATIC
from tests.browser.app_steps import kept_on_the_phone, wait_for_worker
from tests.browser.bad_line import BadLine, Line, bad_line
from tests.browser.chromium import PHONE
from tests.browser.conftest import OpenBrowser
from tests.browser.live_portal import LivePortal, running_portal
from tests.browser.steps import ask_for_token, button, log_in, see
from tests.cast import BUDI, SARI

NEW_COLOUR = "rgb(1, 2, 3)"


def test_only_static_files_and_the_offline_page_are_ever_kept(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE)
    phone.goto("/login")
    wait_for_worker(phone)

    ask_for_token(phone, BUDI.nip, "budi@nusajaya.example")
    log_in(phone, SARI)
    phone.goto("/akun")
    phone.goto("/bantuan")

    ((name, urls),) = kept_on_the_phone(phone).items()
    assert name.startswith("rilis-")
    assert [url for url in urls if not url.startswith(("/static/css/", "/static/js/"))] == ["/tanpa-jaringan"]
    assert all("?v=" in url for url in urls if url.startswith("/static/"))


def test_logging_out_clears_what_is_kept_beyond_the_release(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE)
    log_in(phone, SARI)
    wait_for_worker(phone)
    phone.evaluate("() => caches.open('lain').then((cache) => cache.put('/beranda', new Response('Sari')))")
    assert len(kept_on_the_phone(phone)) == 2

    button(phone, "Keluar").tap()

    see(phone, "Masuk")
    assert [name.startswith("rilis-") for name in kept_on_the_phone(phone)] == [True]


def test_after_logging_out_nothing_of_sari_is_seen_without_a_network(open_browser: OpenBrowser) -> None:
    phone = open_browser(**PHONE)
    log_in(phone, SARI)
    wait_for_worker(phone)
    phone.reload()
    button(phone, "Keluar").tap()
    see(phone, "Masuk")
    phone.context.set_offline(True)

    phone.goto("/beranda")

    see(phone, "Tidak ada jaringan")
    expect(phone.get_by_text("Sari")).to_have_count(0)


class TwoReleases:
    """One address of the portal. First one release answers there, then the next one, with other static
    files."""

    def __init__(self, line: BadLine, old: LivePortal, new: LivePortal) -> None:
        self.url = line.url
        self._line, self._new = line, new
        line.lead_to(old.url)

    def bring_the_new_one(self) -> None:
        self._line.lead_to(self._new.url)

    def go_dead(self) -> None:
        self._line.become(Line.DEAD)


@pytest.fixture
def releases(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, password_hash: str
) -> Iterator[TwoReleases]:
    with ExitStack() as stack:
        line = stack.enter_context(bad_line())
        portals = [
            stack.enter_context(
                running_portal(
                    tmp_path_factory.mktemp("release"),
                    sqlite_template,
                    static,
                    password_hash,
                    PUBLIC_URL=line.url,
                )
            )
            for static in (STATIC, _with_another_colour(STATIC, tmp_path_factory.mktemp("static")))
        ]
        yield TwoReleases(line, *portals)


def test_a_new_release_takes_over_at_the_next_navigation_without_a_mix(
    context: BrowserContext, releases: TwoReleases
) -> None:
    page, old_tab = context.new_page(), context.new_page()
    url = releases.url
    for tab in (old_tab, page):
        tab.goto(f"{url}/login")
        wait_for_worker(tab)
    (old_name,) = kept_on_the_phone(page)
    old_style = _style(page)

    releases.bring_the_new_one()
    page.goto(f"{url}/lupa-password")
    assert _style(page) != old_style
    expect(page.locator(".masthead")).to_have_css("background-color", NEW_COLOUR)

    while old_name in (kept := kept_on_the_phone(page)):
        page.wait_for_timeout(50)
    wait_for_worker(page)
    (urls,) = kept.values()
    assert _style(page) in urls
    assert old_style not in urls

    # The page of the old release, which is still open, has what it needs.
    expect(old_tab.locator(".masthead")).not_to_have_css("background-color", NEW_COLOUR)
    assert old_tab.evaluate("url => fetch(url).then((answer) => answer.status)", old_style) == 200

    releases.go_dead()
    page.goto(f"{url}/login")
    see(page, "Tidak ada jaringan")
    expect(page.locator(".masthead")).to_have_css("background-color", NEW_COLOUR)


def _with_another_colour(static: Path, folder: Path) -> Path:
    changed = folder / "static"
    shutil.copytree(static, changed)
    style = changed / "css" / "portal" / "pages.css"
    style.write_text(f"{style.read_text()}\n@layer pages {{ .masthead {{ background: {NEW_COLOUR}; }} }}\n")
    return changed


def _style(page: Page) -> str:
    found = page.locator("link[rel=stylesheet]").last.get_attribute("href")
    assert found
    assert "portal.css?v=" in found
    return found
