"""The login page says why somebody is there, in one sentence for each reason, and where they return to."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.domain.indonesian_time import now
from app.models import User
from app.runtime.db import unit_of_work
from app.web.words.pages import NAMES_OF_PAGES
from tests.cast import PASSWORD, SARI, TONO, WATI
from tests.desk import person_id
from tests.visitor import Visitor, logged_in, words_of

IDLE = "karena tidak ada aktivitas selama 30 menit."
TOO_LONG = "karena sudah 12 jam sejak Anda masuk."
CHANGED = "karena password atau data akun Anda berubah."
GONE = "karena Anda keluar, sesi itu diakhiri dari perangkat lain, atau password baru dibuat."
BY_DESK = "karena admin mengakhiri semua sesi akun Anda."
NEEDED = "Halaman Akun hanya dapat dibuka setelah Anda masuk."
RETURNS = "Setelah masuk, Anda dibawa ke halaman Akun."
REASONS = (IDLE, TOO_LONG, CHANGED, GONE, BY_DESK, NEEDED)
# Not behind the login, or answers to scripts
_NOT_BEHIND = ("account.left",)


def said_at_login(visitor: Visitor) -> str:
    """What the login page says to somebody who opens the account's page."""
    page = visitor.client.get("/akun", follow_redirects=True)
    assert page.request.path == "/login"
    return words_of(page)


def only(reason: str, said: str) -> bool:
    return [one for one in REASONS if one in said] == [reason]


def test_a_page_that_needs_a_login_says_so_and_is_opened_after_it(visitor: Visitor) -> None:
    said = said_at_login(visitor)

    assert only(NEEDED, said)
    assert RETURNS in said
    refused = visitor.log_in(SARI.nip, "Salah-Sekali-1", page="/login?next=/akun")
    assert RETURNS in words_of(refused)
    assert visitor.log_in(SARI.nip, PASSWORD, page="/login?next=/akun").location == "/akun"


def test_an_idle_session_and_one_that_lasted_too_long_say_which(visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        clock.shift(timedelta(minutes=31))
        said = said_at_login(visitor)
        assert only(IDLE, said)
        assert RETURNS in said

        visitor.log_in(SARI.nip)
        for _ in range(12 * 60 // 20):
            clock.shift(timedelta(minutes=20))
            visitor.open("/beranda")
        assert only(TOO_LONG, said_at_login(visitor))


def test_a_logout_elsewhere_and_an_ended_session_say_so(peopled: Flask) -> None:
    phone, laptop = logged_in(peopled, SARI), logged_in(peopled, SARI)
    laptop.submit("/akun", "/akun/akhiri-sesi-lain")

    assert only(GONE, said_at_login(phone))
    assert laptop.is_logged_in()


def test_a_change_of_the_account_says_so(peopled: Flask, visitor: Visitor) -> None:
    visitor.log_in(SARI.nip)
    with peopled.app_context(), unit_of_work() as db:
        db.scalars(select(User).where(User.nip == SARI.nip)).one().credential_version += 1

    assert only(CHANGED, said_at_login(visitor))


def test_sessions_that_an_admin_has_ended_say_so(peopled: Flask) -> None:
    phone, laptop, wati = logged_in(peopled, SARI), logged_in(peopled, SARI), logged_in(peopled, WATI)

    wati.submit(f"/admin/pegawai/{person_id(peopled, SARI)}/akhiri-sesi", reason="Ponsel hilang")

    for browser in (phone, laptop):
        assert only(BY_DESK, said_at_login(browser))
    assert phone.log_in(SARI.nip).location == "/beranda"


def test_whoever_has_logged_out_here_reads_only_that(visitor: Visitor) -> None:
    visitor.log_in(SARI.nip)

    visitor.submit("/akun", "/logout")

    said = words_of(visitor.open("/login"))
    assert "Anda sudah keluar." in said
    assert not any(reason in said for reason in REASONS)


def test_the_page_that_left_by_itself_says_so_and_returns(visitor: Visitor) -> None:
    visitor.log_in(SARI.nip)
    page = visitor.open("/akun?x=1")
    assert 'data-login="/login?sesi=berakhir&amp;next=/akun"' in page.text

    assert "Sesi Anda sudah berakhir." in words_of(
        Visitor(visitor.client.application).open("/login?sesi=berakhir")
    )


def test_a_form_that_was_sent_too_late_returns_to_its_page(visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        token = visitor.csrf_token("/akun")
        clock.shift(timedelta(minutes=31))

        answer = visitor.post("/akun/lupakan-browser", csrf_token=token)

        said = words_of(visitor.open(answer.location))
        assert answer.location == "/login?next=/akun"
        assert only(IDLE, said)
        assert "Isian Anda belum diproses" in said


def test_the_status_of_an_account_that_is_shown_no_more_says_why(visitor: Visitor) -> None:
    assert "sebentar setelah password" in words_of(visitor.client.get("/status-akun", follow_redirects=True))
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(TONO.nip)
        clock.shift(timedelta(minutes=31))

        said = words_of(visitor.client.get("/status-akun", follow_redirects=True))

        assert "Masuk sekali lagi untuk melihatnya" in said


def test_a_session_that_is_over_is_told_at_no_other_page(visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        clock.shift(timedelta(minutes=31))

        for path in ("/lupa-password", "/bantuan", "/konfirmasi-reset-password"):
            assert "Sesi Anda sudah berakhir" not in words_of(visitor.open(path)), path


def test_every_page_behind_the_login_has_a_name(peopled: Flask) -> None:
    stranger = Visitor(peopled)
    for rule in peopled.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.arguments or rule.endpoint in _NOT_BEHIND:
            continue
        answer = stranger.open(rule.rule)
        if answer.status_code == 303 and answer.location.startswith("/login?next="):
            shown = words_of(stranger.open(answer.location))
            assert "Setelah masuk, Anda dibawa ke halaman" in shown, rule.rule
    desk = {
        rule.endpoint.rpartition(".")[0]
        for rule in peopled.url_map.iter_rules()
        if rule.rule.startswith("/admin")
    }
    assert desk <= set(NAMES_OF_PAGES)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://jahat.example", "//jahat.example", "/\\jahat.example", "/%5Cjahat.example",
        "javascript:alert(1)",
        "/\tjahat", "beranda", "/tidak-ada", "/static/js/portal.js", "/logout", "/akun/sisa-sesi", "/healthz",
        "/akun//jahat.example/..", "/admin/../../jahat", "",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(peopled: Flask, wanted: str) -> None:
    visitor = Visitor(peopled)
    path = f"/login?next={wanted}"
    assert "Anda dibawa ke" not in words_of(visitor.open(path))

    assert visitor.log_in(WATI.nip, PASSWORD, page=path).location == "/beranda"


@pytest.mark.parametrize(
    ("wanted", "name"), [("/admin", "Ringkasan admin"), ("/admin/pegawai?cari=x", "Pegawai")]
)
def test_a_page_of_the_desk_is_named_by_its_section(visitor: Visitor, wanted: str, name: str) -> None:
    path = f"/login?next={wanted}"
    assert f"Anda dibawa ke halaman {name}." in words_of(visitor.open(path))

    assert visitor.log_in(WATI.nip, PASSWORD, page=path).location == wanted
