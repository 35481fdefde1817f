"""One moment in the words of a time zone, or of all three. Indonesia has no daylight saving time, so the
offsets are fixed.

Strangers and mails get all three zones. Somebody who has proven who they are gets the zone of their
instansi.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from app.domain.labelled import Labelled

WIB, WITA, WIT = (
    timezone(timedelta(hours=hours), name) for hours, name in ((7, "WIB"), (8, "WITA"), (9, "WIT"))
)
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip
_WEEKDAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_NEAR_DAYS = {-1: "Kemarin", 0: "Hari ini", 1: "Besok"}


class Zone(Labelled):
    """The zone in which an instansi reads the clock."""

    WIB = "WIB", "Waktu Indonesia Barat (WIB)"
    WITA = "WITA", "Waktu Indonesia Tengah (WITA)"
    WIT = "WIT", "Waktu Indonesia Timur (WIT)"

    @property
    def clock(self) -> timezone:
        return _CLOCKS[self]


_CLOCKS = {Zone.WIB: WIB, Zone.WITA: WITA, Zone.WIT: WIT}


@dataclass(frozen=True)
class Timed:
    """A sentence with moments in it, in pieces. Who shows it knows the zone of the reader."""

    pieces: tuple[str | datetime, ...]

    def __str__(self) -> str:
        return "".join(one if isinstance(one, str) else shown_moment(one) for one in self.pieces)


def timed(*pieces: str | datetime) -> Timed:
    return Timed(pieces)


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def shown_date(day: date) -> str:
    """22 November 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def shown_clock(moment: datetime, zone: Zone | None = None) -> str:
    """15.05 WITA. Without a zone: 14.05 WIB / 15.05 WITA / 16.05 WIT."""
    clocks = (zone.clock,) if zone else (WIB, WITA, WIT)
    return " / ".join(f"{moment.astimezone(clock):%H.%M} {clock}" for clock in clocks)


def shown_moment(moment: datetime, zone: Zone | None = None) -> str:
    """22 November 2026, 15.05 WITA. Without a zone: 14.05 WIB / 15.05 WITA / 16.05 WIT, and the date is the
    one in Jakarta."""
    return f"{shown_date(day_in(zone or Zone.WIB, moment))}, {shown_clock(moment, zone)}"


def shown_lately(moment: datetime, present: datetime, zone: Zone) -> str:
    """Kemarin 14.05 WIB, Hari ini 09.12 WITA, Besok 08.00 WIT; a day that is further away has its date. The
    days are those of the zone."""
    day = day_in(zone, moment)
    near = _NEAR_DAYS.get((day - day_in(zone, present)).days)
    return f"{near} {shown_clock(moment, zone)}" if near else shown_moment(moment, zone)


def shown_with_weekday(moment: datetime, zone: Zone) -> str:
    """Minggu, 22 November 2026, 15.05 WITA."""
    return f"{_WEEKDAYS[day_in(zone, moment).weekday()]}, {shown_moment(moment, zone)}"


def day_in(zone: Zone, moment: datetime) -> date:
    """The day that the calendar in this zone shows."""
    return moment.astimezone(zone.clock).date()


def today_in_jakarta(moment: datetime) -> date:
    """The day in Jakarta, by which a national deadline is counted."""
    return day_in(Zone.WIB, moment)


def shown_span(span: timedelta) -> str:
    """How long something took or lasts, in its largest unit: 25 menit, 3 jam, 2 hari."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} menit"
    return f"{minutes // 60} jam" if minutes < 48 * 60 else f"{minutes // (24 * 60)} hari"
