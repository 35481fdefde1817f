"""GET /login beside a bare Flask page on the same server, as processor time of the web for each page."""

import sys
from concurrent.futures import ThreadPoolExecutor

from bench.browser import Browser, expect
from bench.portal import Portal, Served
from bench.processes import spent_by

PAGES, CLIENTS = 600, 2


def cpu_seconds_of_login_and_bare(portal: Portal) -> tuple[float, float]:
    with portal.serving("--no-worker") as served:
        login = _cpu_seconds_each(served)
    with portal.serving(command=(sys.executable, "-m", "bench.bare_page", "serve", "--no-worker")) as served:
        bare = _cpu_seconds_each(served)
    return login, bare


def _cpu_seconds_each(served: Served) -> float:
    def visit(pages: int) -> None:
        browser = Browser(served.port)
        for _ in range(pages):
            expect(browser.open("/login"))

    visit(50)  # what is made once is made now
    with spent_by(served.pid) as spent, ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(visit, [PAGES // CLIENTS] * CLIENTS))
    return spent.seconds / PAGES
