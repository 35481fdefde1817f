"""Logging in, staying logged in, logging out."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.domain.indonesian_time import now
from tests.cast import CINTA, DEWI, PASSWORD, RAKA, SARI, STRANGERS_NIP, TONO
from tests.conftest import MakeApp, people
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of


@pytest.mark.parametrize("nip", [SARI.nip, DEWI.nip, CINTA.nip, TONO.nip, STRANGERS_NIP])
def test_a_wrong_password_gets_one_answer_whoever_it_is(visitor: Visitor, nip: str) -> None:
    answer = visitor.log_in(nip, "Salah-Sekali-1")

    assert answer.status_code == 422
    assert "NIP dan password tidak cocok" in words_of(answer)
    assert nip in answer.text
    assert "Salah-Sekali-1" not in answer.text


def test_a_login_gets_a_new_session_and_keeps_no_old_one(visitor: Visitor) -> None:
    visitor.log_in(SARI.nip)
    first = visitor.client.get_cookie("masuk", "localhost")
    assert first is not None
    assert first.http_only
    assert first.same_site == "Lax"

    elsewhere = visitor.csrf_token("/beranda")
    visitor.post("/login", csrf_token=elsewhere, nip=SARI.nip, password=PASSWORD)
    second = visitor.client.get_cookie("masuk", "localhost")

    assert second is not None
    assert second.value != first.value
    visitor.client.set_cookie("masuk", first.value, domain="localhost")
    assert not visitor.is_logged_in()


def test_logout_is_a_post_and_ends_the_session_on_the_server(visitor: Visitor) -> None:
    visitor.log_in(SARI.nip)
    cookie = visitor.client.get_cookie("masuk", "localhost")
    assert cookie is not None
    assert visitor.open("/logout").status_code == 303
    assert visitor.is_logged_in()

    assert visitor.submit("/beranda", "/logout").status_code == 303

    visitor.client.set_cookie("masuk", cookie.value, domain="localhost")
    assert not visitor.is_logged_in()


def test_a_session_ends_after_half_an_hour_without_use(visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        for _ in range(3):
            clock.shift(timedelta(minutes=29))
            assert visitor.is_logged_in()

        clock.shift(timedelta(minutes=31))

        assert visitor.open("/beranda").location == "/login?next=/beranda"


def test_a_session_ends_after_twelve_hours_of_use(visitor: Visitor) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        visitor.log_in(SARI.nip)
        for _ in range(12 * 60 // 20 - 1):
            clock.shift(timedelta(minutes=20))
            assert visitor.is_logged_in()

        clock.shift(timedelta(minutes=21))

        assert not visitor.is_logged_in()


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/akun", "/akun"),
        ("/akun?a=1", "/akun?a=1"),
        ("//evil.example", "/beranda"),
        ("https://evil.example/", "/beranda"),
        ("/\\evil.example", "/beranda"),
        ("\\/evil.example", "/beranda"),
        ("/\r\nSet-Cookie:x=1", "/beranda"),
        ("javascript:alert(1)", "/beranda"),
        ("/\t/evil.example", "/beranda"),
    ],
)
def test_next_leads_only_to_paths_of_this_site(peopled: Flask, wanted: str, led_to: str) -> None:
    visitor = Visitor(peopled)

    answer = visitor.client.post(
        "/login",
        query_string={"next": wanted},
        data={"csrf_token": visitor.csrf_token("/login"), "nip": SARI.nip, "password": PASSWORD},
    )

    assert answer.location == led_to


def test_tono_learns_why_only_with_the_right_password(visitor: Visitor) -> None:
    answer = visitor.log_in(TONO.nip)

    page = words_of(visitor.open(answer.location))
    assert "dinonaktifkan" in page
    assert "Admin Pemerintah Kabupaten Nusa Jaya" in page
    assert not visitor.is_logged_in()


def test_the_status_page_is_only_for_who_has_shown_the_password(visitor: Visitor) -> None:
    assert visitor.open("/status-akun").location == "/login"


def test_the_home_page_tells_who_one_is_and_what_will_be_asked(peopled: Flask) -> None:
    home = words_of(logged_in(peopled, SARI).open("/beranda"))

    assert "19850312 201001 2 001" in home
    assert "Dinas Kesehatan" in home
    assert "loket 3" in home
    assert "Riwayat Jabatan" in home
    assert "hari lagi" in home
    assert "Belum dibuka" in words_of(logged_in(peopled, RAKA).open("/beranda")), (
        "the own window of the instansi overrides"
    )


def test_the_window_is_set_from_the_command_line(peopled: Flask) -> None:
    runner = peopled.test_cli_runner()

    closed = runner.invoke(
        args=["pdm", "set", "--opens", "2021-07-01", "--closes", "2021-10-31", "--instansi", "7301"]
    )
    assert closed.exit_code == 0, closed.output

    assert "Ditutup" in words_of(logged_in(peopled, SARI).open("/beranda"))
    assert (
        runner.invoke(args=["pdm", "set", "--opens", "2021-07-02", "--closes", "2021-07-01"]).exit_code == 1
    )
    assert (
        runner.invoke(
            args=["pdm", "set", "--opens", "2021-07-01", "--closes", "2021-07-02", "--instansi", "x"]
        ).exit_code
        == 1
    )
    assert runner.invoke(args=["pdm", "set", "--opens", "kemarin", "--closes", "2021-07-02"]).exit_code == 2


def test_other_sessions_can_be_ended(peopled: Flask) -> None:
    phone, laptop = logged_in(peopled, SARI), logged_in(peopled, SARI)

    assert phone.submit("/akun", "/akun/akhiri-sesi-lain").status_code == 303

    assert phone.is_logged_in()
    assert not laptop.is_logged_in()


@pytest.mark.parametrize("path", ["/beranda", "/akun"])
def test_a_stranger_is_asked_to_log_in_first(visitor: Visitor, path: str) -> None:
    answer = visitor.open(path)

    assert (answer.status_code, answer.location) == (303, f"/login?next={path}")


def test_https_gives_host_cookies_and_hsts(make_app: MakeApp, password_hash: str) -> None:
    app = make_app(PUBLIC_URL="https://mysapk.example")
    people(app, password_hash)
    client = app.test_client()
    page = client.get("/login", base_url="https://mysapk.example")
    token = page.text.split('name="csrf_token" type="hidden" value="')[1].split('"')[0]

    answer = client.post(
        "/login",
        base_url="https://mysapk.example",
        data={"csrf_token": token, "nip": SARI.nip, "password": PASSWORD},
    )

    assert answer.status_code == 303
    assert "Strict-Transport-Security" in answer.headers
    cookies = answer.headers.getlist("Set-Cookie")
    assert any(cookie.startswith("__Host-masuk=") for cookie in cookies)
    assert all(
        "Secure" in cookie and "HttpOnly" in cookie and "Path=/" in cookie and "Domain" not in cookie
        for cookie in cookies
    )


def test_keys_rotate_without_ending_what_was_mailed(make_app: MakeApp, password_hash: str) -> None:
    old, new = "an old key of more than thirty-two characters", "a new key of more than thirty-two characters"
    before = make_app(SECRET_KEY=old)
    people(before, password_hash)
    Visitor(before).ask_for_token(SARI.nip, SARI.email or "")
    mail = Inbox(before).fetch_one()

    after = Visitor(make_app(SECRET_KEY=new, SECRET_KEY_FALLBACKS=old))

    assert after.open(mail.link).status_code == 303
    assert after.reset_password(mail.code, "Kuda-Laut7", nip=SARI.nip).status_code == 303
