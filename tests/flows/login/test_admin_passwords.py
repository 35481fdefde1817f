"""A password that is older than the mandate and too weak for it opens a person's own pages, but not the
desk."""

import re

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.domain.indonesian_time import now, today_in_jakarta
from app.models import AdminMandate, AuditEvent, Role, Tag, User
from app.runtime.db import reading, unit_of_work
from app.security import passwords
from tests.cast import PASSWORD, RATNA, SARI, WATI, Person
from tests.desk import person_id
from tests.inbox import Inbox
from tests.visitor import Visitor, words_of

WEAK, STRONG = "Kuda-Laut7", "Kuda-Laut-Biru-77"
HELD_BACK = "Menu admin menunggu password yang lebih kuat"
COMMON = "Indonesia-2024!"


@pytest.fixture(scope="module")
def hashes() -> dict[str, str]:
    return {password: passwords.hashed(password) for password in (WEAK, STRONG, COMMON, "Sari-Wulandari-77!")}


def has_password(app: Flask, person: Person, password_hash: str) -> None:
    with app.app_context(), unit_of_work() as db:
        db.execute(update(User).where(User.nip == person.nip).values(password_hash=password_hash))


def appoint(app: Flask, person: Person, role: Role = Role.ADMIN_INSTANSI) -> None:
    with app.app_context(), unit_of_work() as db:
        user, today = db.get_one(User, person_id(app, person)), today_in_jakarta(now())
        instansi_id = user.instansi_id if role is Role.ADMIN_INSTANSI else None
        db.add(
            AdminMandate(
                user_id=user.id,
                role=role,
                instansi_id=instansi_id,
                sk_number="SK-1",
                starts_on=today,
                ends_on=today,
            )
        )


def entered(app: Flask, person: Person, password: str) -> Visitor:
    visitor = Visitor(app)
    assert visitor.log_in(person.nip, password).status_code == 303
    return visitor


@pytest.mark.parametrize("appointed_while_logged_in", [True, False])
def test_sari_is_appointed_and_her_password_is_too_weak(
    peopled: Flask, inbox: Inbox, hashes: dict[str, str], *, appointed_while_logged_in: bool
) -> None:
    has_password(peopled, SARI, hashes[WEAK])
    if appointed_while_logged_in:
        sari = entered(peopled, SARI, WEAK)
        appoint(peopled, SARI)
    else:
        appoint(peopled, SARI)
        sari = entered(peopled, SARI, WEAK)

    refused = sari.open("/admin/")
    assert refused.status_code == 403
    assert HELD_BACK in words_of(refused)
    assert "12 karakter" in words_of(refused)
    assert "Menu admin belum terbuka" in words_of(sari.open("/beranda"))
    assert sari.open("/akun").status_code == 200

    sari.submit("/beranda", "/logout")
    sari.ask_for_token(SARI.nip, SARI.email or "")
    code = inbox.fetch_one(SARI.email).code
    assert sari.reset_password(code, "Ikan-Lele7").status_code == 422, "as weak as before"
    assert sari.reset_password(code, STRONG).status_code == 303

    sari = entered(peopled, SARI, STRONG)
    assert sari.open("/admin/").status_code == 200
    assert "Menu admin belum terbuka" not in words_of(sari.open("/beranda"))


def test_no_page_of_the_desk_opens_and_no_act_of_it_is_done(peopled: Flask, hashes: dict[str, str]) -> None:
    has_password(peopled, RATNA, hashes[WEAK])
    ratna = entered(peopled, RATNA, WEAK)
    token = ratna.csrf_token("/akun")

    for rule in peopled.url_map.iter_rules():
        if not rule.rule.startswith("/admin"):
            continue
        path = re.sub("<[^>]+>", "1", re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule))
        for method in {"GET", "POST"} & set(rule.methods or ()):
            answer = ratna.open(path) if method == "GET" else ratna.post(path, csrf_token=token)
            assert answer.status_code == 403, (method, path)
            assert HELD_BACK in words_of(answer), (method, path)


@pytest.mark.parametrize("password", [COMMON, "Sari-Wulandari-77!"])
def test_what_is_common_or_personal_is_too_weak_however_long(
    peopled: Flask, hashes: dict[str, str], password: str
) -> None:
    has_password(peopled, SARI, hashes[password])
    appoint(peopled, SARI)

    assert entered(peopled, SARI, password).open("/admin/").status_code == 403


def test_who_has_a_strong_password_is_an_admin_with_the_next_click(peopled: Flask) -> None:
    sari = entered(peopled, SARI, PASSWORD)
    appoint(peopled, SARI)

    assert sari.open("/admin/").status_code == 200


def test_a_second_mandate_changes_nothing(peopled: Flask, hashes: dict[str, str]) -> None:
    has_password(peopled, WATI, hashes[WEAK])
    wati = entered(peopled, WATI, WEAK)
    appoint(peopled, WATI, Role.ADMIN_PUSAT)

    assert wati.open("/admin/").status_code == 403
    assert entered(peopled, WATI, WEAK).open("/admin/").status_code == 403


def test_without_a_mandate_nobody_hears_of_it(peopled: Flask, hashes: dict[str, str]) -> None:
    has_password(peopled, SARI, hashes[WEAK])
    sari = entered(peopled, SARI, WEAK)

    assert "Menu admin" not in words_of(sari.open("/beranda"))
    assert "tidak memegang mandat" in words_of(sari.open("/admin/"))


def test_the_trail_says_why_an_admin_could_not_act(peopled: Flask, hashes: dict[str, str]) -> None:
    has_password(peopled, WATI, hashes[WEAK])
    entered(peopled, WATI, WEAK).open("/admin/pegawai")

    with peopled.app_context(), reading() as db:
        event = db.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.ADMIN_REFUSED)).one()
    assert event.detail["reason"] == "password"
    assert event.detail["rule"] == "/admin/pegawai"
