"""Somebody who is logged in asks the desk for another name, unit, phone number or NIP."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from app.domain.corrections import CorrectionField, CorrectionState
from app.domain.identity import ChangeState
from app.domain.indonesian_time import now
from app.models import AuditEvent, EmailCorrection, Tag, User
from app.runtime.db import reading, unit_of_work
from app.security.throttle import RECORD_CORRECTIONS_PER_PERSON
from tests.cast import BUDI, RAKA, RATNA, SARI, WATI, Person, email_of
from tests.desk import asked, changes_take_effect, correction, latest_change, make_pusat, person_id, user
from tests.flows.attacks.test_races import _all_at_once
from tests.flows.attacks.test_same_answer import statements
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

HOME, QUEUE = "/beranda", "/admin/perbaikan-email"
REASON = "Di SK terakhir tertulis lain."
NOTE = "Sesuai SK yang ditunjukkan di loket 3."
NEW_NIP = "198503122010012777"
WISHES = [
    ("nama", "name", "Sari Wulandari, S.K.M."),
    ("unit-kerja", "work_unit", "RSUD Nusa Jaya"),
    ("telepon", "phone", "0812 5550 177"),
    ("nip", "nip", NEW_NIP),
]


@pytest.fixture
def sari(peopled: Flask) -> Visitor:
    return logged_in(peopled, SARI)


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


def wish(visitor: Visitor, part: str, wanted: str, reason: str = REASON) -> int:
    """Send the form. The number is the status of the answer."""
    return visitor.submit(f"{HOME}/perbaikan/{part}", wanted=wanted, reason=reason).status_code


def requests_of(app: Flask, person: Person) -> list[EmailCorrection]:
    with app.app_context(), reading() as session:
        of_person = EmailCorrection.user_id == person_id(app, person)
        return list(session.scalars(select(EmailCorrection).where(of_person).order_by(EmailCorrection.id)))


def approve(desk: Visitor, number: int, note: str = NOTE) -> int:
    page = desk.open(f"{QUEUE}/{number}")
    return desk.submit(page, f"{QUEUE}/{number}/betulkan", note=note).status_code


def events(app: Flask, tag: Tag) -> list[AuditEvent]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id)))


@pytest.mark.parametrize(("part", "column", "wanted"), WISHES[:3])
def test_what_the_desk_approves_is_on_record_at_once(
    peopled: Flask, inbox: Inbox, part: str, column: str, wanted: str
) -> None:
    sari, wati = logged_in(peopled, SARI), logged_in(peopled, WATI)
    before = getattr(user(peopled, SARI), column) or "belum ada"

    assert wish(sari, part, wanted) == 303

    (request,) = requests_of(peopled, SARI)
    assert request.ticket in words_of(sari.open(HOME))
    received = inbox.fetch_one(email_of(SARI))
    assert request.ticket in received.subject
    assert wanted not in received.text
    ticket = words_of(Visitor(peopled).open(received.link.removeprefix("http://localhost")))
    assert request.ticket in ticket
    assert wanted not in ticket, "the link alone tells no values"
    queue = words_of(wati.open(QUEUE))
    assert f"{request.ticket} {request.field.heading}" in queue
    assert f"{wanted} di data: {before}" in queue
    assert approve(wati, request.id) == 303

    assert getattr(user(peopled, SARI), column) == wanted
    assert correction(peopled, request.id).state is CorrectionState.APPROVED
    in_hand, changed = inbox.fetch()
    assert "sedang diperiksa" in in_hand.subject
    assert NOTE in changed.text
    (corrected,) = events(peopled, Tag.RECORD_CORRECTED)
    assert (corrected.detail["columns"], corrected.detail[f"new_{column}"]) == (column, wanted)
    assert f"{request.ticket} , {request.field.label} menjadi {wanted}: disetujui" in words_of(
        sari.open(HOME)
    )
    assert sari.is_logged_in(), "nothing of this opens an account"


def test_a_new_nip_takes_the_way_of_the_gate(
    peopled: Flask, inbox: Inbox, sari: Visitor, wati: Visitor
) -> None:
    assert wish(sari, "nip", "19850312 201001 2 777") == 303
    (request,) = requests_of(peopled, SARI)

    assert approve(wati, request.id) == 303

    change = latest_change(peopled, SARI)
    assert change is not None
    assert (change.state, change.correction_id) == (ChangeState.SCHEDULED, request.id)
    assert user(peopled, SARI).nip == SARI.nip
    assert "Bukan Anda? Hentikan" in words_of(sari.open(HOME))
    assert wish(sari, "nip", "198503122010012778") == 422, "one is under way"
    assert {mail.to for mail in inbox.fetch()} == {SARI.email}
    with time_machine.travel(now() + timedelta(hours=25)):
        changes_take_effect(peopled)
    with peopled.app_context(), reading() as session:
        assert session.scalars(select(User.email).where(User.nip == NEW_NIP)).one() == SARI.email
    assert not sari.is_logged_in()


def test_a_stopped_change_of_the_nip_puts_the_request_back(
    peopled: Flask, inbox: Inbox, sari: Visitor, wati: Visitor
) -> None:
    wish(sari, "nip", NEW_NIP)
    (request,) = requests_of(peopled, SARI)
    approve(wati, request.id)
    inbox.fetch()

    sari.submit("/akun/hentikan-ganti-email")

    assert correction(peopled, request.id).state is CorrectionState.NEW
    assert any("diperiksa lagi" in mail.subject for mail in inbox.fetch())


def test_the_nip_of_an_admin_needs_a_second_admin(peopled: Flask) -> None:
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)
    wish(wati, "nip", "198712242011012777")
    (request,) = requests_of(peopled, WATI)
    assert "akun Anda sendiri" in words_of(wati.open(f"{QUEUE}/{request.id}"))
    assert (
        wati.post_with_token(QUEUE, f"{QUEUE}/{request.id}/betulkan", note=NOTE, seen="x").status_code == 403
    )

    assert approve(ratna, request.id) == 303

    change = latest_change(peopled, WATI)
    assert change is not None
    assert change.state is ChangeState.NEEDS_SECOND
    assert user(peopled, WATI).nip == WATI.nip
    assert correction(peopled, request.id).state.is_open


def test_a_no_comes_with_its_reason(peopled: Flask, inbox: Inbox, sari: Visitor, wati: Visitor) -> None:
    wish(sari, "nama", "Sari W. Putri")
    (request,) = requests_of(peopled, SARI)
    inbox.fetch()

    page = wati.open(f"{QUEUE}/{request.id}")
    wati.submit(page, f"{QUEUE}/{request.id}/tolak", reason="SK belum ditunjukkan.")

    assert user(peopled, SARI).name == SARI.name
    rejected = inbox.fetch()[-1]
    assert "ditolak" in rejected.subject
    assert "SK belum ditunjukkan." in rejected.text
    assert "ditolak" in words_of(sari.open(HOME))
    assert wish(sari, "nama", "Sari W. Putri") == 303, "she may ask again"


@pytest.mark.parametrize("becomes", ["Sari Kartika", "Sari W. Putri"])
def test_the_record_is_compared_with_what_it_was(
    peopled: Flask, sari: Visitor, wati: Visitor, becomes: str
) -> None:
    """The desk has edited it since: to something else, or to just what was asked for."""
    wish(sari, "nama", "Sari W. Putri")
    (request,) = requests_of(peopled, SARI)
    page = wati.open(f"{QUEUE}/{request.id}")
    with peopled.app_context(), unit_of_work() as session:
        session.scalars(select(User).where(User.nip == SARI.nip)).one().rename(becomes)

    answer = wati.submit(page, f"{QUEUE}/{request.id}/betulkan", note=NOTE)

    is_same = becomes == "Sari W. Putri"
    assert (answer.status_code, user(peopled, SARI).name) == (303 if is_same else 422, becomes)
    assert correction(peopled, request.id).state.is_open is not is_same


def test_an_approval_is_of_the_record_that_was_on_the_screen(
    peopled: Flask, sari: Visitor, wati: Visitor
) -> None:
    wish(sari, "nama", "Sari W. Putri")
    (request,) = requests_of(peopled, SARI)
    page = wati.open(f"{QUEUE}/{request.id}")
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(User).where(User.nip == SARI.nip).values(work_unit="Dinas Lain"))

    answer = wati.submit(page, f"{QUEUE}/{request.id}/betulkan", note=NOTE)

    assert answer.status_code == 422
    assert "berubah sejak halaman dibuka" in words_of(answer)
    assert user(peopled, SARI).name == SARI.name


def test_of_two_admins_at_once_one_decides(peopled: Flask, sari: Visitor) -> None:
    wish(sari, "unit-kerja", "RSUD Nusa Jaya")
    (request,) = requests_of(peopled, SARI)
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)
    yes, no = (desk.open(f"{QUEUE}/{request.id}") for desk in (wati, ratna))

    answers = _all_at_once(
        [
            lambda: wati.submit(yes, f"{QUEUE}/{request.id}/betulkan", note=NOTE).status_code,
            lambda: ratna.submit(no, f"{QUEUE}/{request.id}/tolak", reason="Belum jelas").status_code,
        ]
    )

    assert answers == [303, 422]
    state, unit = correction(peopled, request.id).state, user(peopled, SARI).work_unit
    assert (state, unit) in (
        (CorrectionState.APPROVED, "RSUD Nusa Jaya"),
        (CorrectionState.REJECTED, SARI.unit),
    )


def test_a_double_click_of_the_desk_decides_once(peopled: Flask, sari: Visitor, wati: Visitor) -> None:
    wish(sari, "telepon", "081255501777")
    (request,) = requests_of(peopled, SARI)
    page = wati.open(f"{QUEUE}/{request.id}")

    answers = [wati.submit(page, f"{QUEUE}/{request.id}/betulkan", note=NOTE).status_code for _ in range(2)]

    assert answers == [303, 303]
    assert len(events(peopled, Tag.RECORD_CORRECTED)) == 1


def test_each_part_has_one_open_request(peopled: Flask, inbox: Inbox, sari: Visitor) -> None:
    assert [wish(sari, "nama", "Sari W. Putri") for _ in range(2)] == [303, 303]
    assert wish(sari, "nama", "Sari Lain") == 422
    assert wish(sari, "unit-kerja", "RSUD Nusa Jaya") == 303

    assert [one.field for one in requests_of(peopled, SARI)] == [
        CorrectionField.NAME, CorrectionField.WORK_UNIT
    ]  # fmt: skip
    assert len(inbox.fetch()) == 2


def test_of_many_forms_at_once_one_becomes_a_request(peopled: Flask, sari: Visitor) -> None:
    path = f"{HOME}/perbaikan/nama"
    token = sari.csrf_token(path)

    answers = _all_at_once(
        [lambda: sari.post(path, csrf_token=token, wanted="Sari Baru", reason=REASON).status_code] * 8
    )

    assert set(answers) == {303}
    assert len(requests_of(peopled, SARI)) == 1


def test_a_day_has_room_for_a_few_requests(peopled: Flask, sari: Visitor) -> None:
    def close_all() -> None:
        with peopled.app_context(), unit_of_work() as session:
            done = {"state": CorrectionState.REJECTED, "decided_at": now(), "decision": "Tidak"}
            session.execute(update(EmailCorrection).values(done))

    for _ in range(RECORD_CORRECTIONS_PER_PERSON.most):
        assert wish(sari, "nama", "Sari W. Putri") == 303
        close_all()

    refused = sari.submit(f"{HOME}/perbaikan/nama", wanted="Sari W. Putri", reason=REASON)

    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    with time_machine.travel(now() + timedelta(days=1, minutes=1)):
        assert wish(logged_in(peopled, SARI), "nama", "Sari W. Putri") == 303


@pytest.mark.parametrize(
    ("part", "wanted", "says"),
    [
        ("nama", " ", "Isi nama lengkap"),
        ("nama", "x" * 201, "paling banyak 200"),
        ("nama", SARI.name, "sudah tertulis begitu"),
        ("unit-kerja", "x" * 201, "paling banyak 200"),
        ("telepon", "", "Isi nomor telepon"),
        ("telepon", "telepon kantor", "dengan angka saja"),
        ("telepon", "1" * 31, "terlalu panjang"),
        ("nip", "1985", "NIP"),
        ("nip", SARI.nip, "sudah tertulis begitu"),
    ],
)
def test_what_cannot_be_on_record_is_refused_at_its_field(
    peopled: Flask, sari: Visitor, part: str, wanted: str, says: str
) -> None:
    answer = sari.submit(f"{HOME}/perbaikan/{part}", wanted=wanted, reason=REASON)

    assert answer.status_code == 422
    assert says in words_of(answer)
    assert REASON in answer.text, "what was typed is kept"
    assert not requests_of(peopled, SARI)


def test_a_reason_is_needed_and_has_an_end(sari: Visitor) -> None:
    assert wish(sari, "nama", "Sari W. Putri", "") == 422
    assert wish(sari, "nama", "Sari W. Putri", "x" * 501) == 422


def test_without_an_address_there_is_nowhere_to_answer(peopled: Flask, sari: Visitor) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.execute(update(User).where(User.nip == SARI.nip).values(email=None, email_key=None))

    assert wish(sari, "nama", "Sari W. Putri") == 422


def test_a_nip_of_somebody_else_is_the_desks_to_find(peopled: Flask, sari: Visitor, wati: Visitor) -> None:
    assert wish(sari, "nip", BUDI.nip) == 303, "the page does not tell whose NIP it is"
    (request,) = requests_of(peopled, SARI)

    assert approve(wati, request.id) == 422
    assert user(peopled, SARI).nip == SARI.nip


def test_other_desks_see_nothing_of_it(peopled: Flask, sari: Visitor) -> None:
    wish(sari, "nama", "Sari W. Putri")
    (request,) = requests_of(peopled, SARI)
    raka = logged_in(peopled, RAKA)

    assert request.ticket not in words_of(raka.open(QUEUE))
    assert raka.open(f"{QUEUE}/{request.id}").status_code == 404
    answer = raka.post_with_token(QUEUE, f"{QUEUE}/{request.id}/betulkan", note=NOTE, seen="x")
    assert answer.status_code == 404


def test_each_kind_of_request_has_one_way_to_yes(peopled: Flask, sari: Visitor, wati: Visitor) -> None:
    """A name is not approved as an address, and an address not as a name."""
    wish(sari, "nama", "Sari W. Putri")
    (of_record,) = requests_of(peopled, SARI)
    of_email = asked(peopled, BUDI, "budi.baru@contoh.example")
    wati.open(f"{QUEUE}/{of_record.id}")
    wati.open(f"{QUEUE}/{of_email}")
    email = {"identity_check": "surat_atasan", "note": NOTE, "seen": "1"}

    assert wati.post_with_token(QUEUE, f"{QUEUE}/{of_record.id}/setujui", **email).status_code == 404
    answer = wati.post_with_token(QUEUE, f"{QUEUE}/{of_email}/betulkan", note=NOTE, seen="x")
    assert answer.status_code == 404
    wati.post_with_token(
        QUEUE, f"{QUEUE}/beberapa/setujui", pilih=[str(of_record.id)], **email,
        **{f"seen-{of_record.id}": "1"}
    )  # fmt: skip
    assert correction(peopled, of_record.id).state.is_open
    chosen = f"{QUEUE}/beberapa?pilih={of_record.id}"
    assert "Ini bukan permintaan email baru" in words_of(wati.open(chosen))
    wati.submit(wati.open(chosen), f"{QUEUE}/beberapa/tolak", pilih=[str(of_record.id)], reason="Belum jelas")
    assert correction(peopled, of_record.id).state is CorrectionState.REJECTED


def test_what_was_typed_is_only_ever_text(peopled: Flask, inbox: Inbox, sari: Visitor, wati: Visitor) -> None:
    evil = '"><script>alert(1)</script>'
    wish(sari, "nama", evil, evil)
    (request,) = requests_of(peopled, SARI)
    pages = [
        sari.open(HOME).text,
        sari.open("/beranda/perbaikan/nama").text,
        wati.open(QUEUE).text,
        wati.open(f"{QUEUE}/{request.id}").text,
        wati.open(f"{QUEUE}/beberapa?pilih={request.id}").text,
    ]
    assert approve(wati, request.id, evil) == 303
    pages += [sari.open(HOME).text, wati.open(f"/admin/pegawai/{person_id(peopled, SARI)}").text]
    pages += [mail.html for mail in inbox.fetch()]

    assert not [page for page in pages if "<script>alert" in page]


def test_a_phone_that_was_just_replaced_proves_less(peopled: Flask, sari: Visitor, wati: Visitor) -> None:
    """From a stolen session somebody could have their own phone put on record, and then be called there."""
    wish(sari, "telepon", "081255501777")
    (request,) = requests_of(peopled, SARI)
    approve(wati, request.id)
    of_email = asked(peopled, SARI, "sari.baru@contoh.example", phone="")

    assert "baru diganti atas permintaan dari akun ini sendiri" in words_of(wati.open(f"{QUEUE}/{of_email}"))
    with time_machine.travel(now() + timedelta(days=31)):
        later = logged_in(peopled, WATI)
        assert "baru diganti atas permintaan" not in words_of(later.open(f"{QUEUE}/{of_email}"))


def test_who_has_asked_pays_one_statement_more(peopled: Flask, sari: Visitor) -> None:
    with statements(peopled) as before:
        sari.open(HOME)
    for part, _, wanted in WISHES:
        assert wish(sari, part, wanted) == 303

    with statements(peopled) as after:
        sari.open(HOME)

    assert len([one for one in after if one.startswith("SELECT")]) <= 4
    assert len(after) == len(before) + 1


def test_a_password_that_was_typed_long_ago_is_asked_for_again(peopled: Flask, sari: Visitor) -> None:
    form = sari.open("/beranda/perbaikan/nama")
    with time_machine.travel(now() + timedelta(minutes=12)):
        again = sari.submit(form, wanted="Sari W. Putri", reason=REASON)

        assert (again.status_code, "Password sekali lagi" in again.text) == (403, True)
        assert not requests_of(peopled, SARI)
        sari.submit(again, "/beranda/perbaikan/nama", password_sekali_lagi="Kopi-Tubruk-2021")
    assert len(requests_of(peopled, SARI)) == 1


def test_who_has_just_become_pusat_decides_about_nobody_twice(peopled: Flask, sari: Visitor) -> None:
    """The person who asks and the admin who decides are never one."""
    wish(sari, "nama", "Sari W. Putri")
    (request,) = requests_of(peopled, SARI)
    make_pusat(peopled, SARI)

    answer = sari.post_with_token(HOME, f"{QUEUE}/{request.id}/betulkan", note=NOTE, seen="x")

    assert answer.status_code == 403
    assert user(peopled, SARI).name == SARI.name


def test_what_was_wished_is_forgotten_a_month_after_the_answer(
    peopled: Flask, sari: Visitor, wati: Visitor
) -> None:
    """And a request that comes back into the queue later than that can only be rejected."""
    wish(sari, "nama", "Sari W. Putri")
    (request,) = requests_of(peopled, SARI)
    approve(wati, request.id)
    with time_machine.travel(now() + timedelta(days=31)):
        assert peopled.test_cli_runner().invoke(args=["housekeeping"]).exit_code == 0
        kept = correction(peopled, request.id)
        assert (kept.old_value, kept.new_value, kept.reason) == ("", "", "")
        with peopled.app_context(), unit_of_work() as session:
            session.get_one(EmailCorrection, request.id).reopen()

        assert approve(logged_in(peopled, WATI), request.id) == 422
    assert user(peopled, SARI).name == "Sari W. Putri"
