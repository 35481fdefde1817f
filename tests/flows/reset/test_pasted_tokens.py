"""What people paste into the confirmation page, and how mail programs change links, over HTTP."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.domain.indonesian_time import now
from app.models import AuditEvent
from app.models.audit_event import Tag
from app.runtime.db import reading
from tests.cast import BUDI, JOKO, NEW_PASSWORD, SARI, WATI
from tests.desk import asked
from tests.flows.correction.test_correction_asked import link_for
from tests.inbox import Inbox, Mail
from tests.visitor import Visitor, logged_in, words_of

PAGE = "/konfirmasi-reset-password"
BEHIND = [
    ".",
    ">",
    ")",
    '"',
    "%20",
    "%3E",
    "%22",
    "?utm_source=mail",
    "&utm_source=mail",
    "/",
    "%3D%0A",
    "=%0ASalam",
    "%0D%0A",
    "*",
    "'",
    ",",
    "#x",
]
USERNAME = re.compile(r'<input[^>]*name="nip"[^>]*autocomplete="username"[^>]*>')


@pytest.fixture
def mail(visitor: Visitor, inbox: Inbox) -> Mail:
    visitor.ask_for_token(BUDI.nip, BUDI.email or "")
    return inbox.fetch_one()


def refused(app: Flask) -> int:
    with app.app_context(), reading() as db:
        return (
            db.scalar(select(func.count()).select_from(AuditEvent).where(AuditEvent.tag == Tag.TOKEN_REFUSED))
            or 0
        )


@pytest.mark.parametrize("around", ["*{}*", "Token: {}", "{}.", "Token Anda {} ya"])
def test_budi_pastes_more_than_the_code(visitor: Visitor, mail: Mail, around: str) -> None:
    assert visitor.reset_password(around.format(mail.code), NEW_PASSWORD).status_code == 303


@pytest.mark.parametrize("around", ["{}.", "{}?utm_source=mail", "<{}>"])
def test_budi_pastes_the_link(visitor: Visitor, mail: Mail, around: str) -> None:
    assert visitor.reset_password(around.format(mail.link), NEW_PASSWORD).status_code == 303


def test_budi_pastes_the_whole_mail(visitor: Visitor, mail: Mail) -> None:
    assert visitor.reset_password(mail.text, NEW_PASSWORD).status_code == 303


def test_what_cannot_be_a_token_is_no_try_at_one(peopled: Flask, visitor: Visitor, mail: Mail) -> None:
    for nip in (BUDI.nip, "197001011995011999"):
        for _ in range(12):
            answer = visitor.reset_password("bukan token", NEW_PASSWORD, nip)
            assert answer.status_code == 422
            assert "Token terdiri dari 8 huruf tanpa angka" in words_of(answer)

    assert refused(peopled) == 0
    assert visitor.reset_password(mail.code, NEW_PASSWORD).status_code == 303, "all of his tries are left"


def test_the_line_loses_nothing_by_it_either(visitor: Visitor, mail: Mail) -> None:
    statuses = {visitor.reset_password("bukan token", NEW_PASSWORD, BUDI.nip).status_code for _ in range(105)}

    assert statuses == {422}
    assert visitor.reset_password(mail.code, NEW_PASSWORD).status_code == 303


def test_a_mailed_link_opens_the_page_whatever_stands_behind_it(peopled: Flask, mail: Mail) -> None:
    for behind in BEHIND:
        opened = Visitor(peopled).client.get(mail.link + behind, follow_redirects=True)

        assert opened.request.path == PAGE, behind
        assert "Token dari email sudah terisi" in words_of(opened), behind


def test_the_links_of_a_correction_and_of_a_stop_open_too(peopled: Flask, inbox: Inbox) -> None:
    link, visitor = link_for(peopled, inbox), Visitor(peopled)
    plain = words_of(visitor.open(link))
    stop = f"/bukan-saya/{peopled.extensions['portal'].keys.stop_link('none-such-reference')}"
    assert "Alasan" in plain

    for behind in BEHIND:
        assert words_of(visitor.client.get(link + behind, follow_redirects=True)) == plain, behind
        answer = visitor.client.get(stop + behind, follow_redirects=True)
        assert answer.status_code == 404, (
            behind,
            "read, and of no change",
        )
        assert "Tautan ini tidak berlaku" in words_of(answer), (
            behind,
            "read, and of no change",
        )


@pytest.mark.parametrize("path", ["/login", "/lupa-password", "/perbaikan-email", "/bantuan"])
def test_the_pages_that_mails_name_open_whatever_stands_behind_them(visitor: Visitor, path: str) -> None:
    for behind in (".", ">", "%3E", "%22", ")", "&utm_source=mail", "%20", "=%0A"):
        assert visitor.client.get(path + behind, follow_redirects=True).request.path == path

    assert visitor.open("/tidak-ada.").status_code == 404
    assert visitor.open("/metrics.").status_code == 404


def test_all_spellings_of_a_correction_link_are_one_to_the_limits(peopled: Flask, inbox: Inbox) -> None:
    link = link_for(peopled, inbox)
    statuses = [
        Visitor(peopled, f"203.0.113.{number}").post(link + "." * number, name="x").status_code
        for number in range(1, 40)
    ]

    assert 429 in statuses


def test_the_nip_is_a_field_that_password_managers_know(peopled: Flask, visitor: Visitor, mail: Mail) -> None:
    asked_here = USERNAME.findall(visitor.open(PAGE).text)
    assert len(asked_here) == 1
    assert f'value="{BUDI.nip}"' in asked_here[0]
    assert " readonly" in asked_here[0]

    fresh = Visitor(peopled)
    assert len(USERNAME.findall(fresh.open(PAGE).text)) == 1
    fresh.open(mail.link)
    opened = fresh.open(PAGE)
    assert len(USERNAME.findall(opened.text)) == 1, "a link tells nobody the NIP"
    assert BUDI.nip not in opened.text, "a link tells nobody the NIP"
    assert "(opsional)" in words_of(opened)
    assert fresh.reset_password(mail.code, NEW_PASSWORD).status_code == 303

    login = Visitor(peopled).open("/login").text
    assert len(USERNAME.findall(login)) == 1
    assert 'autocomplete="current-password"' in login


def test_a_browser_that_fills_in_a_colleague_is_told_so_and_it_costs_nobody_a_try(
    peopled: Flask, mail: Mail
) -> None:
    shared = Visitor(peopled)
    shared.open(mail.link)

    answer = shared.reset_password(mail.code, NEW_PASSWORD, SARI.nip)

    assert answer.status_code == 422
    assert "milik NIP lain" in words_of(answer)
    assert refused(peopled) == 0
    assert shared.reset_password(mail.code, NEW_PASSWORD, BUDI.nip).status_code == 303


@pytest.mark.parametrize(
    "password", [f" {NEW_PASSWORD}", f"{NEW_PASSWORD} ", f"{NEW_PASSWORD}\u00a0", f"\u200b{NEW_PASSWORD}"]
)
def test_a_blank_at_an_end_of_a_new_password_is_asked_about(
    peopled: Flask, visitor: Visitor, mail: Mail, password: str
) -> None:
    question = visitor.reset_password(mail.code, password)
    assert question.status_code == 422
    assert "spasi" in words_of(question)
    assert 'name="blanks_meant"' in question.text
    assert NEW_PASSWORD not in question.text
    wrong = visitor.submit(
        PAGE, "/reset-password", nip=BUDI.nip, token="WDJB-MJHT", password=password, blanks_meant="ya"
    )
    assert wrong.status_code == 422, "asked once"
    assert re.search('name="blanks_meant" value="ya" checked', wrong.text), "asked once"

    meant = visitor.submit(
        PAGE, "/reset-password", nip=BUDI.nip, token=mail.code, password=password, blanks_meant="ya"
    )

    assert meant.status_code == 303
    assert Visitor(peopled).log_in(BUDI.nip, password).status_code == 303
    hint = Visitor(peopled).log_in(BUDI.nip, f"{NEW_PASSWORD}  ")
    assert hint.status_code == 422, "nothing is trimmed"
    assert "diakhiri spasi" in words_of(hint), "nothing is trimmed"


def test_who_types_it_again_without_the_blank_is_not_asked(visitor: Visitor, mail: Mail) -> None:
    assert 'name="blanks_meant"' not in visitor.open(PAGE).text
    visitor.reset_password(mail.code, f"{NEW_PASSWORD} ")
    assert 'name="blanks_meant"' not in visitor.reset_password(mail.code, f"{NEW_PASSWORD}\t").text, (
        "it is another fault"
    )

    assert visitor.reset_password(mail.code, NEW_PASSWORD).status_code == 303


def test_the_password_asked_again_at_the_desk_stands_beside_its_nip(peopled: Flask) -> None:
    correction = asked(peopled, JOKO, "joko.baru@gmail.com")
    with time_machine.travel(now(), tick=False) as clock:
        wati = logged_in(peopled, WATI)
        clock.shift(timedelta(minutes=15))
        page = wati.submit("/akun", f"/admin/perbaikan-email/{correction}/tolak", reason="Salah")
        assert page.status_code == 403
        assert f'value="{WATI.nip}"' in page.text
        assert 'autocomplete="username"' in page.text

        again = wati.submit("/akun", f"/admin/perbaikan-email/{correction}/tolak", reason="Salah",
        nip_sendiri=WATI.nip,
                            password_sekali_lagi="Bukan-Itu-1")  # fmt: skip
        assert again.status_code == 422
        assert again.text.count('name="nip_sendiri"') == 1
