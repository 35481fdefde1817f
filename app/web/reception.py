"""How the server receives requests before a page does: which lane they take, who is known, and the answers
that need no work."""

import os
from functools import cache, partial

from flask import Flask, Response, g
from werkzeug.http import parse_cookie
from werkzeug.test import EnvironBuilder

from app.domain.indonesian_time import now
from app.runtime.lanes import Known, LaneSize
from app.runtime.server import ReadyAnswer, Reception
from app.web import asked, headers, pages, sessions

PROBES, PAGES, FORMS, PASSWORDS, DESK = "probes", "pages", "forms", "passwords", "desk"
# Of a queue. Whoever has logged in before comes first. Anybody can ask for a token, so that opens less.
SHARE_OF_KNOWN_BROWSERS, SHARE_OF_WHO_ASKED = 1.0, 5 / 6
# That the last one in a queue has to expect; a hash must begin within 2 s
_SECONDS_FOR_A_PAGE, _SECONDS_FOR_A_HASH = 0.75, 1.5
# Under overload, the thread that reads all requests looks at these. Browsers send about 1 KiB of them
_LONGEST_COOKIES = 8 * 1024
_MOST_CORES = 8  # with more, run several processes


def reception(app: Flask, processes: int = 1) -> Reception:
    settings = app.extensions["portal"].settings
    slow_paths = _paths_that_hash(app)
    cores = max(1, min(os.cpu_count() or 1, _MOST_CORES) // processes)

    def lane_of(method: str, path: str) -> str:
        path = path.rstrip("/")
        if path in ("/readyz", "/metrics"):
            return PROBES
        if f"{path}/".startswith("/admin/"):
            return DESK
        if method in ("GET", "HEAD"):
            return PAGES
        return PASSWORDS if path in slow_paths else FORMS

    return Reception(
        lanes={
            PROBES: LaneSize(2, _SECONDS_FOR_A_PAGE),
            # Pages of people are quick. With more threads for them, a flood of pages would leave less of the
            # machine to those who log in.
            PAGES: LaneSize(3, _SECONDS_FOR_A_PAGE),
            FORMS: LaneSize(3, _SECONDS_FOR_A_PAGE),
            # While one of those who hash waits for the database, another one hashes
            PASSWORDS: LaneSize(cores + 2, _SECONDS_FOR_A_HASH),
            # Tables of the desk may take long, and no flood of strangers stops its admins
            DESK: LaneSize(3, _SECONDS_FOR_A_PAGE),
        },
        lane_of=lane_of,
        known=lambda cookies: _known(app, cookies),
        at_once={"/healthz": _healthz(app)},
        at_once_while_leaving={"/readyz": _leaving(app)},
        busy=cache(partial(_busy, app)),  # its templates would be a twentieth of every start
        has_proxy=settings.is_behind_a_proxy,
    )


def _paths_that_hash(app: Flask) -> frozenset[str]:
    return frozenset(
        rule.rule
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "hashes_password", False)
    )


def _known(app: Flask, cookie_header: str) -> Known | None:
    """Who sends these cookies, as far as the cookies alone tell it: the database is not asked."""
    if len(cookie_header) > _LONGEST_COOKIES:
        return None
    if not sessions.may_hold_marks(cookie_header) and not asked.may_hold_a_request(cookie_header):
        return None
    try:
        cookies = parse_cookie(cookie_header)
    except UnicodeDecodeError:
        return None
    with app.app_context():
        if marks := sessions.marks_in(cookies):
            return Known(f"browser {min(marks)}", SHARE_OF_KNOWN_BROWSERS)
        reference = asked.reference_in(cookies, now())
        return Known(f"request {reference}", SHARE_OF_WHO_ASKED) if reference else None


def _healthz(app: Flask) -> ReadyAnswer:
    with app.app_context():
        answer = app.view_functions["health.alive"]()
    assert isinstance(answer, Response)
    with app.app_context():
        return _ready(answer)


def _leaving(app: Flask) -> ReadyAnswer:
    with app.app_context():
        return _ready(Response("leaving\n", 503, content_type="text/plain; charset=utf-8"))


def _busy(app: Flask) -> ReadyAnswer:
    """The page of a request that no view has seen. It has no number, because nothing is logged about it."""
    # `app.test_request_context` loads what tests need too, a debugger among it
    nobody = EnvironBuilder(base_url=app.extensions["portal"].settings.public_url).get_environ()
    with app.request_context(nobody):
        g.request_id = ""
        return _ready(pages.busy(None))


def _ready(response: Response) -> ReadyAnswer:
    complete = headers.add_headers(response)
    return ReadyAnswer(complete.status, tuple(complete.headers), complete.get_data())
