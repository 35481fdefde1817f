"""One moment in the words of three time zones. Indonesia has no daylight saving time, so the offsets are
fixed."""

from datetime import UTC, date, datetime, timedelta, timezone

WIB, WITA, WIT = (
    timezone(timedelta(hours=hours), name) for hours, name in ((7, "WIB"), (8, "WITA"), (9, "WIT"))
)
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def shown_date(day: date) -> str:
    """22 November 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def shown_clock(moment: datetime) -> str:
    """14.05 WIB / 15.05 WITA / 16.05 WIT."""
    return " / ".join(f"{moment.astimezone(zone):%H.%M} {zone}" for zone in (WIB, WITA, WIT))


def shown_moment(moment: datetime) -> str:
    """22 November 2026, 14.05 WIB / 15.05 WITA / 16.05 WIT. The date is the one in Jakarta."""
    return f"{shown_date(moment.astimezone(WIB).date())}, {shown_clock(moment)}"


def today_in_jakarta(moment: datetime) -> date:
    """The day in Jakarta, by which a national deadline is counted."""
    return moment.astimezone(WIB).date()


def shown_span(span: timedelta) -> str:
    """How long something took or lasts, in its largest unit: 25 menit, 3 jam, 2 hari."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} menit"
    return f"{minutes // 60} jam" if minutes < 48 * 60 else f"{minutes // (24 * 60)} hari"
