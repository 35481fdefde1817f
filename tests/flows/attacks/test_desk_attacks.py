"""What attackers try at the desk, and people whose link a mail program has cut. It is refused and breaks
nothing."""

import base64
import json
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from threading import Barrier
from time import sleep
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from app.domain.categories import Activation
from app.domain.corrections import CorrectionState
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import now, today_in_jakarta
from app.models import (
    AdminMandate,
    AuditEvent,
    EmailCorrection,
    IdentityChange,
    Instansi,
    LoginSession,
    OutboxMail,
    Tag,
    User,
)
from app.models.admin_mandate import Role
from app.models.outbox_mail import MailState
from app.models.reset_request import ResetRequest
from app.runtime.db import reading, unit_of_work
from tests.cast import BUDI, CINTA, HADI, JOKO, PASSWORD, RAKA, RATNA, SARI, WATI, Person
from tests.desk import asked, changes_take_effect, correction, latest_change, person_id, user
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in

LISTS = {
    "/admin/": ("instansi", "cari", "hal"),
    "/admin/perbaikan-email": ("lihat", "setelah", "instansi"),
    "/admin/perbaikan-email/beberapa": ("pilih",),
    "/admin/perbaikan-email/hasil": ("pilih", "tetap"),
    "/admin/cpns": ("instansi", "nip", "setelah"),
    "/admin/cpns/setujui": ("person",),
    "/admin/cpns/tolak": ("person",),
    "/admin/pegawai": ("nip", "nama", "email", "status", "kategori", "unit", "macet", "instansi", "lanjut"),
    "/admin/impor": ("sebelum",),
    "/admin/mandat": ("cari", "instansi", "keadaan", "sebelum"),
    "/admin/instansi": ("cari", "setelah"),
    "/admin/audit": ("jenis", "nip", "oleh", "dari", "sampai", "lanjut"),
}


def _place(*keys: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


SEVEN = chr(0x0667)  # a digit that is not ASCII
NONSENSE = (
    "\0", "7301\0", chr(0xD800), "%", "_", "'", "\\", "a" * 6000, "-1", "-" + "9" * 30, "9" * 30, "9" * 18,
    "2147483648",
    SEVEN, SEVEN * 18, "1e9", "+1", " 1", "1_0", "0x1", "nan", "9999999999999999-" + "9" * 20,
    "9999999999999999-1", "-1-1",
    "1-" + SEVEN, "0001-01-01", "9999-12-31", "<script>", "\u202e", "{{7*7}}",
    _place("macet-token", None, "2026-01-01T00:00:00+00:00", 1),
    _place("macet-token", 1, 1, "2026-01-01T00:00:00+00:00", 1),
    _place("macet-token", None, 1, "0001-01-01T00:00:00+00:00", 1), _place("nama", None, "a" * 9000, 1),
    _place("nip", 1, "9"),
    _place("email", None), _place({}), _place("nama", None, "\ud800", 1),
)  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_nonsense_in_an_address_breaks_no_list(peopled: Flask, path: str) -> None:
    broken = []
    for admin in (WATI, RATNA):
        visitor = logged_in(peopled, admin)
        for field in LISTS[path]:
            for nonsense in NONSENSE:
                for more in ("", "&macet=token", "&nama=sari") if field == "lanjut" else ("",):
                    address = f"{path}?{field}={quote(nonsense, errors='surrogatepass')}{more}"
                    if visitor.open(address).status_code not in (200, 303, 404, 422):
                        broken.append(address[:120])
    assert broken == []


def _admin_of_7301(app: Flask, person: Person) -> None:
    """Make somebody an admin at the same desk as Wati."""
    with app.app_context(), unit_of_work() as session:
        today = today_in_jakarta(now())
        session.add(
            AdminMandate(
                user_id=session.scalars(select(User.id).where(User.nip == person.nip)).one(),
                role=Role.ADMIN_INSTANSI,
                instansi=Instansi.with_code(session, "7301"), sk_number="SK-9", starts_on=today,
                ends_on=today + timedelta(days=9),
            )
        )  # fmt: skip


def _all_at_once(acts: list[Callable[[], int]]) -> list[int]:
    start = Barrier(len(acts))

    def run(act: Callable[[], int]) -> int:
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as crowd:
        return list(crowd.map(run, acts))


def _poster(visitor: Visitor, path: str, **fields: str) -> Callable[[], int]:
    """Open the form now. Returns a function that sends it later."""
    token = visitor.csrf_token("/akun")
    return lambda: visitor.post(path, csrf_token=token, **fields).status_code


def _revoke_mandate(session: Session, wati: User) -> None:
    session.execute(update(AdminMandate).where(AdminMandate.user_id == wati.id).values(revoked_at=now()))


def _deactivate(_session: Session, wati: User) -> None:
    wati.deactivate("admin pusat", "Pensiun", now())


@pytest.mark.parametrize("shut_out", [_revoke_mandate, _deactivate])
def test_an_act_that_waited_while_its_admin_was_shut_out_does_not_happen(
    peopled: Flask, shut_out: Callable[[Session, User], None]
) -> None:
    wati, joko = logged_in(peopled, WATI), person_id(peopled, JOKO)
    act = _poster(wati, f"/admin/pegawai/{joko}/nonaktifkan", reason="Meninggal")

    with ThreadPoolExecutor(1) as crowd:
        with peopled.app_context(), unit_of_work() as session:
            User.with_id(session, joko, lock=True)
            waiting = crowd.submit(act)
            sleep(1)
            shut_out(session, session.scalars(select(User).where(User.nip == WATI.nip)).one())
        status = waiting.result()

    assert status == 403
    assert user(peopled, JOKO).activation is Activation.NOT_ACTIVATED


def test_two_admins_who_act_on_each_other_do_not_wait_in_a_ring(peopled: Flask) -> None:
    _admin_of_7301(peopled, SARI)
    wati, sari = logged_in(peopled, WATI), logged_in(peopled, SARI)
    on_sari, on_wati = (f"/admin/pegawai/{person_id(peopled, one)}/buka-batas" for one in (SARI, WATI))

    for _ in range(10):
        assert _all_at_once([_poster(wati, on_sari), _poster(sari, on_wati)]) == [303, 303]


def test_who_opens_the_form_for_an_address_is_on_record_like_who_opens_the_page(peopled: Flask) -> None:
    logged_in(peopled, WATI).open(f"/admin/pegawai/{person_id(peopled, SARI)}/email")

    with peopled.app_context(), reading() as session:
        opened = select(AuditEvent).where(AuditEvent.tag == Tag.PERSON_OPENED)
        assert [event.account_id for event in session.scalars(opened)] == [person_id(peopled, SARI)]


@pytest.mark.parametrize("person", [WATI, RATNA])
def test_nobody_is_offered_a_form_for_the_own_address_or_that_of_the_centre(
    peopled: Flask, person: Person
) -> None:
    with peopled.app_context(), unit_of_work() as session:
        home = session.scalars(select(User.instansi_id).where(User.nip == WATI.nip)).one()
        session.execute(update(User).where(User.nip == RATNA.nip).values(instansi_id=home))

    assert (
        logged_in(peopled, WATI).open(f"/admin/pegawai/{person_id(peopled, person)}/email").status_code == 403
    )


def _rest(app: Flask) -> None:
    with app.app_context(), unit_of_work() as session:
        session.execute(update(LoginSession).values(proven_at=now() - timedelta(minutes=11)))


def test_whoever_holds_a_stolen_session_cannot_guess_the_password_at_the_desk(
    peopled: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wati, path = logged_in(peopled, WATI), f"/admin/pegawai/{person_id(peopled, JOKO)}/nonaktifkan"
    _rest(peopled)
    wati.client.delete_cookie("perangkat", domain="localhost")
    guesses = ["Rahasia-Tebakan-1"] * 4 + [PASSWORD.lower(), *["Rahasia-Tebakan-1"] * 5, PASSWORD]

    answers = [
        wati.post_with_token("/akun", path, reason="Meninggal", password_sekali_lagi=guess)
        for guess in guesses
    ]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429] * 6
    assert user(peopled, JOKO).activation is Activation.NOT_ACTIVATED
    with peopled.app_context(), reading() as session:
        written = [str((event.detail, event.user_agent)) for event in session.scalars(select(AuditEvent))]
    everything = "".join([answer.text for answer in answers] + written) + caplog.text
    assert "Rahasia-Tebakan" not in everything
    assert PASSWORD not in everything


def test_the_password_of_somebody_else_opens_nothing(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(User).where(User.nip == WATI.nip).values(password_hash=None))
    wati = Visitor(peopled)
    with peopled.app_context(), unit_of_work() as session:
        password_hash = session.scalars(select(User.password_hash).where(User.nip == SARI.nip)).one()
        session.execute(update(User).where(User.nip == WATI.nip).values(password_hash=password_hash))
    wati.log_in(WATI.nip)
    _rest(peopled)
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(User).where(User.nip == WATI.nip).values(password_hash=None))

    sent = wati.post_with_token(
        "/akun",
        f"/admin/pegawai/{person_id(peopled, JOKO)}/nonaktifkan",
        reason="X",
        password_sekali_lagi=PASSWORD,
    )

    assert sent.status_code == 422


EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}"


def test_what_strangers_and_servers_write_is_shown_and_never_run(peopled: Flask) -> None:
    request_id = asked(peopled, JOKO, "joko@nusajaya.example", name=EVIL)
    evil = {"reason": EVIL, "phone": "0812<b>"[:30], "work_unit": EVIL}
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(EmailCorrection).values(**evil))
        session.execute(
            update(User).where(User.nip != RATNA.nip).values(name=EVIL, work_unit=EVIL, stuck_since=now())
        )
        session.execute(update(Instansi).values(name=EVIL, helpdesk_contact=EVIL))
        session.execute(update(AdminMandate).values(sk_number=EVIL))
    ratna, joko = logged_in(peopled, RATNA), person_id(peopled, JOKO)
    ratna.post_with_token("/akun", f"/admin/pegawai/{joko}/kirim-token", form_id="1")
    ratna.client.get("/admin/audit", headers={"User-Agent": EVIL})
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(OutboxMail).values(state=MailState.FAILED, server_answer=EVIL))
    seen = user(peopled, JOKO).credential_version
    ratna.post_with_token(
        "/akun",
        f"/admin/perbaikan-email/{request_id}/setujui",
        identity_check="tatap_muka",
        note=EVIL,
        seen=str(seen),
    )
    change = latest_change(peopled, JOKO)
    assert change is not None
    mandate = "/admin/mandat/1/cabut"
    paths = [
        *LISTS, f"/admin/pegawai/{joko}", f"/admin/pegawai/{joko}/ubah", f"/admin/pegawai/{joko}/email",
        f"/admin/pegawai/{joko}/mutasi", f"/admin/pegawai/{joko}/nonaktifkan",
        f"/admin/pegawai/{joko}/akhiri-sesi",
        f"/admin/perbaikan-email/{request_id}",
        f"/admin/perbaikan-email/beberapa?pilih={request_id}",
        f"/admin/perbaikan-email/hasil?pilih={request_id}",
        "/admin/perbaikan-email?lihat=selesai", "/admin/perbaikan-email?lihat=kedua", mandate,
        "/admin/mandat/baru",
        f"/admin/perbaikan-email/perubahan/{change.id}",
        f"/admin/cpns/setujui?person={person_id(peopled, CINTA)}",
        "/admin/sekaligus/daftar", f"/admin/sekaligus/daftar?tindakan={quote(EVIL)}",
        "/admin/?instansi=7301", "/admin/instansi/1/kontak", "/admin/instansi/1/jadwal",
        f"/admin/pegawai?nama={quote(EVIL)}",
        f"/admin/?cari={quote(EVIL)}", f"/admin/instansi?cari={quote(EVIL)}",
        f"/admin/audit?nip={quote(EVIL)}",
    ]  # fmt: skip

    for path in paths:
        page = ratna.open(path)

        assert page.status_code in (200, 303, 422), path
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "49" not in page.text.split("{{7*7}}")[0][-3:]
        assert "\"'{{7*7}}" not in page.text, path


def test_no_page_of_the_desk_shows_what_opens_an_account(peopled: Flask, inbox: Inbox) -> None:
    ratna, joko = logged_in(peopled, RATNA), person_id(peopled, JOKO)
    request_id = asked(peopled, JOKO, "joko@nusajaya.example")
    Visitor(peopled).ask_for_token(JOKO.nip, JOKO.email or "")
    ratna.post_with_token("/akun", f"/admin/pegawai/{joko}/kirim-token", form_id="1")
    seen = str(user(peopled, JOKO).credential_version)
    ratna.post_with_token(
        "/akun",
        f"/admin/perbaikan-email/{request_id}/setujui",
        identity_check="tatap_muka",
        note="Loket",
        seen=seen,
    )
    mails = inbox.fetch()
    with peopled.app_context(), reading() as session:
        secrets = {
            reference
            for column in (ResetRequest.reference, EmailCorrection.reference, IdentityChange.reference)
            for reference in session.scalars(select(column))
        }
        secrets |= {row.key.hex() for row in session.scalars(select(ResetRequest))}
        secrets |= {row.message_id for row in session.scalars(select(OutboxMail))}
        secrets |= {row.password_hash for row in session.scalars(select(User)) if row.password_hash}
        secrets |= {row.id_hash for row in session.scalars(select(LoginSession))}
    for mail in mails:
        secrets |= {
            line.strip() for line in mail.text.splitlines() if line.startswith("http") and line.count("/") > 3
        }
        secrets |= {
            line.strip()
            for line in mail.text.splitlines()
            if len(line.strip()) == 9 and line.strip()[4] == "-"
        }
    paths = [
        *LISTS, f"/admin/pegawai/{joko}", f"/admin/pegawai/{joko}/ubah",
        f"/admin/perbaikan-email/{request_id}",
        f"/admin/perbaikan-email/hasil?pilih={request_id}", f"/admin/pegawai/{joko}/email",
    ]  # fmt: skip
    exports = ("/admin/audit/ekspor", "/admin/pegawai/ekspor", "/admin/ekspor")
    pages = [ratna.open(path).text for path in paths] + [
        ratna.post_with_token("/akun", path).get_data().decode() for path in exports
    ]

    assert len(secrets) > 10
    shown = [secret for secret in secrets for page in pages if str(secret) in page]
    assert shown == []


BIG = "a" * 1_000_000
FORMS = {
    "/admin/pegawai/{joko}/ubah": {
        "nip": JOKO.nip,
        "name": "x",
        "category": "PNS",
        "work_unit": "x",
        "phone": "",
        "reason": "x",
    },
    "/admin/pegawai/{joko}/nonaktifkan": {"reason": "x"},
    "/admin/pegawai/{joko}/akhiri-sesi": {"reason": "x"},
    "/admin/pegawai/{joko}/mutasi": {"code": "3402", "reason": "x"},
    "/admin/pegawai/{joko}/email": {
        "email": "x@y.example",
        "identity_check": "tatap_muka",
        "reason": "x",
        "seen": "1",
        "acknowledged": "x.1",
    },
    "/admin/perbaikan-email/beberapa/setujui": {
        "pilih": "1",
        "identity_check": "tatap_muka",
        "note": "x",
        "seen-1": "1",
    },
    "/admin/perbaikan-email/beberapa/tolak": {"pilih": "1", "reason": "x"},
    "/admin/sekaligus/daftar": {"tindakan": "mutasi", "nips": JOKO.nip, "code": "3402", "reason": "x"},
    "/admin/cpns/setujui": {"person": "1", "sk_number": "x", "sk_date": "2026-01-01"},
    "/admin/cpns/tolak": {"person": "1", "reason": "x"},
    "/admin/mandat/baru": {
        "nip": JOKO.nip,
        "scope": "instansi",
        "instansi": "7301",
        "sk_number": "x",
        "until": "2027-01-01",
    },
    "/admin/instansi/1/kontak": {"contact": "x"},
    "/admin/instansi/jadwal-nasional": {"opens_on": "2026-01-01", "closes_on": "2026-01-02"},
    "/admin/impor": {"instansi": "1"},
    "/admin/pegawai/ekspor": {"nip": "", "nama": "", "unit": "", "instansi": ""},
    "/admin/audit/ekspor": {"jenis": "", "nip": "", "dari": "", "sampai": ""},
    "/admin/ekspor": {"instansi": "", "bentuk": ""},
}


@pytest.mark.parametrize("form", FORMS)
def test_nonsense_in_a_form_breaks_no_page(peopled: Flask, form: str) -> None:
    ratna, joko = logged_in(peopled, RATNA), person_id(peopled, JOKO)
    path, token = form.replace("{joko}", str(joko)), ratna.csrf_token("/akun")
    broken = []
    for field in FORMS[form]:
        for nonsense in (*NONSENSE[:2], *NONSENSE[3:24], BIG, "\u2028", "a\u0301" * 300, EVIL):
            sent = ratna.post(path, **{**FORMS[form], "csrf_token": token, field: nonsense})
            sent.get_data()  # read to its end, as a browser does
            if sent.status_code >= 500:
                broken.append((field, nonsense[:60]))
    assert broken == []


def _approval(app: Flask, person: Person) -> dict[str, str]:
    grounds = {"identity_check": "tatap_muka", "note": "Datang ke loket"}
    return {**grounds, "seen": str(user(app, person).credential_version)}


def test_a_move_that_races_an_approval_leaves_the_request_where_the_person_is(peopled: Flask) -> None:
    request_id, joko = asked(peopled, JOKO, "joko@nusajaya.example"), person_id(peopled, JOKO)
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)

    answers = _all_at_once([
        _poster(wati, f"/admin/perbaikan-email/{request_id}/setujui", **_approval(peopled, JOKO)),
        _poster(ratna, f"/admin/pegawai/{joko}/mutasi", code="3402", reason="SK 7"),
    ])  # fmt: skip

    assert answers[1] == 303
    assert answers[0] in (303, 404, 422)
    person, request = user(peopled, JOKO), correction(peopled, request_id)
    assert request.instansi_id == person.instansi_id
    assert (person.email == "joko@nusajaya.example") is (answers[0] == 303) is (not request.state.is_open)


def test_a_move_that_races_the_end_of_the_waiting_time_leaves_one_truth(peopled: Flask, inbox: Inbox) -> None:
    request_id, sari = asked(peopled, SARI, "sari.baru@nusajaya.example"), person_id(peopled, SARI)
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)
    assert _poster(wati, f"/admin/perbaikan-email/{request_id}/setujui", **_approval(peopled, SARI))() == 303
    inbox.fetch()  # otherwise the change would be put off, because its letters have not left
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(IdentityChange).values(effective_at=now() - timedelta(minutes=1)))

    def let_it_hold() -> int:
        changes_take_effect(peopled)
        return 0

    answers = _all_at_once(
        [_poster(ratna, f"/admin/pegawai/{sari}/mutasi", code="3402", reason="SK 7"), let_it_hold]
    )

    person = user(peopled, SARI)
    with peopled.app_context(), reading() as session:
        change = session.scalars(select(IdentityChange).where(IdentityChange.kind == ChangeKind.EMAIL)).one()
    assert answers[0] == 303
    assert change.state in (ChangeState.DONE, ChangeState.CANCELLED)
    assert (person.email == "sari.baru@nusajaya.example") is (change.state is ChangeState.DONE)


def test_of_two_second_admins_at_once_one_confirms_and_one_letter_leaves(
    peopled: Flask, inbox: Inbox
) -> None:
    request_id, raka = asked(peopled, HADI, "hadi.baru@contoh.example"), logged_in(peopled, RAKA)
    _poster(raka, f"/admin/perbaikan-email/{request_id}/setujui", **_approval(peopled, HADI))()
    change = latest_change(peopled, HADI)
    assert change is not None
    assert change.state is ChangeState.NEEDS_SECOND
    inbox.fetch()
    seconds = [logged_in(peopled, RATNA) for _ in range(4)]

    answers = _all_at_once([
        _poster(one, f"/admin/perbaikan-email/perubahan/{change.id}/konfirmasi") for one in [*seconds, raka]
    ])  # fmt: skip

    assert sorted(answers[:4]) == [303, 422, 422, 422]
    assert answers[4] in (403, 422)
    assert sorted(mail.to for mail in inbox.fetch()) == ["hadi.baru@contoh.example", "hadi@contoh.example"]


def test_an_approval_and_a_rejection_of_a_cpns_at_once_are_one_verdict(peopled: Flask, inbox: Inbox) -> None:
    cinta = str(person_id(peopled, CINTA))
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)

    answers = _all_at_once([
        _poster(wati, "/admin/cpns/setujui", person=cinta, sk_number="SK-1", sk_date="2026-01-02"),
        _poster(ratna, "/admin/cpns/tolak", person=cinta, reason="Belum dilantik"),
    ])  # fmt: skip

    assert answers == [303, 303]
    assert len(inbox.fetch()) == 1
    with peopled.app_context(), reading() as session:
        verdicts = select(func.count()).where(AuditEvent.tag.in_((Tag.CPNS_APPROVED, Tag.CPNS_REJECTED)))
        assert session.scalar(verdicts) == 1


@pytest.mark.usefixtures("inbox")
def test_many_and_one_at_once_answer_each_request_once(peopled: Flask) -> None:
    requests = [
        asked(peopled, one, f"baru{number}@nusajaya.example") for number, one in enumerate((BUDI, JOKO))
    ]
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)
    for request_id in requests:
        ratna.open(f"/admin/perbaikan-email/{request_id}")
    token = ratna.csrf_token("/akun")

    def several() -> int:
        fields = {f"seen-{one}": "1" for one in requests} | {
            "csrf_token": token,
            "identity_check": "tatap_muka",
            "note": "x",
        }
        return ratna.client.post(
            "/admin/perbaikan-email/beberapa/setujui", data={**fields, "pilih": requests}
        ).status_code

    answers = _all_at_once(
        [several, _poster(wati, f"/admin/perbaikan-email/{requests[1]}/tolak", reason="Tidak cocok")]
    )

    assert answers[0] == 303
    assert answers[1] in (303, 422)
    with peopled.app_context(), reading() as session:
        tags = (Tag.CORRECTION_APPROVED, Tag.CORRECTION_REJECTED)
        assert session.scalar(select(func.count()).where(AuditEvent.tag.in_(tags))) == 2


def test_foreign_requests_mixed_into_a_list_are_left_alone_without_a_word(peopled: Flask) -> None:
    own, foreign = (
        asked(peopled, JOKO, "joko@nusajaya.example"),
        asked(peopled, HADI, "hadi.baru@contoh.example"),
    )
    wati = logged_in(peopled, WATI)
    token = wati.csrf_token("/akun")
    with_it, without = ({"pilih": [own, other], "csrf_token": token} for other in (foreign, 999_999))

    shown = [
        wati.open(f"/admin/perbaikan-email/beberapa?pilih={own}&pilih={other}").text
        for other in (foreign, 999_999)
    ]
    assert len(shown[0]) == len(shown[1])
    assert HADI.name not in shown[0]
    wati.open(f"/admin/perbaikan-email/{own}")
    sent = wati.client.post(
        "/admin/perbaikan-email/beberapa/tolak", data={**with_it, "reason": "Tidak cocok"}
    )
    assert sent.status_code == 303
    assert HADI.name not in wati.open(sent.location).text

    assert correction(peopled, foreign).state.is_open
    assert not correction(peopled, own).state.is_open
    assert without["pilih"] == [own, 999_999]


def test_years_of_decided_requests_are_read_a_page_at_a_time_newest_first(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        joko = session.scalars(select(User).where(User.nip == JOKO.nip)).one()
        rows: list[dict[str, object]] = []
        for number in range(130):
            moment = now() - timedelta(days=1, minutes=number)
            rows.append({
                "reference": f"r{number:015}", "ticket": f"T{number:09}", "nip": JOKO.nip,
                "new_email": "a@b.example",
                "new_email_key": "a@b.example", "user_id": joko.id, "instansi_id": joko.instansi_id,
                "asked_at": moment,
                "state": (CorrectionState.APPROVED, CorrectionState.REJECTED)[number % 3 % 2],
                "submitted_at": moment,
                "decided_at": moment, "decided_by_id": joko.id, "client_address": "-",
            })  # fmt: skip
        session.execute(insert(EmailCorrection), rows)
    ratna, path = logged_in(peopled, RATNA), "/admin/perbaikan-email?lihat=selesai"
    tickets: list[str] = []
    while path:
        page = ratna.open(path).text
        tickets += re.findall(r"T0000\d{5}", page)
        following = re.search(r'href="([^"]*setelah=[^"]*)"', page)
        path = unescape(following[1]) if following else ""

    assert list(dict.fromkeys(tickets)) == [f"T{number:09}" for number in range(130)]
