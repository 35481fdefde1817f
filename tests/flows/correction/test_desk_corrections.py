"""An admin answers requests for another address: who may do so, what follows, and what other people are
told."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from app.domain.corrections import CorrectionState
from app.domain.identity import ChangeState
from app.domain.indonesian_time import now
from tests.cast import BUDI, HADI, JOKO, NEW_PASSWORD, PASSWORD, RAKA, RATNA, SARI, WATI, Person
from tests.desk import (
    asked,
    changes_take_effect,
    correction,
    latest_change,
    marks_on,
    person_id,
    read_next_morning,
    user,
)
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

NEW = "joko@nusajaya.example"
GROUNDS = {"identity_check": "tatap_muka", "note": "Datang ke loket 3 membawa kartu pegawai"}


def _approve(visitor: Visitor, request_id: int, **fields: str | list[str]) -> TestResponse:
    """Look at the request and its warnings, and approve what was seen."""
    path = f"/admin/perbaikan-email/{request_id}"
    page = visitor.open(path)
    return visitor.submit(page, f"{path}/setujui", **{**GROUNDS, "acknowledged": marks_on(page), **fields})


def _seen(page: TestResponse) -> str:
    """The version of the account that the page shows."""
    return page.text.split('name="seen" value="')[1].split('"')[0] if 'name="seen"' in page.text else ""


def test_the_queue_shows_the_oldest_first_with_its_age_and_hides_the_old_address(peopled: Flask) -> None:
    asked(peopled, BUDI, "budi.baru@contoh.example", ago=timedelta(hours=2))
    asked(peopled, JOKO, NEW, ago=timedelta(hours=25))

    page = logged_in(peopled, WATI).open("/admin/perbaikan-email")

    words = words_of(page)
    assert words.index("Joko") < words.index("Budi")
    assert "25 jam lewat 24 jam" in words
    assert "2 jam" in words
    assert "joko.lama@nusajaya.example" not in words
    assert "j***@n***.example" in words
    assert NEW in words


def test_opening_takes_it_in_hand_and_the_person_hears_of_it(peopled: Flask, inbox: Inbox) -> None:
    request_id = asked(peopled, JOKO, NEW)
    wati = logged_in(peopled, WATI)

    page = wati.open(f"/admin/perbaikan-email/{request_id}")
    wati.open(f"/admin/perbaikan-email/{request_id}")

    assert page.status_code == 200
    assert "joko.lama@nusajaya.example" in page.text
    assert "0812-555-0100" in page.text
    assert "Telepon di data" in page.text
    assert correction(peopled, request_id).state is CorrectionState.IN_HAND
    assert "diproses" in inbox.fetch_one(NEW).text


def test_approved_for_an_account_never_used_holds_at_once(peopled: Flask, inbox: Inbox) -> None:
    request_id, joko = asked(peopled, JOKO, NEW), Visitor(peopled)
    joko.ask_for_token(JOKO.nip, JOKO.email or "")
    old_code = inbox.fetch_one().code

    answer = _approve(logged_in(peopled, WATI), request_id)

    assert answer.status_code == 303
    mails = {(mail.to, mail.subject.split()[0]): mail for mail in inbox.fetch()}
    token = next(mail for (to, subject), mail in mails.items() if to == NEW and subject == "Token")
    notice = next(mail for (to, _), mail in mails.items() if to == JOKO.email)
    assert "disetujui" in token.text
    assert correction(peopled, request_id).ticket in token.text
    assert "/bukan-saya/" in notice.link
    assert NEW not in notice.text
    assert "j***@n***.example" in notice.text
    assert correction(peopled, request_id).state is CorrectionState.APPROVED
    assert joko.reset_password(old_code, NEW_PASSWORD, JOKO.nip).status_code == 422, (
        "tokens of the old address are dead"
    )
    assert Visitor(peopled).reset_password(token.code, NEW_PASSWORD, JOKO.nip).status_code == 303
    assert Visitor(peopled).log_in(JOKO.nip, NEW_PASSWORD).status_code == 303


def test_for_an_account_in_use_it_takes_a_day_and_password_and_sessions_stay_until_then(
    peopled: Flask, inbox: Inbox
) -> None:
    request_id, sari = asked(peopled, SARI, "sari.baru@contoh.example"), logged_in(peopled, SARI)

    _approve(logged_in(peopled, WATI), request_id)

    assert user(peopled, SARI).email == SARI.email
    assert {mail.to for mail in inbox.fetch()} == {"sari.baru@contoh.example", SARI.email}
    assert "akan diganti menjadi sari.baru@contoh.example" in words_of(sari.open("/beranda"))
    with time_machine.travel(now() + timedelta(hours=25)):
        changes_take_effect(peopled)
        assert user(peopled, SARI).email == "sari.baru@contoh.example"
        assert not sari.is_logged_in()
        assert Visitor(peopled).log_in(SARI.nip, PASSWORD).status_code == 303, "the password stays"
        token = next(mail for mail in inbox.fetch() if mail.subject.startswith("Token"))
        assert token.to == "sari.baru@contoh.example"


def test_the_owner_stops_it_from_the_old_address_before_it_holds(peopled: Flask, inbox: Inbox) -> None:
    request_id = asked(peopled, SARI, "maling@contoh.example")
    _approve(logged_in(peopled, WATI), request_id)
    link = next(mail.link for mail in inbox.fetch() if mail.to == SARI.email)
    path = link.removeprefix("http://localhost")

    opened = Visitor(peopled).open(path)
    assert latest_change(peopled, SARI).state is ChangeState.SCHEDULED, "opening stops nothing"  # type: ignore[union-attr]
    stopped = Visitor(peopled).submit(path)

    assert opened.status_code == 200
    assert stopped.status_code == 303
    assert latest_change(peopled, SARI).state is ChangeState.FROZEN  # type: ignore[union-attr]
    assert correction(peopled, request_id).state is CorrectionState.NEW, "the instansi looks again"
    assert [mail.to for mail in inbox.fetch()] == ["maling@contoh.example", RATNA.email], (
        "nobody tells who decided"
    )
    with time_machine.travel(now() + timedelta(hours=25)):
        changes_take_effect(peopled)
    assert user(peopled, SARI).email == SARI.email
    wati = logged_in(peopled, WATI)
    assert "Dihentikan lewat tautan di email pemberitahuan" in words_of(
        wati.open("/admin/perbaikan-email?lihat=dibekukan")
    )
    assert "tidak jadi berlaku" in words_of(wati.open(f"/admin/perbaikan-email/{request_id}"))


@pytest.mark.usefixtures("inbox")
def test_the_owner_stops_it_from_a_session(peopled: Flask) -> None:
    request_id, sari = asked(peopled, SARI, "maling@contoh.example"), logged_in(peopled, SARI)
    _approve(logged_in(peopled, WATI), request_id)

    assert sari.submit("/akun/hentikan-ganti-email").status_code == 303

    assert latest_change(peopled, SARI).state is ChangeState.FROZEN  # type: ignore[union-attr]
    assert "Perubahan email dihentikan" in words_of(sari.open("/akun"))


def test_stopped_after_it_held_nobody_gets_in_by_the_new_address_any_more(
    peopled: Flask, inbox: Inbox
) -> None:
    request_id = asked(peopled, JOKO, "maling@contoh.example")
    _approve(logged_in(peopled, WATI), request_id)
    mails = inbox.fetch()
    thief = Visitor(peopled)
    thief.reset_password(
        next(mail.code for mail in mails if mail.subject.startswith("Token")), NEW_PASSWORD, JOKO.nip
    )
    thief.log_in(JOKO.nip, NEW_PASSWORD)
    assert thief.is_logged_in()
    path = next(mail.link for mail in mails if "/bukan-saya/" in mail.text).removeprefix("http://localhost")
    inbox.fetch()

    Visitor(peopled).submit(path)

    assert not thief.is_logged_in()
    assert Visitor(peopled).log_in(JOKO.nip, NEW_PASSWORD).status_code == 422
    Visitor(peopled).ask_for_token(JOKO.nip, "maling@contoh.example")
    assert not [mail for mail in inbox.fetch() if mail.subject.startswith("Token")]
    again = Visitor(peopled).open(path)
    assert again.status_code == 200
    assert "sudah dibekukan" in words_of(again)
    assert "<button" not in again.text.split("<main")[1]


def test_rejected_with_a_reason_that_the_person_reads(peopled: Flask, inbox: Inbox) -> None:
    request_id, wati = asked(peopled, JOKO, NEW), logged_in(peopled, WATI)
    wati.open(f"/admin/perbaikan-email/{request_id}")
    inbox.fetch()

    answer = wati.submit(
        f"/admin/perbaikan-email/{request_id}",
        f"/admin/perbaikan-email/{request_id}/tolak",
        reason="Datang ke loket 3 dengan kartu pegawai.",
    )

    assert answer.status_code == 303
    assert "Datang ke loket 3 dengan kartu pegawai." in inbox.fetch_one(NEW).text
    assert user(peopled, JOKO).email == JOKO.email


@pytest.mark.parametrize("person", [HADI, RAKA], ids=["PPT Non ASN", "holder of a mandate"])
@pytest.mark.usefixtures("inbox")
def test_accounts_that_open_more_need_a_second_admin(peopled: Flask, person: Person) -> None:
    request_id = asked(peopled, person, "lain@contoh.example")
    first, second = logged_in(peopled, RATNA), logged_in(peopled, RAKA)

    _approve(first, request_id)

    change = latest_change(peopled, person)
    assert change is not None
    assert change.state is ChangeState.NEEDS_SECOND
    assert correction(peopled, request_id).state is CorrectionState.IN_HAND
    path = f"/admin/perbaikan-email/perubahan/{change.id}"
    assert first.post_with_token(path, f"{path}/konfirmasi").status_code == 403, (
        "nobody is the second to themselves"
    )
    answer = second.post_with_token(path, f"{path}/konfirmasi")
    assert answer.status_code == (303 if person is HADI else 403), "nobody decides about themselves"
    if person is HADI:
        assert user(peopled, HADI).email == "lain@contoh.example"
        assert correction(peopled, request_id).state is CorrectionState.APPROVED


def test_nobody_decides_about_themselves(peopled: Flask) -> None:
    request_id, wati = asked(peopled, WATI, "wati.baru@contoh.example"), logged_in(peopled, WATI)

    page = wati.open(f"/admin/perbaikan-email/{request_id}")

    assert "akun Anda sendiri" in words_of(page)
    assert "/setujui" not in page.text
    assert correction(peopled, request_id).state is CorrectionState.NEW
    token = wati.csrf_token("/akun")
    answer = wati.post(f"/admin/perbaikan-email/{request_id}/setujui", csrf_token=token, seen="1", **GROUNDS)
    assert answer.status_code == 403
    assert user(peopled, WATI).email == WATI.email


@pytest.mark.parametrize("way", ["", "/setujui", "/tolak", "/lampiran"])
def test_another_instansi_gets_the_answer_of_a_missing_row(peopled: Flask, way: str) -> None:
    request_id, raka = asked(peopled, JOKO, NEW), logged_in(peopled, RAKA)
    token = raka.csrf_token("/akun")

    def answer(wanted: int) -> tuple[int, int]:
        path = f"/admin/perbaikan-email/{wanted}{way}"
        fields = {**GROUNDS, "seen": "1", "reason": "x", "csrf_token": token}
        page = raka.post(path, **fields) if way in ("/setujui", "/tolak") else raka.open(path)
        return page.status_code, len(page.text)

    assert answer(request_id) == answer(999_999)
    assert answer(request_id)[0] == 404
    assert correction(peopled, request_id).state is CorrectionState.NEW
    assert "Joko" not in raka.open("/admin/perbaikan-email").text
    assert raka.open("/admin/perbaikan-email?instansi=7301").status_code == 404


def test_an_approval_needs_to_say_how_the_identity_was_checked(peopled: Flask) -> None:
    request_id, wati = asked(peopled, JOKO, NEW), logged_in(peopled, WATI)

    answer = _approve(wati, request_id, identity_check="percaya", note="  ")

    assert answer.status_code == 422
    assert "Pilih cara identitas diperiksa" in words_of(answer)
    assert "Isi catatan singkat" in words_of(answer)
    assert user(peopled, JOKO).email == JOKO.email


def test_what_has_changed_since_the_page_was_opened_is_looked_at_again(peopled: Flask, inbox: Inbox) -> None:
    request_id, wati, joko = asked(peopled, JOKO, NEW), logged_in(peopled, WATI), Visitor(peopled)
    seen = _seen(wati.open(f"/admin/perbaikan-email/{request_id}"))
    joko.ask_for_token(JOKO.nip, JOKO.email or "")
    joko.reset_password(
        next(mail.code for mail in inbox.fetch() if mail.to == JOKO.email), NEW_PASSWORD, JOKO.nip
    )

    answer = wati.submit(
        f"/admin/perbaikan-email/{request_id}",
        f"/admin/perbaikan-email/{request_id}/setujui",
        **{**GROUNDS, "seen": seen},
    )

    assert answer.status_code == 422
    assert "berubah sejak halaman dibuka" in words_of(answer)
    assert user(peopled, JOKO).email == JOKO.email


def test_an_address_of_somebody_else_cannot_be_approved_and_is_named_only_within_reach(
    peopled: Flask,
) -> None:
    near, far = asked(peopled, JOKO, "budi@nusajaya.example"), asked(peopled, BUDI, "hadi@contoh.example")
    wati = logged_in(peopled, WATI)

    assert "sudah dipakai oleh Budi Santoso" in words_of(wati.open(f"/admin/perbaikan-email/{near}"))
    page = words_of(wati.open(f"/admin/perbaikan-email/{far}"))
    assert "sudah dipakai akun lain" in page
    assert "Hadi" not in page
    for request_id in (near, far):
        assert _approve(wati, request_id).status_code == 422


def test_warnings_of_a_mistyped_domain_many_nips_and_another_name(peopled: Flask) -> None:
    request_id = asked(peopled, JOKO, "orang@gmial.com", name="Orang Lain")
    asked(peopled, BUDI, "orang@gmial.com")

    page = words_of(logged_in(peopled, WATI).open(f"/admin/perbaikan-email/{request_id}"))

    assert "orang@gmail.com" in page
    assert "diminta untuk 1 NIP lain" in page
    assert "Nama yang ditulis tidak sama" in page


def test_several_at_once_are_shown_before_and_after_and_told_to_the_centre(
    peopled: Flask, inbox: Inbox
) -> None:
    ids = [
        asked(peopled, JOKO, NEW),
        asked(peopled, BUDI, "budi.baru@contoh.example"),
        asked(peopled, WATI, "w@contoh.example"),
    ]
    foreign = asked(peopled, HADI, "hadi.baru@contoh.example")
    wati = logged_in(peopled, WATI)
    query = "&".join(f"pilih={one}" for one in [*ids, foreign])
    for one in ids:
        wati.open(f"/admin/perbaikan-email/{one}")

    preview = wati.open(f"/admin/perbaikan-email/beberapa?{query}")
    seen = {f"seen-{one}": preview.text.split(f'name="seen-{one}" value="')[1].split('"')[0] for one in ids}
    answer = wati.client.post(
        "/admin/perbaikan-email/beberapa/setujui",
        data={"csrf_token": wati.csrf_token("/akun"), "pilih": [*ids, foreign], **GROUNDS, **seen},
    )
    result = words_of(wati.open(answer.location))

    assert "Langsung berganti" in words_of(preview)
    assert "akun Anda sendiri" in words_of(preview)
    assert "Hadi" not in preview.text
    assert answer.status_code == 303
    assert result.count("Email sudah berganti") == 2
    assert "Hadi" not in result
    assert user(peopled, JOKO).email == NEW
    assert user(peopled, WATI).email == WATI.email
    assert user(peopled, HADI).email == HADI.email
    (report,) = read_next_morning(peopled, inbox)
    assert report.to == RATNA.email
    assert "Permintaan perbaikan yang dijawab sekaligus" in report.text
    assert "Wati Kusuma (admin Pemerintah Kabupaten Nusa Jaya): 1 kali, jumlah 2" in report.text


def test_after_ten_minutes_the_password_is_asked_again_and_nothing_typed_is_lost(peopled: Flask) -> None:
    request_id, wati = asked(peopled, JOKO, NEW), logged_in(peopled, WATI)
    with time_machine.travel(now() + timedelta(minutes=11)):
        asked_again = _approve(wati, request_id)
        assert asked_again.status_code == 403
        assert "Password sekali lagi" in asked_again.text
        assert 'value="Datang ke loket 3 membawa kartu pegawai"' in asked_again.text
        assert user(peopled, JOKO).email == JOKO.email

        wrong = wati.submit(asked_again, password_sekali_lagi="Salah-Sekali-1")
        right = wati.submit(asked_again, password_sekali_lagi=PASSWORD)

        assert wrong.status_code == 422
        assert "Password ini salah" in words_of(wrong)
        assert right.status_code == 303
    assert user(peopled, JOKO).email == NEW


def test_the_admin_changes_an_address_without_a_request(peopled: Flask, inbox: Inbox) -> None:
    wati = logged_in(peopled, WATI)
    path = f"/admin/pegawai/{person_id(peopled, JOKO)}/email"
    seen = _seen(wati.open(path))
    fields = {"identity_check": "surat_atasan", "reason": "Surat kepala dinas 12/2026", "seen": seen}

    assert wati.submit(path, email=JOKO.email or "", **fields).status_code == 422
    assert wati.submit(path, email="sari@nusajaya.example", **fields).status_code == 422
    assert (
        wati.post_with_token(path, email=NEW, role="admin_pusat", instansi_id="2", **fields).status_code
        == 303
    )

    assert user(peopled, JOKO).email == NEW
    assert {mail.to for mail in inbox.fetch()} == {JOKO.email, NEW}
    assert logged_in(peopled, RAKA).open(path).status_code == 404


def test_a_cancelled_change_leaves_the_address_and_brings_the_request_back(peopled: Flask) -> None:
    request_id, wati = asked(peopled, SARI, "sari.baru@contoh.example"), logged_in(peopled, WATI)
    _approve(wati, request_id)
    change = latest_change(peopled, SARI)
    assert change is not None
    path = f"/admin/perbaikan-email/perubahan/{change.id}"

    assert wati.submit(path, f"{path}/batalkan", because="").status_code == 422
    assert wati.submit(path, f"{path}/batalkan", because="Salah orang").status_code == 303
    assert wati.post_with_token(path, f"{path}/batalkan", because="Lagi").status_code in (400, 404, 422)

    assert correction(peopled, request_id).state is CorrectionState.NEW
    with time_machine.travel(now() + timedelta(hours=25)):
        changes_take_effect(peopled)
    assert user(peopled, SARI).email == SARI.email


def test_an_answer_leads_to_the_next_in_the_queue_and_what_waits_for_a_second_admin_stands_elsewhere(
    peopled: Flask,
) -> None:
    first, second = (
        asked(peopled, HADI, "h@contoh.example", timedelta(hours=3)),
        asked(peopled, JOKO, NEW, timedelta(hours=2)),
    )
    third = asked(peopled, BUDI, "budi.baru@contoh.example", timedelta(hours=1))
    ratna = logged_in(peopled, RATNA)

    assert _approve(ratna, first).location.endswith(f"/{second}")
    assert _approve(ratna, second).location.endswith(f"/{third}")
    assert _approve(ratna, third).location.endswith("/admin/perbaikan-email")

    assert "Tidak ada yang menunggu" in words_of(ratna.open("/admin/perbaikan-email"))
    assert "Hadi" in words_of(ratna.open("/admin/perbaikan-email?lihat=kedua"))


def test_a_ticket_read_out_on_the_phone_is_found_however_it_is_typed(peopled: Flask) -> None:
    request_id, wati = asked(peopled, JOKO, NEW), logged_in(peopled, WATI)
    ticket = correction(peopled, request_id).ticket

    for typed in (ticket, ticket.lower(), ticket.removeprefix("PE-").replace("-", " ")):
        found = wati.client.get("/admin/perbaikan-email", query_string={"cari": typed})
        assert found.location.endswith(f"/admin/perbaikan-email/{request_id}")
    for typed, admin in (("PE-BBBB-BBBB", wati), (ticket, logged_in(peopled, RAKA))):
        nothing = admin.client.get(
            "/admin/perbaikan-email", query_string={"cari": typed}, follow_redirects=True
        )
        assert "Tidak ada permintaan dengan nomor tiket itu" in words_of(nothing)


def test_a_likely_slip_in_an_address_is_a_warning_that_can_be_passed(peopled: Flask) -> None:
    wati, path = logged_in(peopled, WATI), f"/admin/pegawai/{person_id(peopled, JOKO)}/email"

    warned = wati.submit(path, email="joko@gmial.com", identity_check="surat_atasan", reason="Surat")
    another = wati.submit(warned, email="joko@yaho.com", acknowledged=marks_on(warned))
    passed = wati.submit(warned, acknowledged=marks_on(warned))

    assert warned.status_code == 422
    assert "joko@gmail.com" in words_of(warned)
    assert 'value="joko@gmial.com"' in warned.text
    assert another.status_code == 422, "what was acknowledged about one address says nothing about another"
    assert passed.status_code == 303


def test_the_first_old_address_can_still_stop_it_when_the_thief_has_moved_on_to_a_third(
    peopled: Flask, inbox: Inbox
) -> None:
    first = asked(peopled, JOKO, "maling@contoh.example")
    _approve(logged_in(peopled, WATI), first)
    path = next(mail.link for mail in inbox.fetch() if mail.to == JOKO.email).removeprefix("http://localhost")
    second = asked(peopled, JOKO, "maling.lain@contoh.example")
    _approve(logged_in(peopled, WATI), second)
    inbox.fetch()

    assert Visitor(peopled).submit(path).status_code == 303

    assert user(peopled, JOKO).email is None
    wati = logged_in(peopled, WATI)
    assert words_of(wati.open("/admin/perbaikan-email?lihat=dibekukan")).count("Joko Prabowo Adi") == 2
    assert "tidak ada email yang tercatat" in words_of(
        wati.open(f"/admin/pegawai/{person_id(peopled, JOKO)}")
    )
