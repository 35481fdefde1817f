"""The desk cannot decide yet, and asks the person; the answer is written on the page of the ticket."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from app.domain.corrections import MOST_QUESTIONS, CorrectionState
from app.domain.indonesian_time import now
from app.models import (
    AuditEvent,
    CorrectionAttachment,
    CorrectionQuestion,
    EmailCorrection,
    Tag,
    TakenCorrection,
)
from app.runtime.db import reading, unit_of_work
from app.runtime.portal import portal
from tests.cast import BUDI, DEWI, HADI, JOKO, RAKA, RATNA, SARI, STRANGERS_NIP, WATI
from tests.desk import asked, correction, latest_change, marks_on, person_id
from tests.flows.attacks.test_races import _all_at_once
from tests.flows.correction.test_correction_asked import link_for, send
from tests.inbox import Inbox
from tests.photos import jpeg, paper
from tests.visitor import Visitor, logged_in, words_of

NEW = "joko@nusajaya.example"
QUEUE = "/admin/perbaikan-email"
QUESTION = "Sejak kapan email lama tidak dapat dibuka?"
GROUNDS = {"identity_check": "tatap_muka", "note": "Datang ke loket 3 membawa kartu pegawai"}
ANSWER = "Sejak pindah kantor,\nbulan lalu."


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


def ask(desk: Visitor, request_id: int, question: str = QUESTION) -> TestResponse:
    return desk.submit(f"{QUEUE}/{request_id}", f"{QUEUE}/{request_id}/tanya", question=question)


def ticket_of(app: Flask, request_id: int) -> str:
    reference = correction(app, request_id).reference
    with app.app_context():
        return f"/perbaikan-email/{portal().keys.correction_link(reference)}"


def answer(visitor: Visitor, ticket: str, words: str = ANSWER, /, **file: tuple[bytes, str]) -> TestResponse:
    return visitor.submit(ticket, f"{ticket}/jawab", answer=words, **file)


def questions_of(app: Flask, request_id: int) -> list[CorrectionQuestion]:
    with app.app_context(), reading() as session:
        return CorrectionQuestion.of(session, request_id)


def test_asked_by_mail_answered_on_the_ticket_and_back_at_the_old_place(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    request_id = asked(peopled, JOKO, NEW, ago=timedelta(hours=5))
    other = asked(peopled, SARI, "sari.baru@contoh.example", ago=timedelta(hours=3))
    wati.open(f"{QUEUE}/{request_id}")
    inbox.fetch()

    led_to = ask(wati, request_id)

    assert led_to.location.endswith(f"/{other}"), "the next one at once"
    mail = inbox.fetch_one(NEW)
    assert QUESTION in mail.text
    assert QUESTION in mail.html
    assert JOKO.name not in mail.text
    assert "Joko" not in words_of(wati.open(QUEUE))
    assert "Joko" in words_of(wati.open(f"{QUEUE}?lihat=pemohon"))
    joko, ticket = Visitor(peopled), mail.link.removeprefix("http://localhost")
    page = words_of(joko.open(ticket))
    assert "Menunggu jawaban Anda" in page
    assert QUESTION in page
    assert "Setelah Anda menjawab" in page

    said = answer(joko, ticket)

    assert said.status_code == 303
    page = words_of(joko.open(ticket))
    assert "Jawaban Anda sudah dikirim" in page
    assert "dijawab" in page
    assert QUESTION not in page
    queue = words_of(wati.open(QUEUE))
    assert queue.index(JOKO.name) < queue.index(SARI.name), "at its old place"
    assert "dijawab" in queue
    assert "bulan lalu" in words_of(wati.open(f"{QUEUE}/{request_id}"))
    with peopled.app_context(), reading() as session:
        for tag in (Tag.CORRECTION_QUESTION_SENT, Tag.CORRECTION_QUESTION_ANSWERED):
            event = session.scalars(select(AuditEvent).where(AuditEvent.tag == tag)).one()
            assert QUESTION not in str(event.detail)
            assert "bulan lalu" not in str(event.detail)


def test_what_waits_for_its_person_is_taken_by_nobody(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    path = f"{QUEUE}/{request_id}"
    ask(wati, request_id)

    late = logged_in(peopled, RATNA).post_with_token("/akun", f"{path}/ambil")
    again = wati.post_with_token("/akun", f"{path}/ambil")

    assert (late.status_code, again.status_code) == (303, 303)
    assert "tidak ditangani siapa pun sampai dijawab" in words_of(wati.open(path))
    with peopled.app_context(), reading() as session:
        assert TakenCorrection.of(session, request_id, now()) is None
    answer(Visitor(peopled), ticket_of(peopled, request_id))
    wati.open(path)
    with peopled.app_context(), reading() as session:
        assert TakenCorrection.of(session, request_id, now()) is not None


def test_a_question_that_waits_makes_no_promise(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW, ago=timedelta(hours=25))
    ask(wati, request_id)

    ticket = words_of(Visitor(peopled).open(ticket_of(peopled, request_id)))

    assert "dapat lewat dari 24 jam" in ticket
    assert "Maaf" not in ticket
    assert "lewat 24 jam" in words_of(wati.open(f"{QUEUE}?lihat=pemohon")), "the desk sees its true age"


@pytest.mark.usefixtures("inbox")
def test_at_most_three_questions_and_one_at_a_time(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    ticket = ticket_of(peopled, request_id)

    ask(wati, request_id)
    twice = wati.post_with_token("/akun", f"{QUEUE}/{request_id}/tanya", question=QUESTION)
    another = wati.post_with_token("/akun", f"{QUEUE}/{request_id}/tanya", question="Yang mana?")

    assert twice.status_code == 303, "the same click once more"
    assert another.status_code == 422
    assert "belum dijawab pemohon" in words_of(another)
    assert len(questions_of(peopled, request_id)) == 1
    for number in range(2, MOST_QUESTIONS + 1):
        answer(Visitor(peopled), ticket)
        assert ask(wati, request_id, f"Pertanyaan ke-{number}?").status_code == 303
    answer(Visitor(peopled), ticket)
    fourth = wati.post_with_token("/akun", f"{QUEUE}/{request_id}/tanya", question="Satu lagi?")
    assert fourth.status_code == 422
    assert f"sudah ditanya {MOST_QUESTIONS} kali" in words_of(wati.open(f"{QUEUE}/{request_id}"))


@pytest.mark.parametrize(
    "question",
    [
        "",
        "a" * 501,
        "Buka https://contoh.example",
        "Lihat bkn-layanan.go.id/isi",
        "Kirim ke saya@contoh.example",
    ],
)
def test_a_question_is_short_and_leads_nowhere(peopled: Flask, wati: Visitor, question: str) -> None:
    request_id = asked(peopled, JOKO, NEW)

    refused = ask(wati, request_id, question)

    assert refused.status_code == 422
    assert questions_of(peopled, request_id) == []


def test_two_admins_who_ask_at_once_ask_once(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    request_id = asked(peopled, JOKO, NEW)
    path, token = f"{QUEUE}/{request_id}", wati.csrf_token(f"{QUEUE}/{request_id}")
    inbox.fetch()

    answers = _all_at_once(
        [
            lambda number=number: (
                wati.post(f"{path}/tanya", csrf_token=token, question=f"Nomor {number}?").status_code
            )  # type: ignore[misc]
            for number in range(4)
        ]
    )

    assert answers == [303, 422, 422, 422]
    assert len(inbox.fetch()) == 1


def test_a_photo_comes_with_the_answer_only_if_there_is_none_yet(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    request_id = asked(peopled, JOKO, NEW)
    ask(wati, request_id)
    ticket = ticket_of(peopled, request_id)

    broken = answer(Visitor(peopled), ticket, ANSWER, attachment=(b"<svg onload=alert(1)>", "sk.jpg"))
    sent = answer(Visitor(peopled), ticket, ANSWER, attachment=(jpeg(paper()), "sk.jpg"))

    assert broken.status_code == 422
    assert "Sejak pindah kantor" in broken.text
    assert sent.status_code == 303
    with peopled.app_context(), reading() as session:
        kept = CorrectionAttachment.of(session, request_id)
        assert kept is not None
        assert kept.media_type == "image/jpeg"
    assert f"{QUEUE}/{request_id}/gambar" in wati.open(f"{QUEUE}/{request_id}").text
    ask(wati, request_id, "Terima kasih. Siapa atasan Anda?")
    assert 'type="file"' not in Visitor(peopled).open(ticket).text
    assert inbox.fetch()


def test_an_answer_after_the_decision_is_told_so(peopled: Flask, wati: Visitor, inbox: Inbox) -> None:
    request_id = asked(peopled, JOKO, NEW)
    ask(wati, request_id)
    ticket, joko = ticket_of(peopled, request_id), Visitor(peopled)
    page = joko.open(ticket)

    wati.submit(f"{QUEUE}/{request_id}", f"{QUEUE}/{request_id}/tolak", reason="Tidak dijawab.")
    late = joko.submit(page, f"{ticket}/jawab", answer=ANSWER)

    assert late.status_code == 303
    page_after = words_of(joko.open(ticket))
    assert "sudah diputuskan" in page_after
    assert "ditutup tanpa jawaban" in page_after
    assert not questions_of(peopled, request_id)[0].was_answered
    assert "Tidak dijawab. Ditutup" in words_of(wati.open(f"{QUEUE}/{request_id}"))
    assert "Tidak dijawab." in inbox.fetch()[-1].text


def test_an_approved_request_takes_no_answer_and_stands_open_again_when_that_is_taken_back(
    peopled: Flask, inbox: Inbox
) -> None:
    request_id = asked(peopled, HADI, "hadi.baru@contoh.example")
    path, ratna = f"{QUEUE}/{request_id}", logged_in(peopled, RATNA)
    ask(ratna, request_id)
    ticket, hadi = ticket_of(peopled, request_id), Visitor(peopled)
    form = hadi.open(ticket)

    page = ratna.open(path)
    approved = ratna.submit(page, f"{path}/setujui", **GROUNDS, acknowledged=marks_on(page))
    late = hadi.submit(form, f"{ticket}/jawab", answer=ANSWER)

    assert approved.status_code == 303
    assert late.status_code == 303
    assert "sudah disetujui satu admin dan menunggu admin kedua, jadi jawaban" in words_of(hadi.open(ticket))
    assert not questions_of(peopled, request_id)[0].was_answered
    change = latest_change(peopled, HADI)
    assert change is not None
    ratna.submit(
        f"/admin/perbaikan-email/perubahan/{change.id}",
        f"/admin/perbaikan-email/perubahan/{change.id}/batalkan",
        because="Belum terbukti.",
    )
    assert correction(peopled, request_id).state is CorrectionState.NEW
    assert HADI.name in words_of(ratna.open(QUEUE)), "in the list of the open ones"
    assert HADI.name not in words_of(ratna.open(f"{QUEUE}?lihat=pemohon"))
    assert "dijawab" not in words_of(ratna.open(QUEUE))
    assert inbox.fetch()


def test_of_twenty_answers_at_once_one_is_kept(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    ask(wati, request_id)
    ticket = ticket_of(peopled, request_id)
    visitors = [Visitor(peopled, f"203.0.113.{number}") for number in range(6)]
    tokens = [visitor.csrf_token(ticket) for visitor in visitors]

    answers = _all_at_once(
        [
            lambda number=number: (
                visitors[number]
                .post(  # type: ignore[misc]
                    f"{ticket}/jawab", csrf_token=tokens[number], answer=f"Jawaban {number}"
                )
                .status_code
            )
            for number in range(6)
        ]
    )

    assert set(answers) == {303}
    [question] = questions_of(peopled, request_id)
    assert (question.answer or "").startswith("Jawaban ")


def test_the_number_of_a_ticket_answers_nothing(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    ask(wati, request_id)
    ticket, stranger = correction(peopled, request_id).ticket, Visitor(peopled)
    token = stranger.csrf_token("/perbaikan-email")

    for guess in (ticket, f"{correction(peopled, request_id).reference}.AAAAAA.{'A' * 43}"):
        refused = stranger.post(f"/perbaikan-email/{guess}/jawab", csrf_token=token, answer=ANSWER)
        assert refused.status_code == 404
        assert QUESTION not in refused.text
    assert questions_of(peopled, request_id)[0].answer is None


def test_an_address_that_only_takes_answers_leads_to_the_ticket(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    ask(wati, request_id)
    ticket = ticket_of(peopled, request_id)

    led = Visitor(peopled).open(f"{ticket}/jawab")

    assert led.status_code == 303
    assert led.location.endswith(ticket)


def test_a_stranger_who_does_not_know_the_name_is_asked_nothing(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    """The portal asks nothing about a NIP that nobody has, so a question would tell that somebody has it."""
    request_id = asked(peopled, JOKO, NEW, name="Orang Lain")
    in_part = asked(peopled, SARI, "s@contoh.example", name="Sari")
    guessed = asked(peopled, BUDI, "b@contoh.example", name="Bu Bu")
    not_whole = asked(peopled, DEWI, "d@contoh.example", name=DEWI.name.rsplit(" ", 1)[0])
    inbox.fetch()

    for one in (request_id, in_part, guessed, not_whole):
        page = wati.open(f"{QUEUE}/{one}")
        assert f"{QUEUE}/{one}/tanya" not in page.text
        assert "tidak dapat ditanya lewat email" in words_of(page)
        assert wati.post_with_token("/akun", f"{QUEUE}/{one}/tanya", question=QUESTION).status_code == 422

    assert not any("pertanyaan" in mail.subject for mail in inbox.fetch())


def test_the_ticket_of_a_nip_that_nobody_has_takes_no_answer_like_one_without_a_question(
    peopled: Flask, inbox: Inbox
) -> None:
    tickets = []
    for nip, address in ((JOKO.nip, "satu@contoh.example"), (STRANGERS_NIP, "dua@contoh.example")):
        visitor = Visitor(peopled)
        link = link_for(peopled, inbox, nip, address)
        send(visitor, link)
        tickets.append((visitor, link))

    answers = [
        visitor.post(f"{link}/jawab", csrf_token=visitor.csrf_token("/perbaikan-email"), answer=ANSWER)
        for visitor, link in tickets
    ]
    pages = [words_of(visitor.open(link)) for visitor, link in tickets]

    assert [one.status_code for one in answers] == [303, 303]
    assert all("Tidak ada pertanyaan" in page for page in pages)


def test_the_owner_answers_about_the_record_after_the_login_only(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    sari = logged_in(peopled, SARI)
    sari.submit("/beranda/perbaikan/nama", wanted="Sari Wulandari, S.K.M.", reason="SK terakhir.")
    with peopled.app_context(), reading() as session:
        request_id = session.scalars(select(EmailCorrection.id)).one()
    inbox.fetch()

    assert ask(wati, request_id, "Nomor SK yang mana?").status_code == 303
    [mail] = [one for one in inbox.fetch() if "ditanyakan" in one.subject]
    ticket = mail.link.removeprefix("http://localhost")
    stranger = Visitor(peopled)
    page = stranger.open(ticket)
    refused = stranger.post(
        f"{ticket}/jawab", csrf_token=stranger.csrf_token("/perbaikan-email"), answer="Bukan saya"
    )

    assert mail.to == SARI.email
    assert "Nomor SK" not in page.text
    assert "Masuk" in words_of(page)
    assert refused.status_code == 303
    assert questions_of(peopled, request_id)[0].answer is None
    raka = logged_in(peopled, RAKA)
    assert "Nomor SK" not in raka.open(ticket).text
    assert "Nomor SK" in words_of(sari.open(ticket))
    assert answer(sari, ticket, "SK nomor 12").status_code == 303
    assert questions_of(peopled, request_id)[0].answer == "SK nomor 12"
    assert correction(peopled, request_id).state is CorrectionState.IN_HAND


def test_a_lost_token_of_the_form_loses_no_answer(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    ask(wati, request_id)
    ticket = ticket_of(peopled, request_id)

    again = Visitor(peopled).post(f"{ticket}/jawab", csrf_token="lama", answer="Sejak bulan lalu.")

    assert again.status_code == 400
    assert "Sejak bulan lalu." in again.text
    assert questions_of(peopled, request_id)[0].answer is None
    with time_machine.travel(now() + timedelta(days=91)):
        assert Visitor(peopled).open(ticket).status_code == 404


def test_several_at_once_leave_out_what_waits_for_its_person(peopled: Flask, wati: Visitor) -> None:
    request_id = asked(peopled, JOKO, NEW)
    ask(wati, request_id)
    query = f"{QUEUE}/beberapa?pilih={request_id}"

    page = wati.open(query)
    wati.submit(page, f"{QUEUE}/beberapa/tolak", reason="Data tidak cocok.")

    assert "Menunggu jawaban pemohon" in words_of(page)
    assert correction(peopled, request_id).state is CorrectionState.IN_HAND


def test_the_database_keeps_one_open_question_of_a_request(peopled: Flask) -> None:
    request_id = asked(peopled, JOKO, NEW)
    by = person_id(peopled, WATI)
    two = [
        CorrectionQuestion(correction_id=request_id, asked_by_id=by, asked_at=now(), question=str(number))
        for number in range(2)
    ]

    def write() -> None:
        with unit_of_work() as session:
            session.add_all(two)

    with peopled.app_context(), pytest.raises(IntegrityError):
        write()
