"""How the portal lets the server receive requests: which ones wait behind hashes, who has a place kept free,
and what is said to who finds none."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.domain.indonesian_time import now
from app.runtime.lanes import Known
from app.web.reception import DESK, FORMS, PAGES, PASSWORDS, PROBES, reception
from config import ROOT
from tests.cast import BUDI, SARI, STRANGERS_NIP
from tests.conftest import MakeApp
from tests.visitor import Visitor


def cookies_of(client: FlaskClient) -> str:
    names = ("formulir", "masuk", "perangkat")
    kept = [client.get_cookie(name) for name in names]
    return "; ".join(f"{cookie.key}={cookie.value}" for cookie in kept if cookie)


def known_from(app: Flask, client: FlaskClient) -> Known | None:
    return reception(app).known(cookies_of(client))


# -- lanes
def test_no_page_and_no_probe_ever_waits_behind_a_hash(app: Flask) -> None:
    received = reception(app)
    rules = list(app.url_map.iter_rules())

    lanes = {received.lane_of("GET", rule.rule) for rule in rules}

    assert lanes == {PROBES, PAGES, DESK}
    assert {received.lane_of("GET", f"/{probe}") for probe in ("readyz", "metrics", "readyz/")} == {PROBES}
    assert "/healthz" in received.at_once
    assert received.lane_of("HEAD", "/login") == PAGES


def test_forms_that_hash_each_time_wait_for_each_other_and_no_other_form_does(app: Flask) -> None:
    received = reception(app)
    posts = [rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]

    hashing = {path for path in posts if received.lane_of("POST", path) == PASSWORDS}

    assert hashing == {"/login", "/reset-password"}
    assert received.lane_of("POST", "/login/") == PASSWORDS
    assert received.lane_of("POST", "/lupa-password") == FORMS
    assert received.lane_of("POST", "/admin/impor") == DESK
    assert received.lane_of("GET", "/admin/") == DESK, "the overview is the largest of its pages"
    assert received.lane_of("GET", "/administrasi") == PAGES
    assert received.lane_of("DELETE", "/nowhere") == FORMS


def test_every_view_that_hashes_each_time_says_so() -> None:
    makes_a_hash = re.compile(r"\b(try_login|compare|passwords\.\w+)\(")
    for file in Path(ROOT / "app" / "blueprints").rglob("*.py"):
        text = file.read_text()
        assert bool(makes_a_hash.search(text)) == ("@hashes_password\n" in text), file


# -- who is known
def test_whoever_has_logged_in_here_is_known_from_then_on(peopled: Flask) -> None:
    sari, other = Visitor(peopled), Visitor(peopled)
    sari.log_in(SARI.nip)
    other.log_in(SARI.nip)
    sari.submit("/beranda", "/logout")

    found = known_from(peopled, sari.client)

    assert found
    assert found.share == 1.0
    assert found == known_from(peopled, other.client), "all browsers of a person have one place together"


def test_whoever_asked_for_a_token_is_known_whether_or_not_there_is_an_account(peopled: Flask) -> None:
    budi, nobody = Visitor(peopled), Visitor(peopled)
    budi.ask_for_token(BUDI.nip, BUDI.email or "")
    nobody.ask_for_token(STRANGERS_NIP, "siapa@contoh.example")

    found, of_nobody = known_from(peopled, budi.client), known_from(peopled, nobody.client)

    assert found
    assert of_nobody
    assert found.share == of_nobody.share < 1.0
    assert found.name != of_nobody.name


def test_a_visitor_who_has_only_looked_is_a_stranger(app: Flask) -> None:
    visitor = Visitor(app)
    visitor.open("/login")

    assert cookies_of(visitor.client)
    assert known_from(app, visitor.client) is None


@pytest.mark.parametrize(
    "cookies",
    ["", "=", "perangkat=x.y; formulir=z", f"formulir={'a' * 300}.b.c", "masuk=" + "a" * 43, "\xff"],
)
def test_what_the_portal_has_not_signed_makes_nobody_known(app: Flask, cookies: str) -> None:
    assert reception(app).known(cookies) is None


def test_cookies_that_no_browser_of_the_portal_has_are_not_looked_at(peopled: Flask) -> None:
    visitor = Visitor(peopled)
    visitor.log_in(SARI.nip)
    own = cookies_of(visitor.client)

    assert reception(peopled).known(f"{'a=b; ' * 1000}{own}")
    assert reception(peopled).known(f"{'a=b; ' * 10_000}{own}") is None


def test_an_old_request_makes_nobody_known(peopled: Flask) -> None:
    visitor = Visitor(peopled)
    visitor.ask_for_token(BUDI.nip, BUDI.email or "")

    with time_machine.travel(now() + timedelta(minutes=61)):
        assert known_from(peopled, visitor.client) is None


# -- what is said at once
def test_the_refusal_is_the_calm_page_and_the_same_for_everybody(app: Flask) -> None:
    busy = reception(app).busy()
    headers = dict(busy.headers)

    assert busy.status.startswith("503 ")
    assert int(headers["Retry-After"]) > 0
    assert "tidak ada yang hilang" in busy.body.decode()
    assert "Nomor kejadian" not in busy.body.decode(), "no log has anything about it"
    assert "Set-Cookie" not in headers
    usual = app.test_client().get("/login").headers
    for name in ("Content-Security-Policy", "Referrer-Policy", "X-Frame-Options", "Cache-Control"):
        assert headers[name] == usual[name]


def test_the_answer_to_a_probe_is_what_the_page_answers(app: Flask) -> None:
    page, ready = app.test_client().get("/healthz"), reception(app).at_once["/healthz"]

    own = {"X-Request-ID", "Date"}
    assert (ready.status, ready.body) == (page.status, page.data)
    assert {item for item in page.headers if item[0] not in own} == set(ready.headers)


def test_processes_share_the_cores(app: Flask) -> None:
    many = reception(app, processes=64)

    assert many.lanes[PASSWORDS].threads == 3


@pytest.mark.parametrize(
    ("environ", "has_proxy"),
    [({}, False), ({"TRUSTED_PROXIES": "1"}, True), ({"PUBLIC_URL": "https://portal.example"}, True)],
)
def test_behind_a_proxy_no_address_has_a_share(
    make_app: MakeApp, environ: dict[str, str], *, has_proxy: bool
) -> None:
    assert reception(make_app(**environ)).has_proxy is has_proxy
