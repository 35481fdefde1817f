"""/status tells everybody whether the portal works, and nobody anything about anybody."""

from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from app.domain.indonesian_time import now
from app.domain.mail_delay import LATE_AFTER, shown_delay
from app.flows.reports.service_status import OLD_AFTER
from app.models.figures import Figures
from app.models.outbox_mail import Letter, OutboxMail
from app.models.pdm_window import PdmWindow
from app.runtime.db import unit_of_work
from app.web import service_state
from app.worker.figures import renew_figures
from tests.cast import BUDI, SARI, email_of
from tests.faults.post_office import PostOffice
from tests.flows.attacks.test_same_answer import statements
from tests.visitor import Visitor, logged_in, words_of

on_one = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _page(app: Flask) -> str:
    answer = Visitor(app).open("/status")
    assert answer.status_code == 200
    return words_of(answer)


def _counted_anew(app: Flask) -> None:
    with app.app_context():
        renew_figures()


def test_a_portal_at_work_says_how_soon_a_token_leaves_and_when_the_pdm_is_open(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        PdmWindow.write(session, None, date(2021, 7, 1), date(2021, 7, 31))
    _counted_anew(peopled)

    with statements(peopled) as seen:
        page = _page(peopled)

    assert "Portal Berjalan" in page
    assert "Token biasanya sampai ke server email dalam kurang dari 10 detik." in page
    assert "Pemutakhiran data secara nasional sudah ditutup pada 31 Juli 2021" in page
    assert len([one for one in seen if one.startswith(("SELECT", "WITH"))]) <= 4


def test_slow_mails_are_told_by_their_median_and_the_slowest(peopled: Flask) -> None:
    office = PostOffice(peopled)
    for _ in range(3):
        Visitor(peopled).ask_for_token(BUDI.nip, email_of(BUDI))
    office.deliver()
    with peopled.app_context(), unit_of_work() as session:
        for mail, seconds in zip(office.mails(), (20, 20, 70), strict=True):
            settled_at = mail.posted_at + timedelta(seconds=seconds)
            session.execute(update(OutboxMail).where(OutboxMail.id == mail.id).values(settled_at=settled_at))

    _counted_anew(peopled)

    assert "dalam kurang dari 30 detik, paling lama kurang dari 2 menit." in _page(peopled)


def test_mails_that_wait_too_long_are_late_and_are_not_lost(peopled: Flask) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        Visitor(peopled).ask_for_token(BUDI.nip, email_of(BUDI))
        clock.shift(LATE_AFTER + timedelta(seconds=1))
        _counted_anew(peopled)

        page = _page(peopled)

    assert "Pengiriman email sedang terlambat. Yang paling lama menunggu: kurang dari 5 menit." in page
    assert "tidak hilang" in page


@on_one
def test_a_worker_that_is_silent_is_told_and_so_is_one_that_never_was(peopled: Flask) -> None:
    assert "Pengirim email belum bekerja." in _page(peopled)

    with time_machine.travel(now(), tick=False) as clock:
        _counted_anew(peopled)
        clock.shift(OLD_AFTER + timedelta(seconds=1))

        assert "Pengirim email sedang tidak bekerja sejak " in _page(peopled)


@on_one
def test_without_its_database_the_page_says_so(peopled: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_away() -> None:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(service_state, "reading", is_away)

    page = _page(peopled)

    assert "Portal Terganggu" in page
    assert "Email dan token" not in page


def test_nobody_learns_from_it_whether_a_mail_has_left(peopled: Flask) -> None:
    """On a quiet day a stranger asks with the NIP and the address of somebody. A token, another answer, and a
    mail that is held back look the same here."""
    with time_machine.travel(now(), tick=False) as clock:
        pages = set()
        of_budi, wrong = (BUDI.nip, email_of(BUDI)), (SARI.nip, "seseorang@contoh.example")
        for asked in (None, of_budi, wrong, of_budi, of_budi, of_budi, of_budi):
            if asked:
                Visitor(peopled).ask_for_token(*asked)
            PostOffice(peopled).deliver()
            _counted_anew(peopled)
            pages.add(_page(peopled).split("Muat ulang")[1])
            clock.shift(10)

    assert len(pages) == 1


@on_one
def test_it_says_nothing_of_people_and_only_a_page_for_nobody_may_be_kept(peopled: Flask) -> None:
    office = PostOffice(peopled)
    office.post("seseorang@contoh.example")
    _counted_anew(peopled)

    page = Visitor(peopled).open("/status")

    assert page.headers["Cache-Control"] == "public, max-age=10"
    assert "Set-Cookie" not in page.headers
    letters = (letter.label for letter in Letter if letter is not Letter.TOKEN)
    for secret in ("Nusa", "@", "contoh", *letters):
        assert secret not in words_of(page)
    asked = Visitor(peopled)
    asked.open("/login")
    for known in (asked, logged_in(peopled, SARI)):
        assert known.open("/status").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "kurang dari 10 detik"), (10, "kurang dari 30 detik"), (59, "kurang dari 1 menit"),
     (899, "kurang dari 15 menit"), (3600, "lebih dari 1 jam")],
)  # fmt: skip
def test_a_delay_is_told_in_steps(seconds: int, words: str) -> None:
    assert shown_delay(timedelta(seconds=seconds)) == words


@on_one
def test_every_page_leads_to_it(peopled: Flask) -> None:
    assert 'href="/status"' in Visitor(peopled).open("/login").text
    with peopled.app_context(), unit_of_work() as session:
        session.add(Figures(id=1, made_at=now(), content={}))
    assert "Lancar" in _page(peopled), "a release that counts less is read too"
