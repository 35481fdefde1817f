"""The desk's first page shows how many people have activated, what waits and what fails, but nothing about
other instansi."""

import csv
import io
from datetime import datetime, timedelta
from secrets import token_hex
from threading import Barrier, Thread

import pytest
import time_machine
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from app.domain.categories import Activation, Category
from app.domain.corrections import CorrectionState
from app.domain.indonesian_time import now, today_in_jakarta
from app.models import (
    ActivationDay,
    ActivationUnit,
    AuditEvent,
    EmailCorrection,
    Instansi,
    Letter,
    OutboxMail,
    Tag,
    User,
)
from app.models.outbox_mail import MailState
from app.runtime.db import reading, unit_of_work
from app.worker.duties import count_everybody
from tests.cast import BUDI, CINTA, HADI, RAKA, RATNA, SARI, WATI, Person
from tests.visitor import logged_in, words_of

COUNTED = {"7301": (2, 6), "3402": (2, 4)}  # active people, and all people


def count(app: Flask) -> None:
    with app.app_context():
        count_everybody()


def ask_correction(
    app: Flask, number: int, person: Person | None, age: timedelta, decided_after: timedelta | None = None
) -> None:
    moment = now() - age
    with app.app_context(), unit_of_work() as session:
        owner = person and session.scalars(select(User).where(User.nip == person.nip)).one()
        session.add(
            EmailCorrection(
                reference=f"ref-{number}", ticket=f"PE-{number:04}-XXXX",
                nip=person.nip if person else "197001011995011999",
                new_email="baru@contoh.example", new_email_key="baru@contoh.example", client_address="-",
                user_id=owner.id if owner else None, instansi_id=owner.instansi_id if owner else None,
                state=CorrectionState.NEW if decided_after is None else CorrectionState.REJECTED,
                asked_at=moment, submitted_at=moment, answer_at=moment,
                decided_at=None if decided_after is None else moment + decided_after,
            )
        )  # fmt: skip


def refuse_mail(
    app: Flask,
    person: Person | None,
    address: str,
    state: MailState,
    answer: str,
    age: timedelta,
) -> None:
    moment = now() - age
    with app.app_context(), unit_of_work() as session:
        owner = person and session.scalars(select(User).where(User.nip == person.nip)).one()
        session.add(
            OutboxMail(
                letter=Letter.TOKEN, to_address=address, message_id=f"<{token_hex(4)}@x>",
                user_id=owner.id if owner else None,
                client_address="-", state=state, posted_at=moment, due_at=moment, begun_at=moment,
                server_answer=answer, about={},
            )
        )  # fmt: skip


def set_stuck(app: Flask, person: Person, moment: datetime) -> None:
    with app.app_context(), unit_of_work() as session:
        session.scalars(select(User).where(User.nip == person.nip)).one().stuck_since = moment


def test_before_the_first_count_the_page_says_so(peopled: Flask) -> None:
    for person in (WATI, RATNA):
        page = logged_in(peopled, person).open("/admin/")
        assert page.status_code == 200
        assert "Belum dihitung" in page.text


def test_an_admin_sees_the_units_of_the_own_instansi(peopled: Flask) -> None:
    count(peopled)

    words = words_of(logged_in(peopled, WATI).open("/admin/"))

    assert "2 dari 6 pegawai (33,3%)" in words
    assert "Dihitung " in words
    assert "Dinas Pendidikan 1 0 1 0 0 0,0%" in words
    assert "BKPSDM 1 1 0 0 0 100,0%" in words
    for foreign in ("Biro Hukum", "Kementerian Contoh", "Peringkat"):
        assert foreign not in words


def test_the_centre_sees_all_instansi_in_their_order_and_can_choose_one(peopled: Flask) -> None:
    count(peopled)
    ratna = logged_in(peopled, RATNA)

    page, found, chosen = (ratna.open(f"/admin/{query}") for query in ("", "?cari=NUSA", "?instansi=7301"))

    assert "4 dari 10 pegawai (40,0%)" in words_of(page)
    assert (
        "1 Kementerian Contoh Nasional 4 2 2 0 0 50,0% 2 Pemerintah Kabupaten Nusa Jaya 6 2 3 1 1 33,3%"
        in words_of(page)
    )
    assert "Kementerian Contoh" not in words_of(found)
    assert "Nusa Jaya 33,3%" in words_of(found)
    assert "Dinas Pendidikan" in words_of(chosen)
    assert "Biro Hukum" not in words_of(chosen)


def test_an_instansi_out_of_reach_is_one_that_does_not_exist(peopled: Flask) -> None:
    raka = logged_in(peopled, RAKA)

    for code in ("7301", "0000"):
        assert raka.open(f"/admin/?instansi={code}").status_code == 404
        assert (
            raka.post_with_token("/admin/audit", "/admin/ekspor", instansi=code, bentuk="csv").status_code
            == 404
        )
    assert raka.open("/admin/?instansi=3402").status_code == 200


def test_counting_again_writes_what_has_changed_and_forgets_what_is_gone(peopled: Flask) -> None:
    with time_machine.travel("2026-03-09T16:00:00Z", tick=False) as clock:
        count(peopled)
        with peopled.app_context(), unit_of_work() as session:
            budi = session.scalars(select(User).where(User.nip == BUDI.nip)).one()
            budi.activation, budi.work_unit = Activation.ACTIVE, "Unit baru"
        count(peopled)
        clock.shift(2 * 3600)  # after this it is past midnight in Jakarta
        count(peopled)

    with peopled.app_context(), reading() as session:
        jaya = session.scalars(select(Instansi.id).where(Instansi.code == "7301")).one()
        days = session.scalars(
            select(ActivationDay).where(ActivationDay.instansi_id == jaya).order_by(ActivationDay.day)
        ).all()
        assert [(str(day.day), day.active, day.not_activated) for day in days] == [
            ("2026-03-09", 3, 2),
            ("2026-03-10", 3, 2),
        ]
        units = set(
            session.scalars(select(ActivationUnit.work_unit).where(ActivationUnit.instansi_id == jaya))
        )
        assert "Unit baru" in units
        assert "Dinas Pendidikan" not in units


def test_two_workers_may_count_at_once(peopled: Flask) -> None:
    start, faults = Barrier(3), []

    def run() -> None:
        start.wait()
        try:
            for _ in range(5):
                count(peopled)
        except Exception as fault:
            faults.append(fault)

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not faults
    with peopled.app_context(), reading() as session:
        assert len(session.scalars(select(ActivationDay)).all()) == 2


def test_the_days_show_how_it_went(peopled: Flask) -> None:
    count(peopled)
    with peopled.app_context(), unit_of_work() as session:
        jaya = session.scalars(select(Instansi.id).where(Instansi.code == "7301")).one()
        for back, active in ((40, 1), (29, 1), (3, 4)):
            day = today_in_jakarta(now()) - timedelta(days=back)
            session.add(
                ActivationDay(day=day, instansi_id=jaya, not_activated=10 - active, waiting_approval=0,
                active=active,
                              deactivated=0, counted_at=now())
            )  # fmt: skip

    page = logged_in(peopled, WATI).open("/admin/")

    assert 'aria-label="Dari 10,0% menjadi 33,3%.' in page.text
    assert "0 90.0L26 60.0L29 66.67" in page.text
    assert "10 4 6 0 0 40,0%" in words_of(page)
    assert "style=" not in page.text


def test_the_queue_is_shown_by_age_and_the_promise_is_measured(peopled: Flask) -> None:
    hours = [timedelta(hours=count) for count in (1, 2, 5, 25, 30)]
    for number, age in enumerate(hours):
        ask_correction(peopled, number, BUDI, age)
    for number, took in enumerate((timedelta(hours=2), timedelta(hours=6), timedelta(hours=30)), start=10):
        ask_correction(peopled, number, BUDI, timedelta(days=5), decided_after=took)
    ask_correction(peopled, 20, BUDI, timedelta(days=40), decided_after=timedelta(days=9))
    ask_correction(peopled, 21, HADI, timedelta(hours=50))
    ask_correction(peopled, 22, None, timedelta(hours=50))
    ask_correction(peopled, 23, None, timedelta(days=2), decided_after=timedelta(hours=1))

    wati, raka, ratna = (
        words_of(logged_in(peopled, person).open("/admin/")) for person in (WATI, RAKA, RATNA)
    )

    assert "Menunggu kurang dari 4 jam 2 4 sampai 24 jam 1 Lebih dari 24 jam 2 lewat janji" in wati
    assert "66,7% dari 3 permintaan 30 hari terakhir; separuhnya dalam 6 jam" in wati
    assert "Menunggu kurang dari 4 jam 0 4 sampai 24 jam 0 Lebih dari 24 jam 1" in raka
    assert "Belum ada yang diputus" in raka
    assert "Menunggu kurang dari 4 jam 2 4 sampai 24 jam 1 Lebih dari 24 jam 3" in ratna
    assert "dari 3 permintaan" in ratna


def test_waiting_cpns_and_who_is_stuck_are_shown_oldest_first(peopled: Flask) -> None:
    moment = now()
    set_stuck(peopled, BUDI, moment - timedelta(days=2))
    set_stuck(peopled, SARI, moment - timedelta(days=4))
    set_stuck(peopled, HADI, moment - timedelta(days=3))

    wati, raka, ratna = (
        words_of(logged_in(peopled, person).open("/admin/")) for person in (WATI, RAKA, RATNA)
    )

    assert "Menunggu persetujuan 1 Paling lama sejak" in wati
    assert "Menunggu persetujuan 0" in raka
    assert "belum pernah masuk: 2" in wati
    assert wati.index("Sari Wulandari") < wati.index("Budi Santoso")
    assert "Hadi" not in wati
    assert "belum pernah masuk: 1" in raka
    assert "Budi" not in raka
    assert ratna.index("Sari Wulandari") < ratna.index("Hadi Nugroho") < ratna.index("Budi Santoso")
    assert CINTA.name not in raka


def test_failing_mails_are_shown_by_domain_without_addresses(peopled: Flask) -> None:
    day = timedelta(days=1)
    refuse_mail(peopled, BUDI, "budi@Penuh.example", MailState.FAILED, "552 budi@penuh.example full", 2 * day)
    refuse_mail(
        peopled, SARI, "sari@penuh.example", MailState.DEFERRED, "451 later for 198503122010012001", day
    )
    refuse_mail(peopled, BUDI, "budi@lama.example", MailState.FAILED, "550", 8 * day)
    refuse_mail(peopled, HADI, "hadi@asing.example", MailState.FAILED, "550 no", day)
    refuse_mail(peopled, None, "orang@takdikenal.example", MailState.FAILED, "550 no", day)
    refuse_mail(peopled, BUDI, "budi@baik.example", MailState.SENT, "250", day)

    wati, raka = (words_of(logged_in(peopled, person).open("/admin/")) for person in (WATI, RAKA))

    assert "penuh.example 2 451 later for 19850312******2***" in wati
    for absent in ("lama.example", "asing.example", "takdikenal", "baik.example", "budi@"):
        assert absent not in wati
    assert "asing.example 1" in raka
    assert "penuh" not in raka


@pytest.mark.parametrize(("person", "units"), [(WATI, True), (RATNA, False)])
def test_the_figures_can_be_taken_along(peopled: Flask, person: Person, *, units: bool) -> None:
    with peopled.app_context(), unit_of_work() as session:
        session.scalars(select(User).where(User.nip == BUDI.nip)).one().work_unit = "=1+1"
        session.scalars(select(Instansi).where(Instansi.code == "7301")).one().name = "@Nusa"
    count(peopled)
    visitor = logged_in(peopled, person)

    text = visitor.submit("/admin/", "/admin/ekspor", bentuk="csv")
    book = visitor.submit("/admin/", "/admin/ekspor", bentuk="xlsx")

    rows = list(csv.reader(io.StringIO(text.data.decode("utf-8-sig"))))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).get_sheet_by_index(0).to_python()
    assert rows[0][0] == ("Unit kerja" if units else "Peringkat")
    assert len(rows) == len(sheet)
    if units:
        assert ["'=1+1", "1", "0", "1", "0", "0", "0.0"] in rows
        assert "=1+1" in [row[0] for row in sheet]
        assert "Biro Hukum" not in text.text
    else:
        assert rows[2][1:3] == ["7301", "'@Nusa"]
        assert sheet[2][1:3] == ["7301", "@Nusa"]
    with peopled.app_context(), reading() as session:
        noted = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.EXPORTED)).all()
    assert [event.detail["how_many"] for event in noted] == [len(rows) - 1] * 2


def test_many_units_come_page_by_page(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        jaya = session.scalars(select(Instansi).where(Instansi.code == "7301")).one()
        for number in range(60):
            session.add(
                User(nip=f"1990010120150510{number:02}", name="Orang", category=Category.PNS,
                instansi_id=jaya.id,
                     work_unit=f"Sekolah {number:02}", activation=Activation.NOT_ACTIVATED,
                     activation_changed_at=now())
            )  # fmt: skip
    count(peopled)
    wati = logged_in(peopled, WATI)

    pages = [words_of(wati.open(f"/admin/?hal={number}")) for number in (1, 2, 3, 99)]

    assert "Sekolah 10 0,0%" in pages[0]
    assert "Sekolah 30 0,0%" in pages[1]
    assert "BKPSDM 100,0%" in pages[2]
    assert "Tidak ada yang cocok" in pages[3]
    assert "Sekolah 07 0,0%" in words_of(wati.open("/admin/?cari=sekolah+07"))
