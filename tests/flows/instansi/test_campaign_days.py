"""The days on which people were called to activate: an admin notes them, and the overview marks them."""

from datetime import date, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.indonesian_time import now, shown_date, today_in_jakarta
from app.flows.instansi.note_campaign_day import MOST_A_YEAR
from app.models import AdminMandate, CampaignDay, Tag
from app.runtime.db import reading, unit_of_work
from tests.cast import RAKA, RATNA, WATI
from tests.desk import person_id
from tests.flows.attacks.test_races import _all_at_once
from tests.flows.instansi.test_desk_instansi import events, instansi_id
from tests.visitor import Visitor, logged_in, words_of

NATIONAL = "/admin/instansi/hari-kampanye-nasional"
TODAY = today_in_jakarta(now())


def page_of(app: Flask, code: str) -> str:
    return f"/admin/instansi/{instansi_id(app, code)}/hari-kampanye"


def noted(app: Flask) -> list[tuple[int, date, str]]:
    with app.app_context(), reading() as session:
        found = session.scalars(select(CampaignDay).order_by(CampaignDay.scope, CampaignDay.day))
        return [(one.scope, one.day, one.title) for one in found]


def test_wati_notes_a_day_renames_it_and_takes_it_away(peopled: Flask) -> None:
    own, page, wati = instansi_id(peopled, "7301"), page_of(peopled, "7301"), logged_in(peopled, WATI)
    assert page in wati.open("/admin/instansi").text

    answer = wati.submit(page, day=TODAY.isoformat(), title="  Apel \u200b bersama ")

    assert (answer.status_code, answer.location) == (303, page)
    assert noted(peopled) == [(own, TODAY, "Apel bersama")]
    assert f"{shown_date(TODAY)} Apel bersama" in words_of(wati.open(page))

    wati.submit(page, day=TODAY.isoformat(), title="Apel dan loket")
    assert noted(peopled) == [(own, TODAY, "Apel dan loket")]

    wati.submit(page, f"{page}/hapus", day=TODAY.isoformat())
    assert noted(peopled) == []
    again = wati.post_with_token(page, f"{page}/hapus", day=TODAY.isoformat())
    assert again.status_code == 303, "another tab still had the button"
    assert [event.detail for event in events(peopled, Tag.CAMPAIGN_DAY_NOTED)] == [
        {"instansi": "7301", "day": TODAY.isoformat(), "title": title}
        for title in ("Apel bersama", "Apel dan loket", "")
    ]
    assert {(event.actor_id, event.instansi_id) for event in events(peopled, Tag.CAMPAIGN_DAY_NOTED)} == {
        (person_id(peopled, WATI), own)
    }


def test_pusat_notes_a_day_for_all_and_for_one(peopled: Flask) -> None:
    ratna, page = logged_in(peopled, RATNA), page_of(peopled, "7301")

    ratna.submit(NATIONAL, day=TODAY.isoformat(), title="Surat edaran")
    ratna.submit(page, day=TODAY.isoformat(), title="Loket keliling")

    assert noted(peopled) == [
        (0, TODAY, "Surat edaran"),
        (instansi_id(peopled, "7301"), TODAY, "Loket keliling"),
    ]
    assert "Loket keliling" not in words_of(ratna.open(NATIONAL))

    ratna.submit(NATIONAL, f"{NATIONAL}/hapus", day=TODAY.isoformat())
    assert [title for _, _, title in noted(peopled)] == ["Loket keliling"]


def test_for_raka_the_days_of_another_instansi_do_not_exist(peopled: Flask) -> None:
    page, raka = page_of(peopled, "7301"), logged_in(peopled, RAKA)
    logged_in(peopled, WATI).submit(page, day=TODAY.isoformat(), title="Apel bersama")
    token = raka.csrf_token("/akun")

    for path in (page, "/admin/instansi/999/hari-kampanye"):
        assert raka.open(path).status_code == 404
        for address in (path, f"{path}/hapus"):
            assert raka.post(address, csrf_token=token, day=TODAY.isoformat(), title="x").status_code == 404
    for address in (NATIONAL, f"{NATIONAL}/hapus"):
        assert raka.post(address, csrf_token=token, day=TODAY.isoformat(), title="x").status_code == 403
    assert [title for _, _, title in noted(peopled)] == ["Apel bersama"]


def test_whose_mandate_was_revoked_meanwhile_notes_nothing(peopled: Flask) -> None:
    page, wati = page_of(peopled, "7301"), logged_in(peopled, WATI)
    token = wati.csrf_token(page)
    with peopled.app_context(), unit_of_work() as session:
        for mandate in session.scalars(select(AdminMandate)):
            mandate.revoke(now())

    assert wati.post(page, csrf_token=token, day=TODAY.isoformat(), title="Apel").status_code == 403
    assert noted(peopled) == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"day": "besok", "title": "Apel"}, "Isi tanggal kampanye"),
        ({"day": TODAY.isoformat(), "title": " "}, "Isi nama singkat"),
        ({"day": TODAY.isoformat(), "title": "x" * 61}, "paling banyak 60 huruf"),
    ],
)
def test_a_day_without_a_date_or_a_name_is_refused(peopled: Flask, typed: dict[str, str], words: str) -> None:
    answer = logged_in(peopled, WATI).submit(page_of(peopled, "7301"), **typed)

    assert answer.status_code == 422
    assert words in words_of(answer)
    assert noted(peopled) == []


def test_a_year_has_room_for_twenty_days(peopled: Flask) -> None:
    page, wati = page_of(peopled, "7301"), logged_in(peopled, WATI)
    first = date(TODAY.year, 1, 1)
    with peopled.app_context(), unit_of_work() as session:
        for number in range(MOST_A_YEAR):
            CampaignDay.write(session, instansi_id(peopled, "7301"), first + timedelta(days=number), "Apel")

    refused = wati.submit(page, day=date(TODAY.year, 6, 1).isoformat(), title="Satu lagi")
    again = wati.submit(page, day=first.isoformat(), title="Nama baru")
    next_year = wati.submit(page, day=date(TODAY.year + 1, 6, 1).isoformat(), title="Tahun depan")

    assert refused.status_code == 422
    assert "sudah punya 20 hari kampanye" in words_of(refused)
    assert again.status_code == next_year.status_code == 303
    assert len(noted(peopled)) == MOST_A_YEAR + 1


FIRST, LAST = date(TODAY.year - 1, 1, 1), date(TODAY.year + 2, 12, 31)


@pytest.mark.parametrize("day", [FIRST, LAST])
def test_the_last_year_and_the_two_to_come_may_be_noted(peopled: Flask, day: date) -> None:
    page = page_of(peopled, "7301")

    answer = logged_in(peopled, WATI).submit(page, day=day.isoformat(), title="Apel")

    assert answer.status_code == 303
    assert [noted_day for _, noted_day, _ in noted(peopled)] == [day]


@pytest.mark.parametrize("day", [FIRST - timedelta(days=1), LAST + timedelta(days=1), date(1900, 1, 1)])
def test_a_day_far_away_is_refused_and_the_days_that_may_be_are_said(peopled: Flask, day: date) -> None:
    for admin, page in ((WATI, page_of(peopled, "7301")), (RATNA, NATIONAL)):
        answer = logged_in(peopled, admin).submit(page, day=day.isoformat(), title="Apel")

        assert answer.status_code == 422
        assert f"dari {shown_date(FIRST)} sampai {shown_date(LAST)}" in words_of(answer)
    assert noted(peopled) == []


def test_the_list_holds_only_the_days_that_may_be_noted(peopled: Flask) -> None:
    with peopled.app_context(), unit_of_work() as session:
        CampaignDay.write(session, instansi_id(peopled, "7301"), FIRST - timedelta(days=1), "Dahulu")
        CampaignDay.write(session, instansi_id(peopled, "7301"), FIRST, "Apel bersama")

    said = words_of(logged_in(peopled, WATI).open(page_of(peopled, "7301")))

    assert "Apel bersama" in said
    assert "Dahulu" not in said


@pytest.mark.parametrize("code", ["7301", None])
def test_admins_who_note_at_the_same_moment_do_not_pass_the_limit(peopled: Flask, code: str | None) -> None:
    page, own = (page_of(peopled, code), instansi_id(peopled, code)) if code else (NATIONAL, None)
    with peopled.app_context(), unit_of_work() as session:
        for number in range(MOST_A_YEAR - 1):
            CampaignDay.write(session, own, date(TODAY.year, 1, 1) + timedelta(days=number), "Apel")
    admins = [logged_in(peopled, RATNA) for _ in range(4)]
    tokens = [admin.csrf_token(page) for admin in admins]

    def note(number: int) -> int:
        fields = {"csrf_token": tokens[number], "day": date(TODAY.year, 6, 1 + number).isoformat()}
        return admins[number].post(page, **fields, title="Loket").status_code

    answers = _all_at_once([partial(note, number) for number in range(4)])

    assert sorted(answers) == [303, 422, 422, 422]
    assert len(noted(peopled)) == MOST_A_YEAR


def test_two_admins_note_the_same_day_at_once(peopled: Flask) -> None:
    page = page_of(peopled, "7301")
    wati, ratna = logged_in(peopled, WATI), logged_in(peopled, RATNA)
    tokens = {visitor: visitor.csrf_token(page) for visitor in (wati, ratna)}

    def note(visitor: Visitor, title: str) -> int:
        fields = {"csrf_token": tokens[visitor], "day": TODAY.isoformat(), "title": title}
        return visitor.post(page, **fields).status_code

    answers = _all_at_once([partial(note, wati, "Apel"), partial(note, ratna, "Loket")])

    assert answers == [303, 303]
    assert [title for _, _, title in noted(peopled)] in (["Apel"], ["Loket"])
