"""How every page writes a moment: inside <time>, in the zone of whoever reads it.

Somebody who has logged in reads the zone of their instansi. Strangers read all three zones: a page before any
proof is the same for everybody, and the zone of a person would tell where they work.
"""

from datetime import date, datetime

from markupsafe import Markup, escape

from app.domain.indonesian_time import (
    Timed,
    Zone,
    day_in,
    now,
    shown_clock,
    shown_date,
    shown_lately,
    shown_moment,
    shown_span,
    shown_with_weekday,
)
from app.web import sessions


def zone_of_reader() -> Zone | None:
    visitor = sessions.visitor()
    return visitor.user.instansi.zone if visitor else None


def moment(at: datetime, zone: Zone | None = None) -> Markup:
    """22 November 2026, 15.05 WITA. `zone`: of somebody who has proven who they are, and has not logged
    in."""
    zone = zone or zone_of_reader()
    return _element(at, shown_moment(at, zone), zone)


def clock(at: datetime, zone: Zone | None = None) -> Markup:
    """15.05 WITA, for a moment close to another one that has its date."""
    zone = zone or zone_of_reader()
    return _element(at, shown_clock(at, zone), zone)


def clock_in_all_zones(at: datetime) -> Markup:
    """14.05 WIB / 15.05 WITA / 16.05 WIT, whoever reads it: for a page that is made once for everybody."""
    return _element(at, shown_clock(at), None)


def lately(at: datetime, zone: Zone | None = None) -> Markup:
    """Kemarin 14.05 WITA, at the beginning of a line. For what is looked at while it is new: a page that is
    kept as evidence has `moment`."""
    zone = zone or zone_of_reader()
    return _element(at, shown_lately(at, now(), zone), zone) if zone else moment(at)


def age(at: datetime) -> Markup:
    """3 jam, since this moment: for what waits, while it waits."""
    zone = zone_of_reader() or Zone.WIB
    return _element(at, shown_span(now() - at), zone)


def day(one: date) -> Markup:
    """22 November 2026. A deadline is a day, the same in every zone."""
    return Markup('<time datetime="{}">{}</time>').format(one.isoformat(), shown_date(one))


def day_of(at: datetime) -> Markup:
    """The day of a moment."""
    return day(day_in(zone_of_reader() or Zone.WIB, at))


def told(sentence: str | Timed) -> Markup:
    """A sentence with the moments in it."""
    pieces = sentence.pieces if isinstance(sentence, Timed) else (sentence,)
    return Markup("").join(escape(one) if isinstance(one, str) else moment(one) for one in pieces)


def machine_readable(at: datetime, zone: Zone | None = None) -> str:
    """For `datetime` of <time>."""
    return at.astimezone((zone or Zone.WIB).clock).isoformat(timespec="seconds")


def _element(at: datetime, words: str, zone: Zone | None) -> Markup:
    """The whole date stands in the title where the words do not say it."""
    opened = Markup('<time datetime="') + machine_readable(at, zone)
    if shown_moment(at, zone) != words:
        opened += Markup('" title="') + (shown_with_weekday(at, zone) if zone else shown_moment(at))
    return opened + Markup('">') + words + Markup("</time>")
