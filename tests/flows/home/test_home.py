"""Beranda: who is greeted, what is open, what a person has prepared, and what a CPNS who waits may see."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from werkzeug.routing import Rule

from app.domain.categories import Activation
from app.domain.indonesian_time import now, today_in_jakarta
from app.flows.cpns.usual_wait import FEWEST_DECISIONS
from app.models import CpnsWait, Instansi, LoginSession, PdmWindow, User
from app.runtime.db import reading, unit_of_work
from app.wiring import create_app
from config import Settings
from tests.cast import BUDI, CINTA, DEWI, PASSWORD, SARI, WATI
from tests.conftest import SECRET_KEY, MakeApp, people
from tests.desk import person_id, user
from tests.visitor import Visitor, logged_in, words_of

HOME, PREPARE, WAITING = "/beranda", "/beranda/persiapan", "/status-akun"


@pytest.fixture
def sari(peopled: Flask) -> Visitor:
    return logged_in(peopled, SARI)


def ticked_on(page: str) -> set[str]:
    return set(re.findall(r'name="siap" value="([\w-]+)" checked', page))


def test_a_person_is_greeted_and_sees_their_whole_record(peopled: Flask) -> None:
    had_logged_in = {User.last_login_at: now() - timedelta(days=9)}
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(User).where(User.nip == SARI.nip).values(had_logged_in))

    home = words_of(logged_in(peopled, SARI).open(HOME))

    assert "Selamat datang kembali, Sari." in home
    of_record = ("Sari Wulandari", "19850312 201001 2 001", "Dinas Kesehatan", "sari@nusajaya.example", "PNS")
    assert all(one in home for one in (*of_record, "Pemerintah Kabupaten Nusa Jaya"))
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(User).where(User.nip == SARI.nip).values(last_login_at=None))
    assert "Selamat datang, Sari. Akun Anda sudah aktif." in words_of(logged_in(peopled, SARI).open(HOME))


@pytest.mark.parametrize(
    ("opens", "closes", "says", "has_picture"),
    [
        (-9, 10, "10 hari lagi", True),
        (-1, 0, "Hari ini hari terakhir", True),
        (0, 1, "1 hari lagi", True),
        (3, 9, "Belum dibuka", False),
        (-9, -1, "Ditutup", False),
    ],
)
def test_the_days_that_are_left_are_a_picture_and_words(
    peopled: Flask, sari: Visitor, opens: int, closes: int, says: str, *, has_picture: bool
) -> None:
    today = today_in_jakarta(now())
    with peopled.app_context(), unit_of_work() as session:
        of_sari = session.scalars(select(User.instansi_id).where(User.nip == SARI.nip)).one()
        days = (today + timedelta(days=opens), today + timedelta(days=closes))
        PdmWindow.write(session, of_sari, *days)

    home = sari.open(HOME)

    assert says in words_of(home)
    assert ('class="window__days"' in home.text) is has_picture


def test_ticks_are_kept_and_another_tab_takes_none_of_them_back(peopled: Flask, sari: Visitor) -> None:
    first, second = sari.open(HOME), sari.open(HOME)

    assert sari.submit(first, PREPARE, siap=["skp", "keluarga"]).status_code == 303
    sari.submit(second, PREPARE, siap=["cltn"])  # knows nothing of the two
    assert ticked_on(sari.open(HOME).text) == {"skp", "keluarga", "cltn"}
    sari.submit(HOME, PREPARE, siap=["skp"])
    sari.submit(second, PREPARE, siap=[])  # nothing was ticked there, and nothing is
    assert ticked_on(logged_in(peopled, SARI).open(HOME).text) == {"skp"}
    sari.post_with_token(HOME, PREPARE, siap=["diklat", "<script>", "9"], tadi="skp x 7")
    assert user(peopled, SARI).prepared == 0, "only the groups of the own kind can be ticked"


def test_ticks_are_nobody_elses(peopled: Flask, sari: Visitor) -> None:
    sari.submit(HOME, PREPARE, siap=["skp"])

    assert user(peopled, BUDI).prepared == 0
    stranger = Visitor(peopled)
    assert stranger.post_with_token("/login", PREPARE, siap=["skp"]).location == f"/login?next={HOME}"


@pytest.mark.parametrize("url", [None, "https://pdm.example.go.id/isi?tahun=2026"])
def test_filling_in_is_another_applications_work(
    make_app: MakeApp, password_hash: str, url: str | None
) -> None:
    app = make_app(**{"PDM_URL": url} if url else {})
    people(app, password_hash)

    home = logged_in(app, SARI).open(HOME)

    assert "Data PDM diisi di aplikasi lain" in words_of(home)
    assert ("Buka aplikasi PDM" in home.text) is bool(url)
    assert not url or f'href="{url}"' in home.text


def _waiting(app: Flask) -> Visitor:
    cinta = Visitor(app)
    assert cinta.log_in(CINTA.nip).location == WAITING
    return cinta


def test_a_cpns_who_waits_reads_the_same_home(peopled: Flask) -> None:
    cinta = _waiting(peopled)

    home = cinta.open(WAITING)

    shown = ("Selamat datang, Cinta.", "menunggu persetujuan", "Jadwal PDM", "Riwayat Jabatan", "SK jabatan")
    assert all(one in words_of(home) for one in (*shown, "Dinas Perhubungan", "helpdesk@nusajaya.example"))
    assert re.findall(r'<form[^>]* action="([^"]+)"', home.text) == ["/logout"]
    with peopled.app_context(), reading() as session:
        assert not session.scalars(select(LoginSession.id_hash)).all(), "there is no session"
    assert cinta.open(WAITING).status_code == 200, "a reload shows it again"
    cinta.submit(cinta.open(WAITING), "/logout")
    assert cinta.open(WAITING).location == "/login"


def _rules() -> list[Rule]:
    environ = {"PORTAL_ENV": "test", "DATABASE_URL": "sqlite://", "SECRET_KEY": SECRET_KEY}
    return list(create_app(Settings.from_env(environ)).url_map.iter_rules())


def test_a_cpns_who_waits_gets_everywhere_else_what_a_stranger_gets(peopled: Flask) -> None:
    """All routes: the note in the browser opens one page."""
    cinta, stranger = _waiting(peopled), Visitor(peopled)
    tokens = {cinta: cinta.csrf_token(WAITING), stranger: stranger.csrf_token("/lupa-password")}
    values = {"person_id": person_id(peopled, CINTA), "filename": "css/portal.css", "link": "x", "name": "x"}
    adapter, seen = peopled.url_map.bind("localhost"), 0
    for rule in _rules():
        known = {name: values.get(name, "csv" if name == "kind" else 1) for name in rule.arguments}
        path = adapter.build(rule.endpoint, {**known, **(rule.defaults or {})})
        if path in (WAITING, "/logout"):
            continue
        for method in {"GET", "POST"} & (rule.methods or set()):
            answers = []
            for visitor, token in tokens.items():
                ask = visitor.open if method == "GET" else lambda at: visitor.post(at, csrf_token=token)  # noqa: B023
                answer = ask(path)
                answers.append((answer.status_code, answer.location))
            assert answers[0] == answers[1], (method, path)
            seen += 1
    assert seen > 100
    assert "Cinta Maharani" in cinta.open(WAITING).text, "and the page is still there"


@pytest.mark.parametrize("activation", [Activation.NOT_ACTIVATED, Activation.DEACTIVATED])
def test_what_is_decided_about_a_cpns_shows_at_once(peopled: Flask, activation: Activation) -> None:
    cinta = _waiting(peopled)
    with peopled.app_context(), unit_of_work() as session:
        person = session.scalars(select(User).where(User.nip == CINTA.nip)).one()
        person.change_activation(activation, now())

    page = words_of(cinta.open(WAITING))

    assert ("dinonaktifkan" if activation is Activation.DEACTIVATED else "Akun Anda sudah dibuka") in page
    assert "Dinas Perhubungan" not in page, "the record belongs to the account as it was"


def test_any_change_of_the_account_takes_the_record_off_the_page(peopled: Flask) -> None:
    cinta = _waiting(peopled)
    with peopled.app_context(), unit_of_work() as session:
        session.scalars(select(User).where(User.nip == CINTA.nip)).one().end_all_access()

    page = words_of(cinta.open(WAITING))

    assert "menunggu persetujuan" in page
    assert "Dinas Perhubungan" not in page


def test_the_usual_wait_comes_from_the_own_instansi_and_only_from_enough_decisions(peopled: Flask) -> None:
    cinta = _waiting(peopled)
    too_few = "keputusan dalam setahun ini masih terlalu sedikit"
    assert too_few in words_of(cinta.open(WAITING))
    with peopled.app_context(), unit_of_work() as session:
        here, there = (
            session.scalars(select(Instansi.id).where(Instansi.code == code)).one()
            for code in ("7301", "3402")
        )
        long_ago = now() - timedelta(days=400)
        for number in range(FEWEST_DECISIONS - 1):
            session.add(CpnsWait(instansi_id=here, decided_at=now(), hours=48 + 24 * number))
            session.add(CpnsWait(instansi_id=there, decided_at=now(), hours=1))
            session.add(CpnsWait(instansi_id=here, decided_at=long_ago, hours=1))
    assert too_few in words_of(cinta.open(WAITING))

    with time_machine.travel(now() + timedelta(days=6)):
        wati = logged_in(peopled, WATI)
        page = f"/admin/cpns/tolak?person={person_id(peopled, CINTA)}"
        wati.submit(
            page, "/admin/cpns/tolak", person=[str(person_id(peopled, CINTA))], reason="Belum lengkap"
        )
    with peopled.app_context(), unit_of_work() as session:
        assert CpnsWait.last_of(session, here, now(), 1)[0] >= 144, "Wati has decided after six days"
        person = session.scalars(select(User).where(User.nip == CINTA.nip)).one()
        person.change_activation(Activation.WAITING_APPROVAL, now())
    assert "dari 5 keputusan terakhir di instansi Anda, separuhnya keluar dalam 4 hari" in words_of(
        _waiting(peopled).open(WAITING)
    )


def test_a_name_is_only_ever_text(peopled: Flask) -> None:
    evil = '"><script>alert(1)</script>'
    with peopled.app_context(), unit_of_work() as session:
        for person in (SARI, CINTA):
            session.scalars(select(User).where(User.nip == person.nip)).one().name = evil

    pages = (logged_in(peopled, SARI).open(HOME).text, _waiting(peopled).open(WAITING).text)

    assert not [page for page in pages if "<script>alert" in page]
    assert all("&lt;script&gt;" in page for page in pages)


def test_a_pppk_has_a_list_of_their_own(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        of_sari = session.scalars(select(User.password_hash).where(User.nip == SARI.nip)).one()
        session.execute(update(User).where(User.nip == DEWI.nip).values(password_hash=of_sari))
    dewi = Visitor(peopled)
    assert dewi.log_in(DEWI.nip, PASSWORD).status_code == 303

    assert re.findall(r'name="siap" value="([\w-]+)"', dewi.open(HOME).text) == [
        "data-personal", "diklat", "penghargaan", "keluarga", "organisasi",
    ]  # fmt: skip
