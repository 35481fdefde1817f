"""What Prometheus is told: everything that happens is counted, once it is committed, under words of the
portal and no others."""

import http.client
import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from app.domain.act import Act
from app.domain.client import WORKER
from app.domain.indonesian_time import now
from app.domain.mail_domains import class_of
from app.flows.reports.count_figures import RENEWED_IN_ANY_CASE_AFTER
from app.models.audit_event import Tag
from app.models.figures import Figures
from app.models.outbox_mail import Letter
from app.runtime import logs, measures
from app.runtime.db import engine, reading, unit_of_work
from app.runtime.lanes import Lane
from app.runtime.tally import Family
from app.security import audit, passwords
from app.security.passwords import Busy, HashWait
from app.web.limits import limiter
from app.web.reception import reception
from app.worker.figures import renew_figures
from app.worker.metrics_page import CannotListen, metrics_page
from config import ROOT
from tests.cast import BUDI, PASSWORD, SARI, email_of
from tests.conftest import MakeApp, people
from tests.faults.post_office import PostOffice
from tests.faults.smtp_server import free_port
from tests.flows.attacks.test_same_answer import statements
from tests.visitor import Visitor

Metrics = dict[str, float]
on_one = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def told(app: Flask) -> Metrics:
    return read(Visitor(app, "127.0.0.1").open("/metrics").text)


def read(text: str) -> Metrics:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {series: float(value) for series, _, value in lines}


@pytest.fixture
def counted(peopled: Flask) -> Callable[..., float]:
    """By how much a counter has grown since the test began."""
    before = told(peopled)

    def grown(family: Family, **labels: str) -> float:
        series = series_of(family, **labels)
        return told(peopled).get(series, 0) - before.get(series, 0)

    return grown


def series_of(family: Family, **labels: str) -> str:
    assert labels.keys() == family.labels.keys()
    inner = ",".join(f'{name}="{labels[name]}"' for name in sorted(labels))
    return f"{family.name}{{{inner}}}" if inner else family.name


# -- what people do
def test_a_login_a_wrong_one_and_a_token_are_counted_where_they_happen(
    peopled: Flask, counted: Callable[..., float]
) -> None:
    visitor = Visitor(peopled)

    visitor.log_in(SARI.nip, "Salah-Sekali-1")
    visitor.log_in(SARI.nip, PASSWORD)
    visitor.ask_for_token(BUDI.nip, email_of(BUDI))

    assert counted(measures.EVENTS, event=Tag.LOGIN_REFUSED) == 1
    assert counted(measures.EVENTS, event=Tag.LOGIN) == 1
    assert counted(measures.EVENTS, event=Tag.TOKEN_ASKED) == 1
    assert counted(measures.POSTED, letter=Letter.TOKEN, held="no") == 1
    assert counted(measures.REQUESTS, rule="/login", method="POST", status="422") == 1
    assert counted(measures.REQUESTS, rule="/login", method="POST", status="303") == 1
    assert counted(measures.HASHES, outcome="made") == 2
    seconds = series_of(measures.REQUEST_SECONDS, rule="/login").replace("_seconds{", "_seconds_count{")
    assert told(peopled)[seconds] >= 4


def test_limits_that_have_no_room_are_counted_by_their_names(make_app: MakeApp, password_hash: str) -> None:
    app = make_app(ASKS_PER_ADDRESS_PER_HOUR="10")
    people(app, password_hash)
    before, visitor = told(app), Visitor(app)

    for _ in range(6):
        visitor.log_in(SARI.nip, "Salah-Sekali-1")
    answers = [visitor.ask_for_token(BUDI.nip, f"{one}@contoh.example").status_code for one in range(11)]
    limiter.reset()

    assert answers[-1] == 429
    after = told(app)
    for limit in ("login-new", "address-mails"):
        series = series_of(measures.LIMITED, limit=limit)
        assert after[series] > before[series]


def test_what_is_rolled_back_is_not_counted(peopled: Flask, counted: Callable[..., float]) -> None:
    with peopled.app_context():
        with suppress(ZeroDivisionError), unit_of_work() as session:
            audit.record(session, Tag.LOGOUT, None, Act(WORKER, now(), None))
            raise ZeroDivisionError
        with unit_of_work() as session:
            audit.record(session, Tag.UNLOCKED, None, Act(WORKER, now(), None))

    assert counted(measures.EVENTS, event=Tag.LOGOUT) == 0
    assert counted(measures.EVENTS, event=Tag.UNLOCKED) == 1


def test_a_hash_that_could_not_begin_says_why(peopled: Flask, counted: Callable[..., float]) -> None:
    for wait in (HashWait(until=0), HashWait(has_left=lambda: True)):
        with pytest.raises(Busy):
            passwords.hashed(PASSWORD, wait)

    assert counted(measures.HASHES, outcome="late") == 1
    assert counted(measures.HASHES, outcome="left") == 1
    assert told(peopled)[measures.HASHES_WAITING.name] == 0


def test_the_worker_counts_how_mails_leave(peopled: Flask, counted: Callable[..., float]) -> None:
    office = PostOffice(peopled)
    office.post("seseorang@gmail.com", "dinas@nusajaya.go.id")

    office.deliver()

    assert counted(measures.TRIES, outcome="handed_over", domain="gmail.com") == 1
    assert counted(measures.TRIES, outcome="handed_over", domain="go.id") == 1
    handed_over = series_of(measures.HANDED_OVER_SECONDS, urgency="password").replace("{", "_count{")
    assert told(peopled)[handed_over] >= 2


@pytest.mark.parametrize(
    ("kind", "domains"),
    [
        ("gmail.com", ["gmail.com", "googlemail.com"]),
        ("yahoo", ["yahoo.com", "yahoo.co.id"]),
        ("free mail", ["hotmail.com", "icloud.com"]),
        ("go.id", ["go.id", "bkd.jabarprov.go.id"]),
        ("other", ["gmail.com.evil.example", "notgo.id", ""]),
    ],
)
def test_a_domain_is_one_of_five_kinds(kind: str, domains: list[str]) -> None:
    assert {class_of(domain) for domain in domains} == {kind}


# -- words
def test_each_tag_letter_limit_and_lane_has_its_series(peopled: Flask) -> None:
    lanes = reception(peopled).lanes
    peopled.extensions["lanes"] = [Lane(name, size) for name, size in lanes.items()]
    with peopled.app_context():
        renew_figures()

    series = told(peopled)

    assert {series_of(measures.LANE_REFUSED, lane=lane) for lane in lanes} <= series.keys()
    assert {series_of(measures.LANE_WAITING, lane=lane) for lane in lanes} <= series.keys()
    for family in measures.FAMILIES:
        if family.kind is measures.COUNTER or family in (measures.OUTBOX, measures.MAIL_FAULTS):
            for labels in family.combinations():
                named = dict(zip(family.labels, map(str, labels), strict=True))
                assert series_of(family, **named) in series


def test_every_limit_of_an_address_is_known_by_its_name() -> None:
    in_code = set(re.findall(r'(?:scope=|, )"([a-z-]+)"', (ROOT / "app/web/limits.py").read_text()))
    per_site = {"wrong-tries", "mails", "uploads"}
    named = {name.removeprefix("address-") for name in measures.ADDRESS_LIMITS}

    assert per_site | {f"{one}-of-site" for one in per_site} | {"mails-known", "same-ask"} <= named
    assert {one for one in in_code if one.startswith(("wrong", "mails", "same", "uploads"))} - {
        "mails-to-others-of-site"
    } <= named


def test_no_word_of_a_visitor_becomes_a_label(peopled: Flask) -> None:
    stranger = Visitor(peopled)
    stranger.client.open("/tidak-ada/198501012010011001", method="BREW")
    stranger.client.open("/login", method="BREW")
    stranger.open("/konfirmasi-reset-password/WDJB-MJHT-rahasia")
    stranger.ask_for_token(BUDI.nip, "budi@tempat-rahasia.example")
    PostOffice(peopled).deliver()
    with peopled.app_context():
        renew_figures()

    text = Visitor(peopled, "127.0.0.1").open("/metrics").text

    assert 'method="other",rule="none"' in text
    for typed in ("BREW", "rahasia", "198501012010011001", BUDI.nip, "@", "203.0.113", "3401", "tidak-ada"):
        assert typed not in "".join(read(text))
    allowed = defaultdict[str, set[str]](set)
    for one in measures.FAMILIES:
        for name, values in one.labels.items():
            allowed[name].update(values or ())
    free = ("rule", "status", "lane", "duty", "le", "version", "schema")
    for name, value in re.findall(r'(\w+)="([^"]*)"', text):
        assert name in free or value in allowed[name], (name, value)


def test_the_page_of_the_operator_names_every_metric() -> None:
    said = (ROOT / "docs/operation.md").read_text()

    assert not [one.name for one in measures.FAMILIES if f"`{one.name}`" not in said]
    for one in measures.FAMILIES:
        row = next(line for line in said.splitlines() if line.startswith("|") and f"`{one.name}`" in line)
        assert set(re.findall(r"`(\w+)`", row.split("|")[2])) == set(one.labels), one.name


# -- what a worker counts in the database
def test_a_worker_that_has_just_counted_is_enough(peopled: Flask) -> None:
    with time_machine.travel(now(), tick=False) as clock, peopled.app_context():
        renew_figures()
        Visitor(peopled).ask_for_token(BUDI.nip, email_of(BUDI))

        clock.shift(5)
        with statements(peopled) as seen:
            renew_figures()
        assert len([one for one in seen if one.startswith("SELECT")]) == 1
        assert told(peopled)[series_of(measures.OUTBOX, letter="token", state="menunggu")] == 0

        clock.shift(5)
        renew_figures()
        assert told(peopled)[series_of(measures.OUTBOX, letter="token", state="menunggu")] == 1
        clock.shift(30)
        assert told(peopled)[series_of(measures.OUTBOX_OLDEST, letter="token", state="menunggu")] == 40
        assert told(peopled)[measures.FIGURES_AGE.name] == 30


@on_one
def test_an_idle_portal_writes_its_figures_once_a_minute(peopled: Flask) -> None:
    with time_machine.travel(now(), tick=False) as clock, peopled.app_context():
        renew_figures()
        written = [_made_at(peopled)]
        for _ in range(12):
            clock.shift(10)
            renew_figures()
            written.append(_made_at(peopled))

    assert len(set(written)) == 1 + 2
    assert written[-1] - written[0] >= RENEWED_IN_ANY_CASE_AFTER


@on_one
def test_a_clock_that_was_ahead_keeps_nobody_from_counting(peopled: Flask) -> None:
    with peopled.app_context():
        renew_figures()
        with unit_of_work() as session:
            session.execute(update(Figures).values(made_at=now() + timedelta(hours=1)))

        renew_figures()

    assert _made_at(peopled) <= now()


@on_one
def test_what_another_release_has_counted_is_told_as_far_as_it_is_known(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        unsent = [
            {"letter": "a_newer_letter", "state": "menunggu", "how_many": 3, "oldest": now().isoformat()}
        ]
        content = {"unsent": unsent, "something_newer": 1}
        session.add(Figures(id=1, made_at=now(), content=content))

    assert told(peopled)[series_of(measures.OUTBOX, letter="other", state="menunggu")] == 3


def test_metrics_cost_two_short_looks_at_the_database(peopled: Flask) -> None:
    with peopled.app_context():
        renew_figures()

    with statements(peopled) as seen:
        told(peopled)

    read_rows = [one for one in seen if re.search(r"FROM (figures|alembic_version)", one)]
    assert len(read_rows) == 2
    assert not [one for one in seen if re.search(r"FROM (outbox_mail|login_session|audit_event)", one)]


def _made_at(app: Flask) -> datetime:
    with app.app_context(), reading() as session:
        return session.scalars(select(Figures.made_at)).one()


# -- a worker that runs alone
@on_one
@pytest.mark.parametrize("token", ["", "let-prometheus-in-16"])
def test_a_worker_alone_tells_its_metrics_to_who_may_read_them(make_app: MakeApp, token: str) -> None:
    port = free_port()
    app = make_app(WORKER_METRICS_PORT=str(port), METRICS_TOKEN=token)
    with_token = {"Authorization": f"Bearer {token}"} if token else {}

    with metrics_page(app):
        status, text = _asked(port, "/metrics", with_token)
        assert status == 200
        assert read(text)['portal_processes{part="worker"}'] == 1
        assert read(text)['portal_process_start_time_seconds{part="worker"}'] > 0
        assert _asked(port, "/", with_token)[0] == 404
        if token:
            assert _asked(port, "/metrics", {})[0] == 404
            assert _asked(port, "/metrics", {"Authorization": "Bearer wrong"})[0] == 404


@on_one
def test_without_the_setting_or_a_token_a_worker_opens_no_door(make_app: MakeApp) -> None:
    port = free_port()
    with metrics_page(make_app()), pytest.raises(ConnectionRefusedError):
        _asked(port, "/metrics", {})
    app = make_app(WORKER_METRICS_PORT=str(port), HOST="127.0.0.2", PUBLIC_URL="http://localhost")

    with metrics_page(app):
        with pytest.raises(CannotListen, match=f"WORKER_METRICS_PORT: 127.0.0.1:{port}"), metrics_page(app):
            pass
        assert _asked(port, "/metrics", {})[0] == 200, "HOST counts only where a token is asked for"


def _asked(port: int, path: str, headers: dict[str, str]) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as line:
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        return answer.status, answer.read().decode()


@on_one
def test_whoever_had_to_wait_for_a_connection_is_counted(peopled: Flask) -> None:
    with peopled.app_context():
        pool = engine().pool
    before = pool.waits  # type: ignore[attr-defined]
    held = [pool.connect() for _ in range(15)]

    pool._timeout = 0.01  # type: ignore[attr-defined]
    with pytest.raises(Exception, match="QueuePool limit"):
        pool.connect()

    assert pool.waits == before + 1  # type: ignore[attr-defined]
    pool._timeout = 30  # type: ignore[attr-defined]
    for connection in held:
        connection.close()


# -- the log
@on_one
@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("203.0.113.77", "203.0.113.*"),
        ("2001:db8:77:1:2:3:4:5", "2001:0db8:0077:*"),
        ("unix:", "unknown"),
    ],
)
def test_the_line_of_a_request_names_the_line_of_its_client_masked(
    app: Flask, caplog: pytest.LogCaptureFixture, address: str, line: str
) -> None:
    with caplog.at_level(logging.INFO, "portal.request"):
        Visitor(app, address).open("/bantuan")

    written = logs.JsonLines().format(caplog.records[-1])
    assert json.loads(written)["line"] == line
    assert address not in written
