"""Passwords and typed codes are compared in a few places, and each of them counts a try first."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.domain.indonesian_time import now
from app.models import AuditEvent, LoginSession, Tag
from app.runtime.db import reading, unit_of_work
from app.web.admins import PASSWORD_FIELD
from tests.cast import PASSWORD, SARI, WATI, Person
from tests.desk import person_id
from tests.visitor import Visitor, logged_in, words_of

APP = Path(__file__).parents[3] / "app"
GUESS = {
    "nip": WATI.nip,
    "password": "Salah-Sekali-1",
    "token": "WDJB-MJHT",
    PASSWORD_FIELD: "Salah-Sekali-1",
}


@pytest.mark.parametrize(
    ("compares", "places"),
    [
        (r"passwords\.verified\(", {"web/password_login.py": "log_in.begin("}),
        (
            r"\bcompare\(",
            {"web/password_login.py": "log_in.begin(", "web/admins.py": "confirm_password.begin("},
        ),
        (r"\.opens_code\(", {"flows/reset/redeem_token.py": "throttle.take("}),
    ],
)
def test_a_secret_is_compared_only_where_a_try_is_counted_before(
    compares: str, places: dict[str, str]
) -> None:
    found = {
        str(file.relative_to(APP)): file.read_text()
        for file in APP.rglob("*.py")
        if re.search(compares, file.read_text())
    }

    assert set(found) == set(places)
    for place, counts in places.items():
        assert counts in found[place], place


def _all_posts(app: Flask) -> list[str]:
    """Every address that takes a form, with values for its parts."""
    return sorted(
        {
            re.sub(r"<[^>]+>", "1", rule.rule)
            for rule in app.url_map.iter_rules()
            if "POST" in (rule.methods or ())
        }
    )


def _seen_wrong(app: Flask, tag: Tag, person: Person) -> int:
    with app.app_context(), reading() as session:
        account = person_id(app, person)
        return (
            session.scalar(
                select(func.count()).where(AuditEvent.tag == tag, AuditEvent.account_id == account)
            )
            or 0
        )


def _long_ago(app: Flask) -> None:
    """Let the last proof of the password be a while ago, in every session."""
    with app.app_context(), unit_of_work() as session:
        session.execute(update(LoginSession).values(proven_at=now() - timedelta(minutes=11)))


def test_a_stranger_who_guesses_at_every_form_has_the_tries_of_one(peopled: Flask) -> None:
    stranger = Visitor(peopled)
    for path in _all_posts(peopled):
        for _ in range(7):
            assert stranger.post(path, csrf_token=stranger.csrf_token("/login"), **GUESS).status_code < 500, (
                path
            )

    assert _seen_wrong(peopled, Tag.LOGIN_REFUSED, WATI) == 5
    assert _seen_wrong(peopled, Tag.TOKEN_REFUSED, WATI) == 5


def test_who_holds_a_stolen_session_guesses_at_every_form_with_the_tries_of_one(peopled: Flask) -> None:
    """The forms that ask for the password again and the login share one limit."""
    wati, thief = logged_in(peopled, WATI), Visitor(peopled)
    for name in ("masuk", "perangkat"):
        stolen = wati.client.get_cookie(name, "localhost")
        assert stolen is not None
        thief.client.set_cookie(name, stolen.value, domain="localhost")
    _long_ago(peopled)
    token = thief.csrf_token("/akun")

    paths = [
        path
        for path in _all_posts(peopled)
        if path not in ("/logout", "/akun/lupakan-browser", "/akun/akhiri-sesi-lain")
    ]
    for path in paths:
        for _ in range(3):
            assert thief.post(path, csrf_token=token, **GUESS).status_code < 500, path

    assert _seen_wrong(peopled, Tag.LOGIN_REFUSED, WATI) == 5
    assert Visitor(peopled).log_in(WATI.nip).status_code == 303, (
        "and her own login elsewhere is not stopped by it"
    )


def test_the_right_password_at_the_desk_is_no_guess(peopled: Flask) -> None:
    wati, sari = logged_in(peopled, WATI), person_id(peopled, SARI)
    for _ in range(7):
        _long_ago(peopled)
        token = wati.csrf_token("/akun")
        answer = wati.post(
            f"/admin/pegawai/{sari}/buka-batas", csrf_token=token, **{PASSWORD_FIELD: PASSWORD}
        )
        assert answer.status_code == 303


def test_an_admin_sees_where_a_login_is_held_up_and_lifts_it(peopled: Flask) -> None:
    wati, sari = logged_in(peopled, WATI), logged_in(peopled, SARI)
    sari.post_with_token("/beranda", "/logout")
    for browser in (sari, Visitor(peopled)):
        for _ in range(5):
            browser.log_in(SARI.nip, "Salah-Sekali-1")
    page = f"/admin/pegawai/{person_id(peopled, SARI)}"
    seen = words_of(wati.open(page))
    assert "Masuk dari browser baru" in seen
    assert "Masuk dari browser yang dikenal" in seen

    assert wati.post(f"{page}/buka-batas", csrf_token=wati.csrf_token("/akun")).status_code == 303

    assert "Masuk dari browser" not in words_of(wati.open(page))
    assert sari.log_in(SARI.nip).status_code == 303
    assert Visitor(peopled).log_in(SARI.nip).status_code == 303


def test_a_password_is_written_only_by_the_record_itself_which_then_forgets_browsers() -> None:
    assigns = re.compile(r"\.password_hash\s*=[^=]")
    writers = {str(file.relative_to(APP)) for file in APP.rglob("*.py") if assigns.search(file.read_text())}

    assert writers == {"models/user.py"}
