"""What is true for every page in every state: everybody can use it, and it fits every screen."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import INDONESIAN, PHONE, PHONE_WITHOUT_JAVASCRIPT
from tests.browser.conftest import OpenPortal
from tests.browser.live_portal import LivePortal
from tests.browser.states import NOT_PAGES, STATES, State
from tests.browser.steps import button, enter
from tests.browser.watch import Watch
from tests.cast import WATI

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE_OPTIONS = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
LEAST_TARGET = 44  # CSS pixels
# CSS pixels of a phone: both menus of the desk, and where a page begins at the latest.
_MOST_MENU = 120
_LAST_BEGINNING = 320


@pytest.fixture(scope="module")
def portal(open_portal: OpenPortal) -> Iterator[LivePortal]:
    """One portal for all pages, with full desks."""
    with open_portal() as portal:
        portal.fill_the_desks()
        yield portal


@pytest.fixture(scope="module", params=STATES, ids=str)
def state(request: pytest.FixtureRequest) -> State:
    found: State = request.param
    return found


@pytest.fixture(scope="module")
def page(
    browser: Browser, browser_context_args: dict[str, Any], portal: LivePortal, state: State
) -> Iterator[Page]:
    """A browser that shows the page in this state. The tests below look at it one after the other."""
    context = browser.new_context(
        base_url=portal.url, viewport={"width": 360, "height": 640}, **browser_context_args
    )
    watch = Watch(context, portal.url)
    page = context.new_page()
    state.reach(page, portal)
    yield page
    context.close()
    assert not watch.faults, "\n".join(watch.faults)


@pytest.fixture(scope="module")
def headings() -> dict[str, str]:
    """The h1s seen so far, each with its page."""
    return {}


@pytest.mark.parametrize(("width", "colours"), [(360, "light"), (1280, "dark")])
def test_axe_finds_nobody_shut_out(page: Page, width: int, colours: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]

    found = _axe(page).run(page, options=AXE_OPTIONS)

    assert found.violations_count == 0, found.generate_report()


def test_nothing_scrolls_sideways_on_the_smallest_phone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})

    assert _overhang(page) == []


def test_the_desk_fits_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE["viewport"])

    assert _beyond_the_phone(page) == []


def test_nothing_scrolls_sideways_with_letters_twice_as_large(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.evaluate("document.documentElement.style.fontSize = '200%'")

    assert _overhang(page) == []
    page.evaluate("document.documentElement.style.fontSize = ''")


def test_buttons_and_fields_are_large_enough_for_a_thumb(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 640})

    # A box to tick counts as large as its label, because a click on the label ticks it too.
    fields = (
        "input:visible:not([type=checkbox], [type=radio]), select:visible, .pick:visible, .choice:visible, "
        ".tick:visible"
    )
    targets = page.locator(
        f"button:visible, .btn:visible, {fields}, .ways a:visible, header a:visible:not(.skip)"
    )
    heights = targets.evaluate_all(
        "all => all.map((one) => [one.innerText || one.id, one.getBoundingClientRect().height])"
    )

    assert [one for one in heights if one[1] < LEAST_TARGET] == []


def test_edges_stay_where_the_system_paints_over_colours(page: Page) -> None:
    page.emulate_media(forced_colors="active")

    bare = page.locator("main :is(.btn, .form-control, .form-select, .notice, .tag, .error-summary):visible")
    edges = bare.evaluate_all(
        """all => all.filter((one) => {
            const boxes = [one, one.closest(".password")].filter(Boolean);
            const isEdged = boxes.some((box) => parseFloat(getComputedStyle(box).borderTopWidth));
            return !isEdged && !one.matches(".btn-link");
        }).map((one) => one.outerHTML.slice(0, 80))"""
    )
    page.emulate_media(forced_colors="none")

    assert edges == []


def test_no_id_is_there_twice(page: Page) -> None:
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")

    assert len(ids) == len(set(ids)), ids


def test_its_heading_is_its_own(page: Page, state: State, headings: dict[str, str]) -> None:
    (heading,) = page.get_by_role("heading", level=1, include_hidden=True).all_inner_texts()
    parts = state.page.split("/")
    place = state.page if parts[0] or parts[1] == "admin" else parts[1]

    # The states of one page have the same heading. A page that a mailed link opens counts as the page without
    # that link.
    assert headings.setdefault(heading, place) == place


def test_the_title_says_when_a_form_was_refused_and_which_page_it_is(page: Page, state: State) -> None:
    title = page.title()

    assert title.startswith("Kesalahan: ") == state.is_refused_form
    assert page.locator("[data-error-summary]").count() == state.is_refused_form
    assert re.fullmatch(r"(Kesalahan: )?\w.* - MySAPK", title)


def test_the_summary_names_the_faults_in_the_order_of_the_page(page: Page) -> None:
    places: list[float] = page.locator("[data-error-summary] a").evaluate_all(
        "all => all.map((one) => document.querySelector(one.hash).getBoundingClientRect().top)"
    )

    assert places == sorted(places)


def test_there_is_at_most_one_primary_button(page: Page) -> None:
    assert page.locator("main .btn-primary:visible").count() <= 1


def test_the_desk_fits_a_phone_without_scripts(browser: Browser, portal: LivePortal) -> None:
    page = browser.new_page(base_url=portal.url, **INDONESIAN, **PHONE_WITHOUT_JAVASCRIPT)
    enter(page, WATI)
    page.goto("/admin/")
    button(page, "Menu").tap()
    sections = page.locator("#menu-admin a").evaluate_all("all => all.map((one) => one.pathname)")

    beyond = {}
    for path in sections:
        page.goto(path)
        beyond[path] = _beyond_the_phone(page)
        button(page, "Menu").tap()
        expect(page.locator("#menu-admin [aria-current=page]")).to_be_in_viewport()
    page.context.close()

    assert not any(beyond.values()), beyond


def test_cards_are_still_a_table_for_who_listens(browser: Browser, portal: LivePortal) -> None:
    page = browser.new_page(base_url=portal.url, **INDONESIAN, **PHONE)
    enter(page, WATI)
    page.goto("/admin/cpns")

    # Safari needs the words, Chromium would know without them.
    table = page.locator("table[role=table]")
    people = table.locator("tbody tr[role=row]").count()

    expect(table.get_by_role("columnheader", name="Unit kerja")).to_have_count(1)
    assert 0 < people == table.get_by_role("rowheader").count()
    page.context.close()


def test_every_page_is_looked_at(portal: LivePortal) -> None:
    served = [rule.rule for rule in portal.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    # A rule that ends with a slash is the same page
    rules = {rule for rule in served if not (rule.endswith("/") and rule[:-1] in served)}

    looked_at = {state.page for state in STATES if state.page.startswith("/")}

    assert rules == looked_at | NOT_PAGES


def _axe(page: Page) -> Axe:
    """Axe, which is put into each page only once."""
    axe = Axe()
    if page.evaluate("'axe' in window"):
        axe.axe_script = ""
    return axe


def _beyond_the_phone(page: Page) -> list[str]:
    """What keeps a page of the desk from being read on a phone: cells beside the window, menus that take the
    first screen, a page that begins far below."""
    beside = page.locator(".page--desk .table :is(td, th):visible").evaluate_all(
        """all => all.filter((one) => {
            const box = one.getBoundingClientRect();
            return box.left < 0 || box.right > document.documentElement.clientWidth;
        }).map((one) => one.outerHTML.slice(0, 100))"""
    )
    menus = page.locator("header :is(.sections, .desk)").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().height)"
    )
    first = page.locator(".page--desk :is([data-error-summary], .notice, h1)").evaluate_all(
        "all => all.slice(0, 1).map((one) => one.getBoundingClientRect().top)"
    )
    faults = [f"menus of {menus} px"] if sum(menus) > _MOST_MENU else []
    faults += [f"begins at {top} px" for top in first if top > _LAST_BEGINNING]
    return [*faults, *beside, *_overhang(page)]


def _overhang(page: Page) -> list[str]:
    """The elements that make the page wider than its window. Boxes that scroll by themselves are left out."""
    found: list[str] = page.evaluate(
        """() => {
            const room = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= room) return [];
            const wide = [...document.body.querySelectorAll("*")].filter((element) =>
                element.getBoundingClientRect().right > room && !element.closest(".table-scroll *"));
            const parts = wide.map((one) => one.outerHTML.slice(0, 100));
            return [`${document.documentElement.scrollWidth} px of ${room}`, ...parts];
        }"""
    )
    return found
