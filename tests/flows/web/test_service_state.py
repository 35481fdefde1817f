"""Beside the login stands how the service is doing, read now and then and not for each visitor."""

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.models.pdm_window import PdmWindow
from app.runtime.db import unit_of_work
from app.web import kept_pages, service_state
from app.web.service_state import SECONDS_TO_KEEP
from app.worker.figures import renew_figures
from tests.cast import PASSWORD, SARI
from tests.flows.attacks.test_same_answer import statements
from tests.visitor import Visitor, logged_in, words_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Clock:
    """The seconds that pass for what is kept."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (kept_pages, service_state):
        monkeypatch.setattr(module, "monotonic", clock)
    return clock


def _open_until(app: Flask, closes: date) -> None:
    with app.app_context(), unit_of_work() as session:
        PdmWindow.write(session, None, today_in_jakarta(now()), closes)


def _login(app: Flask) -> str:
    return words_of(Visitor(app).open("/login"))


def test_the_first_page_says_how_the_service_is_doing(peopled: Flask) -> None:
    closes = today_in_jakarta(now()) + timedelta(days=30)
    _open_until(peopled, closes)
    with peopled.app_context():
        renew_figures()

    page = _login(peopled)

    assert "Portal Berjalan Email token Lancar" in page
    assert f"Dibuka sampai {shown_date(closes)}" in page


def test_it_is_read_once_for_all_who_come_within_some_seconds(peopled: Flask, clock: Clock) -> None:
    counts = []
    for _ in range(3):
        with statements(peopled) as seen:
            for _ in range(5):
                assert "Status saat ini" in _login(peopled)
        counts.append(len([one for one in seen if one.startswith("SELECT")]))
        clock.seconds += SECONDS_TO_KEEP

    assert counts == [2, 2, 2]


def test_a_new_state_is_there_after_some_seconds(peopled: Flask, clock: Clock) -> None:
    first, second = (today_in_jakarta(now()) + timedelta(days=days) for days in (30, 60))
    _open_until(peopled, first)
    assert shown_date(first) in _login(peopled)
    _open_until(peopled, second)

    assert shown_date(first) in _login(peopled)
    clock.seconds += SECONDS_TO_KEEP

    assert shown_date(second) in _login(peopled)


def test_while_one_makes_the_page_anew_the_others_get_the_old_one(
    peopled: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nobody but one waits for a database that does not answer."""
    _login(peopled)
    clock.seconds += SECONDS_TO_KEEP
    meanwhile: list[str] = []

    def is_slow() -> None:
        monkeypatch.setattr(service_state, "reading", _must_not_be_asked)
        meanwhile.append(_login(peopled))
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(service_state, "reading", is_slow)
    after = _login(peopled)

    assert "Portal Berjalan" in meanwhile[0]
    assert "Portal Terganggu" in after
    assert "Portal Terganggu" in _login(peopled), "kept as well, without the database"


def _must_not_be_asked() -> None:
    pytest.fail("asked again")


def test_a_refusal_and_a_login_do_not_look(peopled: Flask, clock: Clock) -> None:
    visitor = Visitor(peopled)
    form = {"csrf_token": visitor.csrf_token("/login"), "nip": SARI.nip}
    clock.seconds += SECONDS_TO_KEEP

    with statements(peopled) as seen:
        assert visitor.post("/login", **form, password="Salah-Sekali-1").status_code == 422
        assert visitor.post("/login", **form, password=PASSWORD).status_code == 303

    assert not [one for one in seen if "figures" in one or "pdm_window" in one]


def test_whoever_has_just_left_sees_what_is_known(peopled: Flask) -> None:
    sari = logged_in(peopled, SARI)
    sari.post_with_token("/beranda", "/logout")

    page = words_of(sari.open("/login"))

    assert "Anda sudah keluar." in page
    assert "Status saat ini" in page
