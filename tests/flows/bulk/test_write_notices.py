"""An admin writes to many people in their own words, and sees the letter before."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.domain.indonesian_time import now
from app.models import Tag
from tests.cast import BUDI, DEWI, SARI, TONO, WATI, email_of
from tests.flows.bulk.at_once import (
    act_of,
    choose,
    choose_all,
    events_of,
    make_admin,
    outcomes_of,
    prepare,
    start,
    work,
)
from tests.inbox import Inbox
from tests.visitor import Visitor, logged_in, words_of

WORDS = "Aktifkan akun sebelum 30-11-2026.\n\nTanya <b>loket 3</b> & helpdesk."


@pytest.fixture
def wati(peopled: Flask) -> Visitor:
    return logged_in(peopled, WATI)


def test_the_letter_is_the_one_that_was_shown_and_says_who_wrote_it(
    peopled: Flask, wati: Visitor, inbox: Inbox
) -> None:
    page = prepare(wati, choose(peopled, wati, BUDI, DEWI, TONO), tindakan="pemberitahuan", pesan=WORDS)
    preview = wati.open(page)
    assert "Tanya &lt;b&gt;loket 3&lt;/b&gt; &amp; helpdesk." in preview.text
    start(wati, page)
    work(peopled)

    mails = {mail.to: mail for mail in inbox.fetch()}
    letter = mails[email_of(BUDI)]
    assert letter.subject == "Pemberitahuan dari admin Pemerintah Kabupaten Nusa Jaya"
    assert "  Aktifkan akun sebelum 30-11-2026.\n" in letter.text
    assert "tidak pernah meminta password atau token" in letter.text
    assert "Telepon: 021-555-0173" in letter.text
    assert "&lt;b&gt;loket 3&lt;/b&gt; &amp; helpdesk." in letter.html
    shown = " ".join(words_of(preview).split())
    assert " ".join(letter.text.replace("<b>", "").replace("</b>", "").split())[:200] in shown.replace(
        "<b>", ""
    ).replace("</b>", "")
    assert mails.keys() == {email_of(BUDI), email_of(DEWI), email_of(TONO)}, "pusat reads of it in the digest"
    assert len(events_of(peopled, Tag.NOTICE_SENT)) == 3
    (event,) = events_of(peopled, Tag.BULK_ACT)
    assert event.detail["words"] == WORDS


def test_a_person_gets_one_notice_a_day_from_whichever_desk(peopled: Flask, wati: Visitor) -> None:
    make_admin(peopled, SARI)
    sari = logged_in(peopled, SARI)
    early = prepare(sari, choose(peopled, sari, BUDI), tindakan="pemberitahuan", pesan="Dari Sari.")
    start(wati, prepare(wati, choose(peopled, wati, BUDI), tindakan="pemberitahuan", pesan="Dari Wati."))
    work(peopled)

    start(sari, early)
    work(peopled)
    assert outcomes_of(peopled, early) == {BUDI.name: "sudah_diberi_tahu"}
    again = prepare(sari, choose(peopled, sari, BUDI), tindakan="pemberitahuan", pesan="Dari Sari.")
    assert "Tidak ada pegawai yang dapat dikerjakan" in words_of(sari.open(again))
    assert "Tidak ada pegawai yang dapat dikerjakan" in words_of(
        sari.open(sari.post_with_token("/akun", f"{again}/jalankan").location)
    )

    with time_machine.travel(now() + timedelta(hours=25), tick=True):
        later = logged_in(peopled, SARI)
        page = prepare(later, choose(peopled, later, BUDI), tindakan="pemberitahuan", pesan="Dari Sari.")
        start(later, page)
        work(peopled)
        assert outcomes_of(peopled, page) == {BUDI.name: "selesai"}


def test_words_that_lead_somewhere_come_back_to_be_written_otherwise(wati: Visitor) -> None:
    answer = wati.submit(
        choose_all(wati, "status=not_activated"), "/admin/sekaligus/baru", tindakan="pemberitahuan",
        pesan="Masuk di aktivasi.contoh.example",
    )  # fmt: skip

    assert answer.status_code == 422
    assert "Tulis tanpa tautan" in words_of(answer)
    assert "Masuk di aktivasi.contoh.example" in answer.text
    assert 'name="status" value="not_activated"' in answer.text, "the same people are still chosen"


def test_the_words_of_a_notice_do_not_matter_to_a_token(peopled: Flask, wati: Visitor) -> None:
    page = prepare(wati, choose(peopled, wati, BUDI), tindakan="kirim_token", pesan="www.contoh.id")

    assert act_of(peopled, page).terms == {}
