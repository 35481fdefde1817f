"""Where the parts of a chart lie, in percent of its width and height, and how each looks. The words and
figures beside a chart are those of its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, groupby

from app.flows.reports.count_desks import HOURS_OF_MAILS, DeskCount, MailOutcome
from app.flows.reports.overview import Figures, Span, Waiting

_HOUR = timedelta(hours=1)
_WITHOUT_GAP = 0.8  # how much of its place a column fills
# As components/_charts.html knows them. Late ones stand out twice, by colour and by hatching
_LOOKS_OF_AGES = ("plain", "info-hatched", "info", "danger-hatched", "danger")
LOOKS = {
    MailOutcome.ARRIVED: "info",
    MailOutcome.ON_THE_WAY: "plain",
    MailOutcome.FAILED: "danger-hatched",
    MailOutcome.HELD: "thin-hatched",
}


@dataclass(frozen=True)
class Part:
    """A piece of a bar, from its left end, or of a column, from its top."""

    look: str
    start: float
    size: float


@dataclass(frozen=True)
class Mark:
    """One day on which something happened, with its number in the chart."""

    number: int
    at: float
    day: date
    titles: str


@dataclass(frozen=True)
class Area:
    """The share of each day as a line from 0 to 100 percent."""

    points: list[tuple[float, float]]
    band: Part | None  # the window of the PDM
    marks: list[Mark]


@dataclass(frozen=True)
class Hour:
    """The mails of one hour, by what became of them. The column is `across` from the left end."""

    at: datetime
    counts: list[tuple[MailOutcome, int]]
    across: float
    parts: list[Part]

    @property
    def total(self) -> int:
        return sum(count for _, count in self.counts)


@dataclass(frozen=True)
class Hours:
    """The mails of the last hours, the oldest first; `most` is the height of the chart."""

    hours: list[Hour]
    most: int
    width: float  # of a column

    @property
    def totals(self) -> list[tuple[MailOutcome, int]]:
        return [(outcome, sum(dict(hour.counts)[outcome] for hour in self.hours)) for outcome in MailOutcome]


def area(days: Sequence[tuple[date, Figures]], span: Span) -> Area:
    length = max(1, (span.last - span.first).days)

    def place(day: date) -> float:
        return round(100 * (min(max(day, span.first), span.last) - span.first).days / length, 2)

    points = [(place(day), round(100 - figures.share, 2)) for day, figures in days]
    band = None
    if span.window:
        start, end = place(span.window.opens_on), place(span.window.closes_on)
        band = Part("thin-hatched", start, round(end - start, 2))
    by_day = groupby(span.campaigns, key=lambda one: one.day)
    marks = [
        Mark(number, place(day), day, "; ".join(one.title for one in some))
        for number, (day, some) in enumerate(by_day, start=1)
    ]
    return Area(points if len(points) > 1 else [*points, (100, points[0][1])], band, marks)


def strip(waiting: Sequence[Waiting]) -> list[tuple[Waiting, Part]]:
    """The parts of one bar that is as long as all of them together."""
    whole = sum(one.count.count for one in waiting)
    sizes = [share_of(one.count.count, whole) for one in waiting]
    starts = [0.0, *accumulate(sizes)]
    return [
        (one, Part(look, round(start, 2), size))
        for one, look, start, size in zip(waiting, _LOOKS_OF_AGES, starts, sizes, strict=False)
    ]


def share_of(count: int, most: int) -> float:
    return round(100 * count / most, 2) if most else 0.0


def hours_of_mails(counted: DeskCount, now: datetime) -> Hours:
    newest = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    moments = [newest - back * _HOUR for back in reversed(range(HOURS_OF_MAILS))]
    counts = [
        [(outcome, counted.mails.get(at.isoformat(), {}).get(outcome.value, 0)) for outcome in MailOutcome]
        for at in moments
    ]
    most = max(sum(count for _, count in some) for some in counts)
    pitch = 100 / HOURS_OF_MAILS
    hours = [
        Hour(at, some, round(number * pitch, 2), _stacked(some, most))
        for number, (at, some) in enumerate(zip(moments, counts, strict=True))
    ]
    return Hours(hours, most, round(pitch * _WITHOUT_GAP, 2))


def _stacked(counts: Sequence[tuple[MailOutcome, int]], most: int) -> list[Part]:
    parts, top = [], 100.0
    for outcome, count in counts:
        if count:
            height = share_of(count, most)
            top -= height
            parts.append(Part(LOOKS[outcome], round(top, 2), height))
    return parts
