"""The desk's first page shows how many people have activated, what waits and what fails, but nothing about
other instansi."""

import csv
import io
import re
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
from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.flows.reports.count_desks import MailOutcome, outcome_of
from app.models import (
    ActivationDay,
    ActivationUnit,
    AuditEvent,
    CampaignDay,
    DeskFigures,
    EmailCorrection,
    Instansi,
    Letter,
    OutboxMail,
    PdmWindow,
    Tag,
    User,
)
from app.models.outbox_mail import MailState
from app.models.stuck import Stuck
from app.runtime.db import reading, unit_of_work
from app.worker.duties import count_everybody
from tests.cast import BUDI, HADI, RAKA, RATNA, SARI, WATI, Person
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


def table_of(page: str, name: str) -> list[list[str]]:
    """The rows of the table that belongs to a chart, without its head."""
    table = re.search(rf'id="{name}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert table, name
    rows = re.findall(r"<tr>(.*?)</tr>", table[1], re.DOTALL)
    return [
        [words_in(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows
    ]


def words_in(cell: str) -> str:
    return re.sub(r"<[^>]+>", "", cell).strip()


def of(percent: str) -> float:
    return float(percent.rstrip("%").replace(",", "."))


def set_stuck(app: Flask, person: Person, moment: datetime) -> None:
    with app.app_context(), unit_of_work() as session:
        session.scalars(select(User).where(User.nip == person.nip)).one().stuck_since = moment


def test_what_another_release_has_counted_besides_is_left_out(peopled: Flask) -> None:
    refuse_mail(peopled, BUDI, "budi@mati.example", MailState.FAILED, "550", timedelta(hours=1))
    ask_correction(peopled, 1, BUDI, timedelta(days=5), decided_after=timedelta(hours=2))
    count(peopled)
    with peopled.app_context(), unit_of_work() as session:
        kept = DeskFigures.of(session, range(10))
        for content in kept.values():
            for part in (content, content["promise"] or {}, *content["domains"]):
                part["moods"] = 1
        DeskFigures.write(session, kept)

    page = logged_in(peopled, WATI).open("/admin/")

    assert "mati.example 1" in words_of(page)


def test_before_the_first_count_the_page_says_so(peopled: Flask) -> None:
    for person in (WATI, RATNA):
        page = logged_in(peopled, person).open("/admin/")
        assert page.status_code == 200
        assert "Belum dihitung" in page.text


def test_an_admin_sees_the_units_of_the_own_instansi(peopled: Flask) -> None:
    count(peopled)

    words = words_of(logged_in(peopled, WATI).open("/admin/"))

    assert "2 dari 6 pegawai (33,3%)" in words
    assert "Dihitung: " in words
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
    assert "Nusa Jaya 2 dari 6 (33,3%)" in words_of(found)
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
    today = today_in_jakarta(now())
    with peopled.app_context(), unit_of_work() as session:
        jaya = session.scalars(select(Instansi.id).where(Instansi.code == "7301")).one()
        for back, active in ((40, 1), (29, 1), (3, 4)):
            day = today - timedelta(days=back)
            session.add(
                ActivationDay(day=day, instansi_id=jaya, not_activated=10 - active, waiting_approval=0,
                active=active,
                              deactivated=0, counted_at=now())
            )  # fmt: skip

    page = logged_in(peopled, WATI).open("/admin/")

    assert 'aria-label="Dari 10,0% menjadi 33,3%.' in page.text
    assert "naik 23,3 poin dalam 29 hari" in words_of(page)
    assert "10 4 6 0 0 40,0%" in words_of(page)
    assert "style=" not in page.text
    path = re.search(r'class="area__line" d="M([^"]+)"', page.text)
    rows = table_of(page.text, "tabel-aktivasi")
    assert path
    assert len(rows) == 3
    drawn = [tuple(map(float, point.split())) for point in path[1].split("L")]
    assert [100 - down for _, down in drawn] == pytest.approx(
        [of(row[-1]) for row in reversed(rows)], abs=0.06
    )
    assert [across for across, _ in drawn] == pytest.approx([0, 100 * 26 / 29, 100], abs=0.01)


def test_the_window_and_the_campaigns_are_drawn_into_the_days(peopled: Flask) -> None:
    today = today_in_jakarta(now())
    count(peopled)
    with peopled.app_context(), unit_of_work() as session:
        ids = {one.code: one.id for one in session.scalars(select(Instansi))}
        session.add(
            ActivationDay(day=today - timedelta(days=20), instansi_id=ids["7301"], not_activated=9,
                          waiting_approval=0, active=1, deactivated=0, counted_at=now())
        )  # fmt: skip
        PdmWindow.write(session, None, today - timedelta(days=10), today + timedelta(days=10))
        CampaignDay.write(session, None, today - timedelta(days=15), "Surat edaran")
        CampaignDay.write(session, ids["7301"], today - timedelta(days=15), "Apel bersama")
        CampaignDay.write(session, ids["7301"], today - timedelta(days=5), "Loket keliling")
        CampaignDay.write(session, ids["7301"], today - timedelta(days=25), "Terlalu lama")
        CampaignDay.write(session, ids["3402"], today - timedelta(days=5), "Milik yang lain")

    page = logged_in(peopled, WATI).open("/admin/")
    of_all = words_of(logged_in(peopled, RATNA).open("/admin/"))

    assert '<rect class="part" fill="url(#arsir-thin)" x="50.0%" width="50.0%"' in page.text
    assert re.findall(r'class="area__mark" x1="([0-9.]+)%"', page.text) == ["25.0", "75.0"]
    assert f"{shown_date(today - timedelta(days=15))}: Surat edaran; Apel bersama" in words_of(page)
    assert f"{shown_date(today - timedelta(days=5))}: Loket keliling" in words_of(page)
    for absent in ("Terlalu lama", "Milik yang lain"):
        assert absent not in words_of(page)
    assert "Apel bersama" not in of_all


def test_the_queue_is_shown_by_age_and_the_promise_is_measured(peopled: Flask) -> None:
    hours = [timedelta(hours=count) for count in (1, 2, 5, 13, 25, 30, 80)]
    for number, age in enumerate(hours):
        ask_correction(peopled, number, BUDI, age)
    for number, took in enumerate((timedelta(hours=2), timedelta(hours=6), timedelta(hours=30)), start=10):
        ask_correction(peopled, number, BUDI, timedelta(days=5), decided_after=took)
    ask_correction(peopled, 20, BUDI, timedelta(days=40), decided_after=timedelta(days=9))
    ask_correction(peopled, 21, HADI, timedelta(hours=50))
    ask_correction(peopled, 22, None, timedelta(hours=50))
    ask_correction(peopled, 23, None, timedelta(days=2), decided_after=timedelta(hours=1))
    count(peopled)

    wati, raka, ratna = (logged_in(peopled, person).open("/admin/") for person in (WATI, RAKA, RATNA))

    assert [row[1] for row in table_of(wati.text, "tabel-antrean")] == ["2", "1", "1", "2", "1"]
    assert [row[1] for row in table_of(raka.text, "tabel-antrean")] == ["0", "0", "0", "1", "0"]
    assert [row[1] for row in table_of(ratna.text, "tabel-antrean")] == ["2", "1", "1", "3", "1"]
    assert "Kurang dari 4 jam 2 4 sampai 12 jam 1 12 sampai 24 jam 1 1 sampai 3 hari 2" in words_of(wati)
    assert "3 permintaan lewat janji 24 jam" in words_of(wati)
    assert "66,7% dari 3 permintaan diputuskan dalam 24 jam; separuhnya dalam 6 jam" in words_of(wati)
    assert "Belum ada yang diputus" in words_of(raka)
    assert "dari 3 permintaan" in words_of(ratna)
    strip = re.search(r'<svg class="strip".*?</svg>', wati.text, re.DOTALL)
    assert strip
    widths = [float(width) for width in re.findall(r'x="[0-9.]+%" width="([0-9.]+)%"', strip[0])]
    assert widths == pytest.approx([100 * one / 7 for one in (2, 1, 1, 2, 1)], abs=0.01)


def test_who_is_stuck_is_counted_by_cause_and_each_cause_leads_to_its_people(peopled: Flask) -> None:
    moment = now()
    for person, days in ((BUDI, 2), (SARI, 4), (HADI, 3)):
        set_stuck(peopled, person, moment - timedelta(days=days))
    with peopled.app_context(), unit_of_work() as session:
        session.scalars(select(User).where(User.nip == SARI.nip)).one().mail_failed_at = moment
    count(peopled)
    visitors = {person: logged_in(peopled, person) for person in (WATI, RAKA, RATNA)}

    pages = {person: visitor.open("/admin/").text for person, visitor in visitors.items()}

    rows = table_of(pages[WATI], "tabel-macet")
    assert [row[1] for row in rows] == ["0", "1", "2", "1"]
    assert [row[1] for row in table_of(pages[RAKA], "tabel-macet")] == ["1", "0", "1", "0"]
    assert [row[1] for row in table_of(pages[RATNA], "tabel-macet")] == ["1", "1", "3", "1"]
    chart = re.search(r'aria-label="Orang yang tersangkut.*?</ul>', pages[WATI], re.DOTALL)
    assert chart
    widths = [float(width) for width in re.findall(r'bars__part" width="([0-9.]+)%"', chart[0])]
    assert widths == [0, 50, 100, 50]
    for visitor in visitors.values():
        for row, cause in zip(table_of(visitor.open("/admin/").text, "tabel-macet"), Stuck, strict=True):
            listed = visitor.open(f"/admin/pegawai?macet={cause}").text
            assert listed.count("/admin/pegawai/") - listed.count("/admin/pegawai/ekspor") == int(row[1])


def test_an_admin_of_two_instansi_sees_both_together(peopled: Flask) -> None:
    for code in ("7301", "3402"):
        peopled.test_cli_runner().invoke(
            args=["admin", "grant", SARI.nip, "--instansi", code, "--sk", "1", "--until", "2999-12-31"]
        )
    for number, person in enumerate((BUDI, HADI)):
        set_stuck(peopled, person, now() - timedelta(days=2))
        refuse_mail(peopled, person, "orang@mati.example", MailState.FAILED, "550", timedelta(hours=1))
        ask_correction(peopled, number, person, timedelta(days=5), decided_after=timedelta(hours=2))
    count(peopled)

    page = logged_in(peopled, SARI).open("/admin/")

    assert "4 dari 10 pegawai (40,0%)" in words_of(page)
    assert [row[1] for row in table_of(page.text, "tabel-macet")] == ["1", "0", "2", "0"]
    assert ["0", "0", "2", "0"] in [row[1:] for row in table_of(page.text, "tabel-email")]
    assert "mati.example 2" in words_of(page)
    assert "100,0% dari 2 permintaan diputuskan dalam 24 jam." in words_of(page)


def test_mails_are_counted_by_hour_and_outcome(peopled: Flask) -> None:
    hour = timedelta(hours=1)
    fates = (
        (MailState.SENT, 0), (MailState.SENT, 0), (MailState.DEFERRED, 0), (MailState.FAILED, 3),
        (MailState.HELD, 3), (MailState.SENT, 50),
    )  # fmt: skip
    for state, hours in fates:
        refuse_mail(peopled, BUDI, "budi@nusajaya.example", state, "250", hours * hour)
    refuse_mail(peopled, HADI, "hadi@contoh.example", MailState.SENT, "250", 0 * hour)
    refuse_mail(peopled, None, "orang@takdikenal.example", MailState.SENT, "250", 0 * hour)
    count(peopled)

    page, of_all = (logged_in(peopled, person).open("/admin/").text for person in (WATI, RATNA))

    rows = table_of(page, "tabel-email")
    assert [row[1:] for row in rows] == [["2", "1", "0", "0"], ["0", "0", "1", "1"]]
    assert "1 dari 5 email 48 jam terakhir gagal" in page
    assert [row[1:] for row in table_of(of_all, "tabel-email")] == [
        ["3", "1", "0", "0"],
        ["0", "0", "1", "1"],
    ]
    chart = re.search(r'<svg class="columns".*?</svg>', page, re.DOTALL)
    assert chart
    drawn = re.findall(r'x="([0-9.]+)%" width="[0-9.]+%" y="([0-9.]+)%" height="([0-9.]+)%"', chart[0])
    heights: dict[str, float] = {}
    for across, _, height in drawn:
        heights[across] = heights.get(across, 0) + float(height)
    most = max(sum(map(int, row[1:])) for row in rows)
    assert [*heights.values()] == pytest.approx(
        [100 * sum(map(int, row[1:])) / most for row in reversed(rows)], abs=0.02
    )


def test_a_report_that_came_back_makes_a_sent_mail_a_failed_one() -> None:
    assert outcome_of(MailState.SENT, is_bounced=False) is MailOutcome.ARRIVED
    assert outcome_of(MailState.SENT, is_bounced=True) is MailOutcome.FAILED
    assert all(outcome_of(state, is_bounced=False) for state in MailState)


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
    count(peopled)

    wati, raka = (words_of(logged_in(peopled, person).open("/admin/")) for person in (WATI, RAKA))

    assert re.search(r"penuh\.example 2 .{10,40} 451 later for 19850312\*\*\*\*\*\*2\*\*\*", wati)
    for absent in ("lama.example", "asing.example", "takdikenal", "baik.example", "budi@"):
        assert absent not in wati
    assert "asing.example 1" in raka
    assert "penuh" not in raka


def test_the_bars_of_the_units_have_the_figures_of_their_table(peopled: Flask) -> None:
    count(peopled)

    page = logged_in(peopled, WATI).open("/admin/").text

    rows = table_of(page, "tabel-daftar")
    chart = re.search(r'aria-label="Pegawai yang akunnya aktif".*?</ul>', page, re.DOTALL)
    assert chart
    assert re.findall(r'bars__name">([^<]+)<', chart[0]) == [row[0] for row in rows]
    said = re.findall(r'bars__value">(\d+) dari (\d+) \(([0-9,]+%)\)', chart[0])
    assert said == [(row[2], row[1], row[6]) for row in rows]
    widths = [float(width) for width in re.findall(r'bars__part" width="([0-9.]+)%"', chart[0])]
    assert widths == pytest.approx([of(row[6]) for row in rows], abs=0.06)


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

    pages = [words_of(wati.open(f"/admin/?hal={number}")) for number in (1, 2, 7, 99)]

    assert "Sekolah 03 0 dari 1 (0,0%)" in pages[0]
    assert "Sekolah 13 0 dari 1 (0,0%)" in pages[1]
    assert "BKPSDM 1 dari 1 (100,0%)" in pages[2]
    assert "Tidak ada yang cocok" in pages[3]
    assert "Sekolah 07 0 dari 1 (0,0%)" in words_of(wati.open("/admin/?cari=sekolah+07"))
