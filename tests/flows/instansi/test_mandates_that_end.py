"""A month and a week before a mandate ends, those who can do something about it hear of it, once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.domain.indonesian_time import now, today_in_jakarta
from app.flows.instansi.remind_of_ends import MANDATES_AT_ONCE, remind_of_ends
from app.models import AdminMandate, MandateReminder, Role, User
from app.runtime.db import reading, unit_of_work
from app.worker.acts import act
from app.worker.cleaning import all_chores, one_step
from tests.cast import BUDI, RATNA, SARI, WATI, Person
from tests.desk import person_id, read_next_morning
from tests.flows.attacks.test_races import _all_at_once
from tests.flows.instansi.test_desk_mandates import GRANT, held
from tests.inbox import Inbox, Mail
from tests.visitor import logged_in

NOON = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)  # in Jakarta
TODAY = date(2026, 12, 1)


@pytest.fixture
def clock(peopled: Flask) -> Iterator[time_machine.Traveller]:
    """All mandates of the cast hold for another three years."""
    with time_machine.travel(NOON, tick=False) as traveller:
        with peopled.app_context(), unit_of_work() as session:
            for mandate in session.scalars(select(AdminMandate)):
                mandate.starts_on, mandate.ends_on = TODAY - timedelta(days=300), TODAY + timedelta(days=1000)
        yield traveller


def ends_in(app: Flask, person: Person, days: int, *, role: Role = Role.ADMIN_INSTANSI) -> None:
    with app.app_context(), unit_of_work() as session:
        user = session.get_one(User, person_id(app, person))
        mandates = AdminMandate.held_by(session, user.id, TODAY)
        if not mandates:
            mandates = [
                AdminMandate(
                    user=user,
                    role=role,
                    instansi=user.instansi if role is Role.ADMIN_INSTANSI else None,
                    sk_number="SK-1",
                    starts_on=TODAY - timedelta(days=300),
                    ends_on=TODAY,
                )
            ]
            session.add_all(mandates)
        for mandate in mandates:
            mandate.ends_on = TODAY + timedelta(days=days)


def look(app: Flask) -> int:
    """The worker looks for mandates that end soon."""
    looked_at = 0
    with app.app_context():
        while step := one_step(all_chores()["mandates_that_end"], act()):
            looked_at += step
    return looked_at


def of_end(mails: list[Mail]) -> list[tuple[str, str]]:
    return [(mail.to, mail.subject) for mail in mails if "berakhir" in mail.subject]


def test_wati_hears_a_month_and_a_week_before_the_end(
    peopled: Flask, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    ends_in(peopled, WATI, 35)
    ends_in(peopled, SARI, 400)
    heard: dict[int, str] = {}

    for days_left in range(35, -3, -1):
        look(peopled)
        look(peopled)
        for to, subject in of_end(inbox.fetch()):
            assert to == WATI.email
            heard[days_left] = subject
        clock.shift(timedelta(days=1))

    assert list(heard) == [30, 7]
    assert heard[30].endswith("berakhir 30 hari lagi")
    assert heard[7].endswith("berakhir 7 hari lagi")


@pytest.mark.usefixtures("clock")
def test_pusat_reads_of_it_in_the_digest(peopled: Flask, inbox: Inbox) -> None:
    ends_in(peopled, WATI, 30)
    ends_in(peopled, SARI, 400)
    look(peopled)

    (digest,) = read_next_morning(peopled, inbox)

    assert digest.to == RATNA.email
    assert "Mandat yang segera berakhir\n- Wati Kusuma, Pemerintah Kabupaten Nusa Jaya: sampai" in digest.text
    assert "31 Desember 2026 (30 hari lagi)" in digest.text
    assert "/admin/mandat?keadaan=segera" in digest.text
    assert logged_in(peopled, RATNA).open("/admin/mandat?keadaan=segera").text.count("Wati Kusuma") > 0


@pytest.mark.usefixtures("clock")
def test_an_instansi_that_will_have_no_admin_is_named_as_such(peopled: Flask, inbox: Inbox) -> None:
    ends_in(peopled, WATI, 30)
    ends_in(peopled, SARI, 12)
    look(peopled)

    mails = inbox.fetch()
    to_wati = [mail for mail in mails if mail.to == WATI.email]
    to_sari = [mail for mail in mails if mail.to == SARI.email]
    assert "Sesudah hari itu Pemerintah Kabupaten Nusa Jaya tidak punya admin" in to_wati[0].text
    assert any("Mandat Wati Kusuma atas" in mail.text for mail in to_sari)
    assert not any("tidak punya admin" in mail.text for mail in to_sari), "Wati goes on after hers"
    (digest,) = read_next_morning(peopled, inbox)
    assert "tanpa admin lain sesudahnya\n- Wati Kusuma" in digest.text
    assert "Mandat yang segera berakhir\n- Sari Wulandari" in digest.text


def test_after_days_without_a_worker_one_mail_says_how_long_is_left(
    peopled: Flask, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    ends_in(peopled, WATI, 35)
    clock.shift(timedelta(days=32))
    look(peopled)
    look(peopled)
    assert [subject[-11:] for _, subject in of_end(inbox.fetch())] == ["3 hari lagi"]

    ends_in(peopled, SARI, 35)
    clock.shift(timedelta(days=3))
    look(peopled)
    assert of_end(inbox.fetch())[0][1].endswith("berakhir hari ini")
    clock.shift(timedelta(days=1))
    assert look(peopled) == 0, "not after the end"


@pytest.mark.usefixtures("clock")
def test_a_newer_mandate_goes_on_so_nothing_is_said(peopled: Flask, inbox: Inbox) -> None:
    ends_in(peopled, WATI, 20)
    until = (TODAY + timedelta(days=300)).isoformat()
    grant = {**GRANT, "nip": WATI.nip, "until": until}
    assert logged_in(peopled, RATNA).submit("/admin/mandat/baru", **grant).status_code == 303
    inbox.fetch()

    assert look(peopled) == 0
    assert not inbox.fetch()


def test_a_prolonged_mandate_begins_anew(peopled: Flask, inbox: Inbox, clock: time_machine.Traveller) -> None:
    ends_in(peopled, WATI, 30)
    look(peopled)
    assert len(of_end(inbox.fetch())) == 1

    ends_in(peopled, WATI, 90)
    clock.shift(timedelta(days=60))
    look(peopled)

    assert len(of_end(inbox.fetch())) == 1


def test_who_was_appointed_for_a_few_days_knows_it(
    peopled: Flask, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    grant = {**GRANT, "until": (TODAY + timedelta(days=20)).isoformat()}
    logged_in(peopled, RATNA).submit("/admin/mandat/baru", **grant)
    inbox.fetch()

    look(peopled)
    assert not inbox.fetch()
    clock.shift(timedelta(days=13))
    look(peopled)
    assert [to for to, _ in of_end(inbox.fetch())] == [SARI.email]


def test_a_mandate_that_is_handed_over_ends_without_a_reminder(
    peopled: Flask, inbox: Inbox, clock: time_machine.Traveller
) -> None:
    (watis,) = held(peopled, WATI)
    logged_in(peopled, RATNA).submit(
        f"/admin/mandat/{watis.id}/serahkan",
        nip=SARI.nip,
        sk_number="SK-9",
        until=(TODAY + timedelta(days=300)).isoformat(),
        former_until=(TODAY + timedelta(days=20)).isoformat(),
    )
    inbox.fetch()

    look(peopled)
    clock.shift(timedelta(days=14))
    look(peopled)

    assert not inbox.fetch()


@pytest.mark.usefixtures("clock")
def test_nobody_hears_twice_from_several_workers(peopled: Flask, inbox: Inbox) -> None:
    ends_in(peopled, WATI, 20)

    _all_at_once([lambda: look(peopled)] * 4)

    assert [to for to, _ in of_end(inbox.fetch())] == [WATI.email]


@pytest.mark.usefixtures("clock")
def test_a_worker_that_is_killed_in_the_middle_tells_it_once(peopled: Flask, inbox: Inbox) -> None:
    ends_in(peopled, WATI, 20)
    ends_in(peopled, SARI, 20)
    with pytest.raises(SystemExit):
        _die_before_the_commit(peopled)

    look(peopled)

    assert sorted(to for to, _ in of_end(inbox.fetch())) == sorted([str(SARI.email), str(WATI.email)])


def _die_before_the_commit(app: Flask) -> None:
    with app.app_context(), unit_of_work() as session:
        assert remind_of_ends(session, act()) == 2
        raise SystemExit


@pytest.mark.usefixtures("clock")
def test_all_mandates_of_the_country_end_on_the_same_day(peopled: Flask, inbox: Inbox) -> None:
    many = MANDATES_AT_ONCE * 2 + 5
    with peopled.app_context(), unit_of_work() as session:
        for number in range(many):
            mandate = AdminMandate(
                user_id=person_id(peopled, BUDI),
                role=Role.ADMIN_INSTANSI,
                instansi_id=1,
                sk_number=f"SK-{number}",
                starts_on=TODAY - timedelta(days=100),
                ends_on=TODAY + timedelta(days=30),
            )
            session.add(mandate)

    assert look(peopled) == many

    with peopled.app_context(), reading() as session:
        assert len(session.scalars(select(MandateReminder.mandate_id)).all()) == many
    assert len(of_end(inbox.fetch())) == many
    assert len(read_next_morning(peopled, inbox)) == 1, "pusat gets one mail"
    assert today_in_jakarta(now()) == TODAY
