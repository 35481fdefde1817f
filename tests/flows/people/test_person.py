"""What an admin can do for one person. It ends at people of other instansi, people of higher rank, and the
admin's own account."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.domain.categories import Activation, Category
from app.domain.corrections import CorrectionState, IdentityCheck, new_ticket
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import now
from app.domain.reset_secret import new_reference
from app.models import (
    AdminMandate,
    AuditEvent,
    EmailCorrection,
    IdentityChange,
    Instansi,
    LoginSession,
    NameWord,
    OutboxMail,
    ResetRequest,
    Role,
    Tag,
    User,
)
from app.models.outbox_mail import MailState
from app.runtime.db import reading, unit_of_work
from tests.cast import BUDI, CINTA, HADI, JOKO, LESTARI, RAKA, RATNA, SARI, TONO, WATI, Person
from tests.conftest import MakeApp, people
from tests.desk import confirm_as_second
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

REASON = "Surat Sekda nomor 800/123"
FREE_NIP = "198503122010012777"
GETS = ("", "/ubah", "/nonaktifkan", "/aktifkan", "/mutasi", "/akhiri-sesi")
POSTS = ("/ubah", "/kirim-token", "/buka-batas", "/nonaktifkan", "/aktifkan", "/mutasi", "/akhiri-sesi")


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


@pytest.fixture
def ratna(peopled: Flask) -> Visitor:
    return logged_in(peopled, RATNA)


def one(session: Session, person: Person) -> User:
    return session.scalars(select(User).where(User.nip == person.nip)).one()


def id_of(app: Flask, person: Person) -> int:
    with app.app_context(), reading() as session:
        return one(session, person).id


def page_of(app: Flask, person: Person) -> str:
    return f"/admin/pegawai/{id_of(app, person)}"


def state_of(app: Flask, person_id: int) -> User:
    with app.app_context(), reading() as session:
        return session.scalars(
            select(User).where(User.id == person_id).execution_options(populate_existing=True)
        ).one()


def tags_of(app: Flask, person_id: int) -> list[Tag]:
    with app.app_context(), reading() as session:
        found = select(AuditEvent.tag).where(
            AuditEvent.account_id == person_id, AuditEvent.actor_id != person_id
        )
        return [tag for tag in session.scalars(found.order_by(AuditEvent.id)) if tag is not Tag.PERSON_OPENED]


def form_of(visitor: Visitor, page: str) -> dict[str, str]:
    """The fields of the form for corrections, as the page has them."""
    text = visitor.open(f"{page}/ubah").text
    fields = dict(re.findall(r'name="(seen|nip|name|work_unit|phone)"[^>]*?value="([^"]*)"', text))
    chosen = re.search(r'<option value="([^"]+)" selected>', text)
    assert chosen
    return {**fields, "category": chosen[1], "reason": REASON}


def correct(visitor: Visitor, page: str, **changes: str) -> int:
    return visitor.submit(f"{page}/ubah", **{"reason": REASON, **changes}).status_code


def ask_for_correction(app: Flask, person: Person) -> int:
    with app.app_context(), unit_of_work() as session:
        user = one(session, person)
        correction = EmailCorrection(
            reference=new_reference(), ticket=new_ticket(), nip=user.nip, new_email="baru@contoh.example",
            new_email_key="baru@contoh.example", user_id=user.id, instansi_id=user.instansi_id,
            state=CorrectionState.APPROVED,
            asked_at=now(), submitted_at=now(), decided_at=now(), client_address="-",
        )  # fmt: skip
        session.add(correction)
        session.flush()
        change = IdentityChange(
            reference=new_reference(), user=user, instansi_id=user.instansi_id, correction_id=correction.id,
            old_value=user.email,
            kind=ChangeKind.EMAIL, new_value=correction.new_email, state=ChangeState.SCHEDULED, reason="x",
            identity_check=IdentityCheck.IN_PERSON,
            decided_by=one(session, WATI), decided_at=now(), effective_at=now(),
        )  # fmt: skip
        session.add(change)
        session.flush()
        return correction.id


# -- looking


def test_wati_sees_sari_and_sari_can_be_told_of_it(peopled: Flask, wati: Visitor) -> None:
    page = wati.open(page_of(peopled, SARI))

    assert page.status_code == 200
    assert SARI.name in page.text
    assert "sari@nusajaya.example" in page.text
    assert "19850312 201001 2 001" in page.text
    with peopled.app_context(), reading() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.PERSON_OPENED)).one()
        assert event.account is not None
        assert event.actor is not None
        assert (event.account.nip, event.actor.nip) == (SARI.nip, WATI.nip)


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (BUDI, "belum pernah diaktifkan"),
        (CINTA, "CPNS menunggu persetujuan instansi sejak"),
        (TONO, "Dinonaktifkan oleh admin Pemerintah Kabupaten Nusa Jaya"),
        (SARI, "Terakhir masuk"),
    ],
)
def test_the_page_says_what_the_state_means(
    peopled: Flask, wati: Visitor, person: Person, words: str
) -> None:
    assert words in words_of(wati.open(page_of(peopled, person)))


def test_the_page_tells_where_the_token_got_lost(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    page, budi = page_of(peopled, BUDI), Visitor(peopled)
    assert "Token belum pernah dikirim" in words_of(wati.open(page))

    budi.ask_for_token(BUDI.nip, "orang.lain@contoh.example")
    budi.ask_for_token(BUDI.nip, BUDI.email or "")
    assert "sedang antre" in words_of(wati.open(page))
    mail = inbox.fetch()[-1]
    unopened = words_of(wati.open(page))
    assert "tautannya belum pernah dibuka" in unopened
    assert "o***@c***.example" in unopened
    assert "orang.lain" not in unopened

    budi.open(mail.link)
    assert "Tautannya dibuka pada" in words_of(wati.open(page))
    budi.reset_password("WDJB-MJHT", "Kuda-Laut7", nip=BUDI.nip)
    Visitor(peopled).reset_password("WDJB-MJHT", "Kuda-Laut7", nip=BUDI.nip)
    assert "ditolak: salah ketik" in words_of(wati.open(page))
    budi.reset_password(mail.code, "Kuda-Laut7")
    assert "dan dipakai pada" in words_of(wati.open(page))

    for text in (unopened, words_of(wati.open(page))):
        assert mail.code not in text
        assert mail.link not in text
        assert ".eml" not in text
        assert "konfirmasi-reset-password" not in text


def test_the_page_tells_a_token_that_came_too_late(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    budi = Visitor(peopled)
    budi.ask_for_token(BUDI.nip, BUDI.email or "")
    code = inbox.fetch_one().code
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(ResetRequest).values(expires_at=now()))
    budi.reset_password(code, "Kuda-Laut7")

    assert "dipakai terlambat" in words_of(wati.open(page_of(peopled, BUDI)))


def test_a_refused_letter_shows_the_word_of_the_server_and_no_other_address(
    peopled: Flask, wati: Visitor
) -> None:
    Visitor(peopled).ask_for_token(BUDI.nip, BUDI.email or "")
    with peopled.app_context(), unit_of_work() as session:
        answer = "550 5.1.1 <budi@nusajaya.example> unknown, ask <postmaster@lain.example>"
        session.execute(
            update(OutboxMail).values(state=MailState.FAILED, settled_at=now(), server_answer=answer)
        )

    text = words_of(wati.open(page_of(peopled, BUDI)))
    assert "Token terakhir ditolak server email" in text
    assert "550 5.1.1 <budi@nusajaya.example> unknown" in text
    assert "postmaster@lain.example" not in text


def test_the_page_of_somebody_with_everything_opens(peopled: Flask, wati: Visitor) -> None:
    ticket = ask_for_correction(peopled, SARI)

    text = wati.open(page_of(peopled, SARI)).text
    assert f"/admin/perbaikan-email/{ticket}" in text
    assert "Dijadwalkan" in text


# -- the border


def test_a_person_of_another_instansi_and_nobody_are_the_same_answer(peopled: Flask) -> None:
    raka, foreign, missing = logged_in(peopled, RAKA), page_of(peopled, SARI), "/admin/pegawai/999999"
    token = raka.csrf_token("/admin/pegawai")
    for path in GETS:
        known, unknown = raka.open(foreign + path), raka.open(missing + path)
        assert known.status_code == unknown.status_code == 404, path
        assert len(known.data) == len(unknown.data)
    fields = {
        "reason": REASON,
        "nip": FREE_NIP,
        "name": "X",
        "category": "PNS",
        "work_unit": "Y",
        "code": "3402",
        "seen": "x",
    }
    for path in POSTS:
        for sent in ({}, fields):
            known, unknown = (raka.post(page + path, csrf_token=token, **sent) for page in (foreign, missing))
            assert known.status_code == unknown.status_code == 404, path
            assert len(known.data) == len(unknown.data)
    assert tags_of(peopled, id_of(peopled, SARI)) == []


@pytest.mark.parametrize("number", ["0", "2147483648", "99999999999999999999999999"])
def test_a_number_that_no_person_has_is_not_found(wati: Visitor, number: str) -> None:
    assert wati.open(f"/admin/pegawai/{number}").status_code == 404


def test_nobody_acts_on_himself(peopled: Flask, wati: Visitor) -> None:
    page = page_of(peopled, WATI)
    assert "Admin tidak dapat memutuskan" in wati.open(page).text
    _all_forbidden(wati, page)


def test_an_admin_of_an_instansi_does_not_touch_the_centre_in_his_house(
    peopled: Flask, wati: Visitor
) -> None:
    with peopled.app_context(), unit_of_work() as session:
        one(session, RATNA).move_to(one(session, WATI).instansi)

    _all_forbidden(wati, page_of(peopled, RATNA))
    assert tags_of(peopled, id_of(peopled, RATNA)) == []


def _all_forbidden(visitor: Visitor, page: str) -> None:
    token = visitor.csrf_token("/admin/pegawai")
    for path in GETS[1:]:
        assert visitor.open(page + path).status_code == 403, path
    for path in POSTS:
        sent = visitor.post(
            page + path, csrf_token=token, reason=REASON, code="3402", nip=FREE_NIP, name="X", category="PNS"
        )
        assert sent.status_code == 403, path


@pytest.mark.parametrize(
    "path", ["/ubah", "/nonaktifkan", "/aktifkan", "/mutasi", "/buka-batas", "/akhiri-sesi"]
)
def test_what_is_sensitive_asks_for_the_password_again_after_ten_minutes(
    peopled: Flask, wati: Visitor, path: str
) -> None:
    page = page_of(peopled, SARI)
    token = wati.csrf_token("/admin/pegawai")
    with peopled.app_context(), unit_of_work() as session:
        long_ago = now().replace(year=2020)
        session.execute(update(LoginSession).values(proven_at=long_ago))

    asked = wati.post(page + path, csrf_token=token, reason=REASON, code="3402")
    assert asked.status_code == 403
    assert "Password sekali lagi" in asked.text
    assert REASON in asked.text


# -- the record


def test_wati_corrects_the_whole_record(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    page, sari = page_of(peopled, SARI), logged_in(peopled, SARI)

    sent = correct(
        wati,
        page,
        nip="19850312 201001 2 777",
        name="Sari  Ayu",
        work_unit="Dinas Sosial",
        phone="0812 3456",
        category="PPPK",
    )

    assert sent == 303
    person = state_of(peopled, id_of_page(page))
    assert (person.nip, person.name, person.work_unit) == (SARI.nip, "Sari Ayu", "Dinas Sosial"), (
        "the NIP waits"
    )
    assert (person.phone, person.category) == ("0812 3456", Category.PPPK)
    assert not sari.is_logged_in()
    assert "Sari Ayu" in wati.open("/admin/pegawai?nama=ay").text
    assert "Wulandari" not in wati.open("/admin/pegawai?nama=wul").text
    of_the_nip, of_the_rest = inbox.fetch()
    assert {of_the_nip.to, of_the_rest.to} == {SARI.email}
    assert "19850312 201001 2 777" in of_the_nip.text
    assert "nama, kategori, unit kerja, telepon" in of_the_rest.text
    assert REASON in of_the_rest.text
    assert tags_of(peopled, person.id) == [Tag.CHANGE_DECIDED, Tag.RECORD_CORRECTED]


def id_of_page(page: str) -> int:
    return int(page.rsplit("/", 1)[1])


def test_a_new_unit_leaves_people_where_they_are(peopled: Flask, wati: Visitor) -> None:
    sari = logged_in(peopled, SARI)

    assert correct(wati, page_of(peopled, SARI), work_unit="Dinas Sosial") == 303
    assert sari.is_logged_in()


def test_saving_what_is_there_changes_nothing(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    assert correct(wati, page_of(peopled, SARI)) == 303

    assert inbox.fetch() == []
    assert tags_of(peopled, id_of(peopled, SARI)) == []


@pytest.mark.parametrize("taken", [BUDI, HADI])
def test_a_taken_nip_is_refused_without_saying_whose(peopled: Flask, wati: Visitor, taken: Person) -> None:
    page = page_of(peopled, SARI)
    answer = wati.submit(f"{page}/ubah", nip=taken.nip, reason=REASON)

    assert answer.status_code == 422
    assert "NIP ini tidak dapat dipakai" in answer.text
    assert taken.name not in answer.text
    assert state_of(peopled, id_of_page(page)).nip == SARI.nip


@pytest.mark.parametrize(
    "wrong",
    [
        {"nip": "123"},
        {"name": " "},
        {"work_unit": ""},
        {"category": "ASN"},
        {"phone": "telepon"},
        {"reason": ""},
        {"name": "x" * 201},
    ],
)
def test_what_cannot_stand_on_record_is_refused(peopled: Flask, wati: Visitor, wrong: dict[str, str]) -> None:
    assert correct(wati, page_of(peopled, SARI), **wrong) == 422
    assert tags_of(peopled, id_of(peopled, SARI)) == []


def test_nobody_overwrites_what_he_has_not_seen(peopled: Flask, wati: Visitor, ratna: Visitor) -> None:
    page = page_of(peopled, SARI)
    before = wati.open(f"{page}/ubah")
    assert correct(ratna, page, work_unit="Dinas Sosial") == 303

    late = wati.submit(before, name="Sari Ayu", reason=REASON)
    assert late.status_code == 422
    assert "Data berubah sejak halaman ini dibuka" in late.text
    assert "Dinas Sosial" in late.text
    assert state_of(peopled, id_of_page(page)).name == SARI.name

    seen = re.search(r'name="seen" value="([^"]+)"', late.text)
    assert seen
    again = wati.submit(late, name="Sari Ayu", work_unit="Dinas Sosial", seen=seen[1])
    assert again.status_code == 303


def test_fields_that_the_form_does_not_have_change_nothing(peopled: Flask, wati: Visitor) -> None:
    before = state_of(peopled, id_of(peopled, BUDI))
    extra = {
        "role": "admin_pusat",
        "instansi_id": "2",
        "status": "active",
        "activation": "active",
        "password_hash": "x",
        "email": "x@y.id",
    }

    page = page_of(peopled, BUDI)
    fields = {**form_of(wati, page), "work_unit": "Dinas Sosial", **extra}
    assert wati.post_with_token(f"{page}/ubah", **fields).status_code == 303

    after = state_of(peopled, before.id)
    assert (after.instansi_id, after.activation, after.password_hash, after.email) == (
        before.instansi_id, before.activation, None, BUDI.email,
    )  # fmt: skip
    with peopled.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(AdminMandate)) == 3


def test_who_turns_out_to_be_a_cpns_waits(peopled: Flask, wati: Visitor) -> None:
    assert correct(wati, page_of(peopled, BUDI), category="CPNS") == 303
    assert state_of(peopled, id_of(peopled, BUDI)).activation is Activation.WAITING_APPROVAL


def test_a_cpns_who_becomes_pns_still_waits_where_admins_decide(peopled: Flask, wati: Visitor) -> None:
    assert correct(wati, page_of(peopled, CINTA), category="PNS") == 303
    assert state_of(peopled, id_of(peopled, CINTA)).activation is Activation.WAITING_APPROVAL


def test_a_cpns_who_becomes_pns_is_opened_where_the_setting_says_so(
    make_app: MakeApp, password_hash: str
) -> None:
    app = make_app(CPNS_ACTIVATION="otomatis")
    people(app, password_hash)

    assert correct(logged_in(app, WATI), page_of(app, CINTA), category="PNS") == 303

    assert state_of(app, id_of(app, CINTA)).activation is Activation.NOT_ACTIVATED
    assert tags_of(app, id_of(app, CINTA)) == [Tag.CPNS_OPENED_BY_CATEGORY, Tag.RECORD_CORRECTED]
    assert logged_in(app, CINTA).is_logged_in()
    assert len(Inbox(app).fetch()) == 2


# -- token and limits


def test_wati_has_a_token_sent_and_never_sees_it(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    page = page_of(peopled, BUDI)

    answer = wati.submit(page, f"{page}/kirim-token", form_id="one")
    shown = wati.open(page)
    mail = inbox.fetch_one(BUDI.email)

    assert answer.status_code == 303
    assert "Token sedang dikirim ke b***@n***.example" in shown.text
    assert mail.code not in shown.text + wati.open(page).text
    assert Visitor(peopled).reset_password(mail.code, "Kuda-Laut7", nip=BUDI.nip).status_code == 303
    assert Tag.TOKEN_SENT_BY_ADMIN in tags_of(peopled, id_of_page(page))


def test_a_double_click_sends_one_letter(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    page = page_of(peopled, BUDI)
    token = wati.csrf_token(page)
    for _ in range(2):
        assert wati.post(f"{page}/kirim-token", csrf_token=token, form_id="one").status_code == 303

    assert len(inbox.fetch()) == 1


def test_six_live_tokens_are_enough_for_admins_too(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    page = page_of(peopled, BUDI)
    for number in range(7):
        wati.submit(page, f"{page}/kirim-token", form_id=str(number))
    told = words_of(wati.open(page))
    assert "sudah ada token yang masih berlaku. Minta ia memakai salah satunya" in told
    assert "ditahan karena di kotak surat sudah ada token" in told
    mails = inbox.fetch()
    assert len(mails) == 6

    Visitor(peopled).reset_password(mails[0].code, "Kuda-Laut7", BUDI.nip)
    inbox.fetch()
    wati.submit(page, f"{page}/kirim-token", form_id="another")
    assert len(inbox.fetch()) == 1


def test_mails_that_others_have_caused_are_shown_as_a_limit_and_lifted(peopled: Flask, wati: Visitor) -> None:
    page = page_of(peopled, BUDI)
    for number in range(3):
        Visitor(peopled).ask_for_token(f"19700101199501{number:04}", BUDI.email or "")
    assert "Email selain token ke kotak surat ini sedang ditahan sampai" in words_of(wati.open(page))

    assert wati.submit(page, f"{page}/buka-batas").status_code == 303

    assert "sedang ditahan sampai" not in words_of(wati.open(page))
    assert Tag.UNLOCKED in tags_of(peopled, id_of_page(page))


def test_wrong_passwords_are_shown_as_a_limit_and_lifted(peopled: Flask, wati: Visitor) -> None:
    page, stranger = page_of(peopled, SARI), Visitor(peopled)
    for _ in range(6):
        stranger.log_in(SARI.nip, "Salah-Sekali-1")
    assert "Masuk dari browser baru sedang ditahan sampai" in words_of(wati.open(page))

    wati.submit(page, f"{page}/buka-batas")
    assert stranger.log_in(SARI.nip).status_code == 303


def test_no_token_where_none_can_help(peopled: Flask, wati: Visitor, ratna: Visitor, inbox: Inbox) -> None:
    for visitor, person, words in (
        (wati, TONO, "akun ini dinonaktifkan"),
        (ratna, LESTARI, "belum ada email di data"),
    ):
        page = page_of(peopled, person)
        assert "kirim-token" not in visitor.open(page).text
        assert visitor.post_with_token(page, f"{page}/kirim-token").status_code == 303
        assert words in visitor.open(page).text
    assert inbox.fetch() == []


# -- closing and opening


def test_a_deactivated_account_is_closed_at_once_and_its_owner_told_why(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    page, sari = page_of(peopled, SARI), logged_in(peopled, SARI)
    ask_for_correction(peopled, SARI)

    assert wati.submit(f"{page}/nonaktifkan", reason=REASON).status_code == 303

    assert not sari.is_logged_in()
    status = Visitor(peopled)
    assert status.log_in(SARI.nip).headers["Location"] == "/status-akun"
    assert REASON in status.open("/status-akun").text
    assert "Admin Pemerintah Kabupaten Nusa Jaya" in status.open("/status-akun").text
    assert REASON in inbox.fetch_one(SARI.email).text
    assert "Alasan: " + REASON in words_of(wati.open(page))
    with peopled.app_context(), reading() as session:
        assert session.scalars(select(IdentityChange.state)).all() == [ChangeState.CANCELLED]
        assert session.scalars(select(EmailCorrection.state)).all() == [CorrectionState.NEW]
    assert tags_of(peopled, id_of_page(page)) == [Tag.CHANGE_CANCELLED, Tag.DEACTIVATED]


def test_an_act_needs_its_reason(peopled: Flask, wati: Visitor) -> None:
    page = page_of(peopled, SARI)
    for path in ("/nonaktifkan", "/aktifkan", "/mutasi"):
        answer = wati.submit(page + path, reason="  ")
        assert answer.status_code == 422
        assert "Isi alasannya" in answer.text
    assert tags_of(peopled, id_of_page(page)) == []


@pytest.mark.parametrize("path", ["nonaktifkan", "ubah"])
def test_a_reason_that_leads_somewhere_is_written_otherwise(
    peopled: Flask, wati: Visitor, inbox: Inbox, path: str
) -> None:
    page = page_of(peopled, SARI)

    answer = wati.submit(f"{page}/{path}", reason="Daftar ulang di s.id/bkn-7301")

    assert answer.status_code == 422
    assert "Tulis tanpa tautan, alamat situs, atau alamat email: s.id/bkn-7301" in words_of(answer)
    assert inbox.fetch() == []
    assert tags_of(peopled, id_of_page(page)) == []


def test_the_second_one_is_told_what_is_true(
    peopled: Flask, wati: Visitor, ratna: Visitor, inbox: Inbox
) -> None:
    page = page_of(peopled, SARI)
    assert wati.submit(f"{page}/nonaktifkan", reason=REASON).status_code == 303
    assert ratna.submit(f"{page}/nonaktifkan", reason="Alasan lain").status_code == 303
    assert "sudah dinonaktifkan sebelumnya" in ratna.open(page).text
    person = state_of(peopled, id_of_page(page))
    assert person.activation_reason == REASON
    assert person.deactivated_by == "admin Pemerintah Kabupaten Nusa Jaya"

    assert ratna.submit(f"{page}/aktifkan", reason=REASON).status_code == 303
    assert wati.submit(f"{page}/aktifkan", reason=REASON).status_code == 303
    assert "tidak sedang dinonaktifkan" in wati.open(page).text
    assert len(inbox.fetch()) == 2


@pytest.mark.parametrize(
    ("person", "was_inside", "state"),
    [
        (SARI, True, Activation.ACTIVE),
        (CINTA, False, Activation.WAITING_APPROVAL),
        (BUDI, False, Activation.NOT_ACTIVATED),
    ],
)
def test_a_reactivated_account_stands_where_it_stood(
    peopled: Flask, wati: Visitor, person: Person, *, was_inside: bool, state: Activation
) -> None:
    if was_inside:
        logged_in(peopled, person)
    page = page_of(peopled, person)
    wati.submit(f"{page}/nonaktifkan", reason=REASON)
    assert wati.submit(f"{page}/aktifkan", reason=REASON).status_code == 303

    after = state_of(peopled, id_of_page(page))
    assert after.activation is state
    assert after.activation_reason is None
    assert after.deactivated_by is None


def test_a_token_from_before_opens_nothing_afterwards(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    budi, page = Visitor(peopled), page_of(peopled, BUDI)
    budi.ask_for_token(BUDI.nip, BUDI.email or "")
    code = inbox.fetch_one().code
    wati.submit(f"{page}/nonaktifkan", reason=REASON)
    wati.submit(f"{page}/aktifkan", reason=REASON)

    assert budi.reset_password(code, "Kuda-Laut7").status_code == 422


# -- mutasi


def test_a_move_hands_over_everything(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    page, sari = page_of(peopled, SARI), logged_in(peopled, SARI)
    correction_id = ask_for_correction(peopled, SARI)

    assert wati.submit(f"{page}/mutasi", code="3402", reason=REASON).status_code == 303

    assert not sari.is_logged_in()
    for path in GETS:
        assert wati.open(page + path).status_code == 404
    assert "Sari" not in wati.open("/admin/pegawai?nama=sari").text.partition("<tbody>")[2]
    raka = logged_in(peopled, RAKA)
    assert "Sari" in raka.open("/admin/pegawai?nama=sari").text.partition("<tbody>")[2]
    assert raka.open(page).status_code == 200
    mail = inbox.fetch_one(SARI.email)
    assert "Kabupaten Nusa Jaya ke Kementerian Contoh Nasional" in mail.text
    with peopled.app_context(), reading() as session:
        desks = {desk.code: desk.id for desk in Instansi.all(session)}
        correction = session.scalars(select(EmailCorrection).where(EmailCorrection.id == correction_id)).one()
        assert (correction.instansi_id, correction.state) == (desks["3402"], CorrectionState.NEW)
        states = dict(session.execute(select(IdentityChange.kind, IdentityChange.state)).all())
        assert states == {ChangeKind.EMAIL: ChangeState.CANCELLED, ChangeKind.INSTANSI: ChangeState.DONE}
        assert set(
            session.scalars(select(NameWord.instansi_id).where(NameWord.user_id == id_of_page(page)))
        ) == {desks["3402"]}
        moves = session.scalars(
            select(AuditEvent).where(AuditEvent.tag == Tag.MOVED).order_by(AuditEvent.id)
        ).all()
        seen = [(move.instansi_id, move.detail.get("to"), move.detail.get("came_from")) for move in moves]
        assert seen == [
            (desks["7301"], "3402", None), (desks["3402"], None, "7301"),
        ]  # fmt: skip


def test_a_mandate_over_the_old_instansi_ends_with_the_move(peopled: Flask, ratna: Visitor) -> None:
    wati, page = logged_in(peopled, WATI), page_of(peopled, WATI)

    assert ratna.submit(f"{page}/mutasi", code="3402", reason=REASON).status_code == 303
    assert wati.open("/admin/pegawai").status_code == 200, "it needs a second admin"
    confirm_as_second(peopled, WATI)

    assert wati.open("/admin/pegawai").status_code == 303, "logged out"
    again = logged_in(peopled, WATI)
    assert again.open("/admin/pegawai").status_code == 403
    with peopled.app_context(), reading() as session:
        assert session.scalars(
            select(AdminMandate.revoked_at).where(AdminMandate.user_id == id_of_page(page))
        ).one()


def test_a_mandate_over_the_new_instansi_stays(peopled: Flask, ratna: Visitor) -> None:
    with peopled.app_context(), unit_of_work() as session:
        target = session.scalars(select(Instansi).where(Instansi.code == "3402")).one()
        mandate = session.scalars(
            select(AdminMandate).where(AdminMandate.user_id == one(session, WATI).id)
        ).one()
        mandate.instansi_id = target.id
    assert mandate.role is Role.ADMIN_INSTANSI

    assert ratna.submit(f"{page_of(peopled, WATI)}/mutasi", code="3402", reason=REASON).status_code == 303
    confirm_as_second(peopled, WATI)
    assert logged_in(peopled, WATI).open("/admin/pegawai").status_code == 200


@pytest.mark.parametrize(
    ("code", "words"), [("7301", "sudah di instansi itu"), ("9999", "tidak dikenal"), ("", "Pilih instansi")]
)
def test_a_move_to_nowhere_is_refused(peopled: Flask, wati: Visitor, code: str, words: str) -> None:
    answer = wati.submit(f"{page_of(peopled, SARI)}/mutasi", code=code, reason=REASON)

    assert answer.status_code == 422
    assert words in answer.text
    assert tags_of(peopled, id_of(peopled, SARI)) == []


# -- at once


def _all_at_once(acts: list[Callable[[], int]]) -> list[int]:
    start = Barrier(len(acts))

    def run(act: Callable[[], int]) -> int:
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as crowd:
        return list(crowd.map(run, acts))


def test_a_move_that_races_a_deactivation_and_a_correction_leaves_one_truth(peopled: Flask) -> None:
    page = page_of(peopled, SARI)
    admins = [logged_in(peopled, WATI), logged_in(peopled, RATNA), logged_in(peopled, WATI)]
    tokens = [admin.csrf_token("/admin/pegawai") for admin in admins]
    record = form_of(admins[0], page)

    moved, closed, corrected = _all_at_once(
        [
            lambda: (
                admins[1].post(f"{page}/mutasi", csrf_token=tokens[1], code="3402", reason=REASON).status_code
            ),
            lambda: admins[0].post(f"{page}/nonaktifkan", csrf_token=tokens[0], reason=REASON).status_code,
            lambda: (
                admins[2]
                .post(f"{page}/ubah", **{**record, "csrf_token": tokens[2], "name": "Sari Ayu"})
                .status_code
            ),
        ]
    )

    assert moved == 303
    assert closed in (303, 404)
    assert corrected in (303, 404)
    person, tags = state_of(peopled, id_of_page(page)), tags_of(peopled, id_of_page(page))
    assert person.instansi.code == "3402"
    assert person.is_deactivated == (closed == 303) == (Tag.DEACTIVATED in tags)
    assert (person.name == "Sari Ayu") == (corrected == 303) == (Tag.RECORD_CORRECTED in tags)
    last = max(
        (index for index, tag in enumerate(tags) if tag in (Tag.DEACTIVATED, Tag.RECORD_CORRECTED)),
        default=-1,
    )
    assert last < tags.index(Tag.MOVED), "nothing was done by the old desk afterwards"


def test_two_people_who_are_given_one_nip_at_once(peopled: Flask) -> None:
    pages = [page_of(peopled, JOKO), page_of(peopled, BUDI)]
    admins = [logged_in(peopled, WATI), logged_in(peopled, RATNA)]
    records = [{**form_of(admin, page), "nip": FREE_NIP} for admin, page in zip(admins, pages, strict=True)]
    tokens = [admin.csrf_token("/admin/pegawai") for admin in admins]

    def give(number: int) -> int:
        fields = {**records[number], "csrf_token": tokens[number]}
        return admins[number].post(f"{pages[number]}/ubah", **fields).status_code

    assert sorted(_all_at_once([lambda: give(0), lambda: give(1)])) == [303, 422]


@pytest.mark.usefixtures("wati")
def test_ten_clicks_on_deactivate_are_one_act(peopled: Flask, inbox: Inbox) -> None:
    page = page_of(peopled, SARI)
    admins = [logged_in(peopled, WATI) for _ in range(10)]
    tokens = [admin.csrf_token("/admin/pegawai") for admin in admins]

    def close(number: int) -> int:
        return (
            admins[number].post(f"{page}/nonaktifkan", csrf_token=tokens[number], reason=REASON).status_code
        )

    assert _all_at_once([lambda number=number: close(number) for number in range(10)]) == [303] * 10  # type: ignore[misc]
    assert tags_of(peopled, id_of_page(page)) == [Tag.DEACTIVATED]
    assert len(inbox.fetch()) == 1
