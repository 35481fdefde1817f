"""Moments in the words of each zone, and the days around midnight."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.indonesian_time import (
    Zone,
    day_in,
    shown_clock,
    shown_lately,
    shown_moment,
    shown_with_weekday,
    timed,
)
from app.domain.zone_of_instansi import guessed_zone

START = datetime(2020, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 15 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
AROUND_MIDNIGHT = st.integers(-3 * 24 * 60, 3 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
HOURS = {Zone.WIB: 7, Zone.WITA: 8, Zone.WIT: 9}


@given(MOMENTS, AROUND_MIDNIGHT, st.sampled_from(Zone))
def test_near_days_are_those_of_the_calendar_there(moment: datetime, gap: timedelta, zone: Zone) -> None:
    present = moment + gap
    on_the_wall = (moment + timedelta(hours=HOURS[zone])).date()
    today = (present + timedelta(hours=HOURS[zone])).date()

    words = shown_lately(moment, present, zone)

    near = {today: "Hari ini", today - timedelta(days=1): "Kemarin", today + timedelta(days=1): "Besok"}
    clock = f"{(moment + timedelta(hours=HOURS[zone])):%H.%M} {zone}"
    day = near.get(on_the_wall)
    assert words == (f"{day} {clock}" if day else shown_moment(moment, zone))
    assert day_in(zone, moment) == on_the_wall


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        (Zone.WIB, "Kemarin 23.59 WIB", "Hari ini 00.00 WIB"),
        (Zone.WITA, "Kemarin 23.59 WITA", "Hari ini 00.00 WITA"),
        (Zone.WIT, "Kemarin 23.59 WIT", "Hari ini 00.00 WIT"),
    ],
)
def test_a_minute_before_midnight_was_yesterday(zone: Zone, before: str, after: str) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=zone.clock)
    present = midnight + timedelta(seconds=30)

    assert shown_lately(midnight - timedelta(minutes=1), present, zone) == before
    assert shown_lately(midnight, present, zone) == after
    assert shown_lately(midnight + timedelta(days=1), present, zone) == f"Besok 00.00 {zone}"
    assert shown_lately(midnight - timedelta(days=2), present, zone) == f"29 November 2026, 00.00 {zone}"


def test_one_moment_has_another_day_in_the_east() -> None:
    moment = datetime(2026, 11, 28, 15, 30, tzinfo=UTC)

    assert shown_moment(moment, Zone.WIB) == "28 November 2026, 22.30 WIB"
    assert shown_moment(moment, Zone.WIT) == "29 November 2026, 00.30 WIT"
    assert shown_with_weekday(moment, Zone.WIT) == "Minggu, 29 November 2026, 00.30 WIT"
    assert day_in(Zone.WITA, moment) == date(2026, 11, 28)


def test_strangers_read_all_three() -> None:
    moment = datetime(2026, 11, 28, 7, 5, tzinfo=UTC)

    assert shown_clock(moment) == "14.05 WIB / 15.05 WITA / 16.05 WIT"
    assert shown_clock(moment, Zone.WITA) == "15.05 WITA"
    assert str(timed("Sejak ", moment, ".")) == f"Sejak {shown_moment(moment)}."


@pytest.mark.parametrize(
    ("name", "code", "zone"),
    [
        ("Kementerian Contoh Nasional", "3402", Zone.WIB),
        ("Kementerian Contoh Nasional", "7301", Zone.WIB),
        ("Pemerintah Kabupaten Nusa Jaya", "7301", Zone.WITA),
        ("Pemerintah Kabupaten Nusa Jaya", "1101", Zone.WIB),
        ("Pemerintah Kota Rekaan", "9471", Zone.WIT),
        ("Pemprov Sulawesi Utara", "1", Zone.WITA),
        ("Pemerintah Provinsi Nusa Tenggara Timur", "9999", Zone.WITA),
        ("Pemerintah Provinsi Maluku Utara", "", Zone.WIT),
        ("Pemerintah Provinsi Papua Barat Daya", "x", Zone.WIT),
        ("Pemerintah Provinsi Kalimantan Barat", "61", Zone.WIB),
        ("Balitbang Contoh", "51", Zone.WIB),
    ],
)
def test_the_zone_is_guessed_from_name_and_code(name: str, code: str, zone: Zone) -> None:
    assert guessed_zone(name, code) is zone
