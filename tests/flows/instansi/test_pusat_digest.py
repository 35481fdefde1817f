"""Pusat hears at once of what is grave. What is routine waits for one mail in the morning, and nothing can
hide in it."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.domain.act import Act
from app.domain.client import COMMAND_LINE
from app.domain.indonesian_time import now
from app.domain.pusat_reports import MOST_AT_ONCE, MOST_LINES, ReportKind, digest_due_at
from app.domain.retention import PUSAT_REPORTS_KEPT_FOR
from app.flows.reports.send_digest import send_digest
from app.mail.report_to_pusat import report_to_pusat
from app.models import PusatDigest, PusatReport, User
from app.runtime.db import reading, unit_of_work
from app.worker.acts import act
from app.worker.cleaning import all_chores, clean_up, one_step
from tests.cast import DEWI, RAKA, RATNA, SARI, WATI, Person
from tests.desk import make_pusat, person_id
from tests.flows.attacks.test_races import _all_at_once
from tests.flows.bulk.at_once import add_people
from tests.inbox import Inbox
from tests.visitor import logged_in

EVENING = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)  # 19.00 WIB
MORNING = datetime(2026, 12, 1, 0, 5, tzinfo=UTC)  # 07.05 WIB
EXPORT = "/admin/pegawai/ekspor"


def report(
    app: Flask, how_many: int, kind: ReportKind = ReportKind.PEOPLE_EXPORTS, who: Person = WATI
) -> None:
    with app.app_context(), unit_of_work() as session:
        actor = session.get_one(User, person_id(app, who))
        report_to_pusat(session, kind, actor, "mengekspor", how_many, Act(COMMAND_LINE, now(), None))


def digest(app: Flask) -> int:
    """The worker looks whether a digest is due."""
    with app.app_context():
        return one_step(all_chores()["digest"], act())


def test_an_export_of_a_few_is_read_the_next_morning(peopled: Flask, inbox: Inbox) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        wati = logged_in(peopled, WATI)
        assert wati.post_with_token("/admin/pegawai", EXPORT, bentuk="csv").status_code == 200
        assert wati.post_with_token("/admin/pegawai", EXPORT, bentuk="csv").status_code == 200
        assert digest(peopled) == 0
        assert not inbox.fetch()

        clock.move_to(MORNING)
        assert digest(peopled) == 2

        (mail,) = inbox.fetch()
    assert mail.to == RATNA.email
    assert "ringkasan harian 1 Desember 2026, 2 laporan" in mail.subject
    assert "Ekspor daftar pegawai" in mail.text
    assert "- Wati Kusuma (admin Pemerintah Kabupaten Nusa Jaya): 2 kali, jumlah " in mail.text
    assert "/admin/audit?jenis=exported&dari=2026-11-30&sampai=2026-12-01" in mail.text
    assert WATI.nip not in mail.text + mail.html


def test_the_link_of_a_digest_opens_the_trail(peopled: Flask) -> None:
    link = "/admin/audit?jenis={}&dari=2026-11-30&sampai=2026-12-01"
    ratna = logged_in(peopled, RATNA)

    for kind in ReportKind:
        if kind.tags:
            assert ratna.open(link.format(kind.tags)).status_code == 200, kind


def test_one_digest_a_day_and_none_when_there_is_nothing(peopled: Flask, inbox: Inbox) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        assert digest(peopled) == 0
        report(peopled, 3)
        assert digest(peopled) == 0, "it waits for tomorrow"

        clock.shift(timedelta(days=1))
        assert [digest(peopled), digest(peopled)] == [1, 0]
        clock.shift(timedelta(days=1))
        assert digest(peopled) == 0

        assert len(inbox.fetch()) == 1


def test_a_worker_that_was_down_at_seven_tells_it_later(peopled: Flask, inbox: Inbox) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        report(peopled, 3)

        clock.shift(timedelta(days=2, hours=9))  # in the night, before the next digest
        report(peopled, 4)
        assert digest(peopled) == 1
        clock.shift(timedelta(hours=4))
        assert digest(peopled) == 1
        first, second = inbox.fetch()

    assert "2 Desember 2026" in first.subject
    assert "jumlah 3" in first.text
    assert "3 Desember 2026" in second.subject
    assert "jumlah 4" in second.text


def test_every_admin_of_pusat_reads_it_once_however_many_workers_there_are(
    peopled: Flask, inbox: Inbox
) -> None:
    make_pusat(peopled, DEWI)
    with time_machine.travel(now(), tick=False) as clock:
        report(peopled, 3)
        clock.move_to(digest_due_at(now() + timedelta(days=1)))
        inbox.fetch()

        told = _all_at_once([lambda: digest(peopled)] * 4)

        assert sorted(told) == [0, 0, 0, 1]
        assert sorted(mail.to for mail in inbox.fetch()) == sorted([str(RATNA.email), str(DEWI.email)])


def test_a_worker_that_is_killed_in_the_middle_loses_and_doubles_nothing(
    peopled: Flask, inbox: Inbox
) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        report(peopled, 3)
        clock.move_to(MORNING)
        with pytest.raises(SystemExit):
            _die_before_the_commit(peopled)

        assert not inbox.fetch()
        assert digest(peopled) == 1
        assert len(inbox.fetch()) == 1


def _die_before_the_commit(app: Flask) -> None:
    with app.app_context(), unit_of_work() as session:
        assert send_digest(session, act()) == 1
        raise SystemExit


def test_what_nobody_can_read_waits_for_a_reader(peopled: Flask, inbox: Inbox) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        report(peopled, 3)
        with peopled.app_context(), unit_of_work() as session:
            session.get_one(User, person_id(peopled, RATNA)).set_email(None)
        clock.shift(PUSAT_REPORTS_KEPT_FOR + timedelta(days=1))
        with peopled.app_context():
            clean_up(act())
        assert digest(peopled) == 0

        make_pusat(peopled, DEWI)
        inbox.fetch()
        clock.shift(timedelta(days=1))
        assert digest(peopled) == 1
        assert [mail.to for mail in inbox.fetch()] == [DEWI.email]


def test_a_large_export_is_told_at_once_and_not_again(peopled: Flask, inbox: Inbox) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        report(peopled, 1_000)

        (mail,) = inbox.fetch()
        assert "mengekspor, 1000 sekaligus" in mail.subject
        clock.move_to(MORNING)
        assert digest(peopled) == 0


def test_nobody_hides_a_large_export_in_many_small_ones(peopled: Flask, inbox: Inbox) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        for _ in range(9):
            report(peopled, 100)
            clock.shift(timedelta(hours=1))  # over the hour of the digest too
        report(peopled, 5_000, ReportKind.IMPORTS, SARI)
        assert len(inbox.fetch()) == 1, "the import of another admin"

        report(peopled, 100)

        (mail,) = inbox.fetch()
        assert "mengekspor, 1000 sekaligus" in mail.subject
        assert "Dihitung bersama tindakan serupa" in mail.text
        report(peopled, 100)
        assert not inbox.fetch(), "the count begins anew"


@pytest.mark.parametrize(
    ("what", "fields", "told", "kind"),
    [
        ("nonaktifkan", {}, "menonaktifkan akun, 10 sekaligus", ReportKind.DEACTIVATIONS),
        ("mutasi", {"code": "3402"}, "memindahkan pegawai ke instansi lain, 10 sekaligus", ReportKind.MOVES),
    ],
)
def test_nobody_hides_a_large_act_in_many_single_ones(
    peopled: Flask, inbox: Inbox, what: str, fields: dict[str, str], told: str, kind: ReportKind
) -> None:
    add_people(peopled, 11)
    with peopled.app_context(), reading() as session:
        ids = session.scalars(select(User.id).where(User.name.like("Pegawai Ke %"))).all()
    wati, nine, tenth, eleventh = logged_in(peopled, WATI), ids[:9], ids[9], ids[10]

    def act_on(person: int) -> None:
        page = f"/admin/pegawai/{person}/{what}"
        assert wati.submit(page, reason="Surat Sekda", **fields).status_code == 303
        wati.post_with_token("/admin/pegawai", page, reason="Surat Sekda", **fields)  # clicked twice

    for person in nine:
        act_on(person)
    assert all(mail.to != RATNA.email for mail in inbox.fetch())

    act_on(tenth)
    [mail] = [mail for mail in inbox.fetch() if mail.to == RATNA.email]
    assert told in mail.subject
    act_on(eleventh)
    assert all(mail.to != RATNA.email for mail in inbox.fetch()), "the count begins anew"
    assert counted(peopled, kind) == [1] * 11


def test_sessions_ended_one_by_one_are_counted_too(peopled: Flask) -> None:
    wati, page = logged_in(peopled, WATI), f"/admin/pegawai/{person_id(peopled, SARI)}/akhiri-sesi"
    logged_in(peopled, SARI)

    for _ in range(2):
        wati.post_with_token("/admin/pegawai", page, reason="Ponsel hilang")

    assert counted(peopled, ReportKind.ENDED_SESSIONS) == [1]


def counted(app: Flask, kind: ReportKind) -> list[int]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(PusatReport.how_many).where(PusatReport.kind == kind)))


def test_small_exports_of_many_days_do_not_add_up(peopled: Flask, inbox: Inbox) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        for _ in range(5):
            report(peopled, 900)
            clock.shift(timedelta(hours=25))

        assert not inbox.fetch()


def test_nobody_buries_pusat_in_mails(peopled: Flask, inbox: Inbox) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        for _ in range(20):
            report(peopled, 2_000)
            clock.shift(timedelta(minutes=1))
        report(peopled, 2_000, ReportKind.TRAIL_EXPORTS)
        report(peopled, 2_000, who=RAKA)

        mails = inbox.fetch()
        assert len(mails) == MOST_AT_ONCE + 2, "another kind and another admin come through"
        assert ["Laporan berikutnya" in mail.text for mail in mails[:MOST_AT_ONCE]] == [False] * 4 + [True]
        clock.move_to(MORNING)
        assert digest(peopled) == 15
        (mail,) = inbox.fetch()
        assert "Wati Kusuma (admin Pemerintah Kabupaten Nusa Jaya): 15 kali, jumlah 30000" in mail.text


def test_a_digest_has_a_hundred_lines_and_the_largest_come_first(peopled: Flask, inbox: Inbox) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        with peopled.app_context(), unit_of_work() as session:
            for number in range(MOST_LINES + 20):
                session.add(
                    PusatReport(
                        kind=ReportKind.CPNS,
                        at=now(),
                        subject=f"Admin {number}",
                        how_many=number + 2,
                        is_at_once=False,
                    )
                )
        report(peopled, 7)
        clock.move_to(MORNING)
        assert digest(peopled) == MOST_LINES + 21
        (mail,) = inbox.fetch()

    lines = [line for line in mail.text.splitlines() if line.startswith("- ")]
    assert len(lines) == MOST_LINES
    assert lines[0].startswith("- Wati Kusuma")
    assert lines[1] == "- Admin 119: 1 kali, jumlah 121"
    assert "dan 21 lagi" in mail.text


def test_reports_are_forgotten_after_their_time(peopled: Flask) -> None:
    with time_machine.travel(EVENING, tick=False) as clock:
        report(peopled, 3)
        report(peopled, 3_000)
        clock.move_to(MORNING)
        digest(peopled)
        clock.shift(PUSAT_REPORTS_KEPT_FOR + timedelta(days=1))

        with peopled.app_context():
            assert clean_up(act())["reports"] == 2
            with reading() as session:
                assert not session.scalars(select(PusatReport)).all()
                assert session.scalars(select(PusatDigest.day)).all() == [date(2026, 12, 1)]
