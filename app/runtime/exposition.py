"""All metrics as Prometheus reads them. Only a portal that is watched by Prometheus loads its library."""

from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from app.domain.indonesian_time import now
from app.flows.reports.count_figures import Counted
from app.models.figures import Figures
from app.models.outbox_mail import Letter
from app.runtime import measures
from app.runtime.db import engine, reading
from app.runtime.measures import OTHER
from app.runtime.schema import look, newest
from app.runtime.tally import Family, Kind, Labels, Sums, Tally

__all__ = ["CONTENT_TYPE", "as_text"]


def as_text(seen: Tally) -> bytes:
    """What all processes have counted, what a worker has counted in the database, and what the asker itself
    has `seen`. While the database is away, what it knows is left out. Raises OSError."""
    sums = measures.sums()
    _look_at_the_database(seen)
    seen.set(measures.BUILD, 1, _version(), newest())
    sums.add(seen.copy(), measures.KINDS)
    registry = CollectorRegistry()
    registry.register(_Told(sums))
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, sums: Sums) -> None:
        self._sums = sums

    def collect(self) -> Iterable[Metric]:
        by_family: dict[str, dict[Labels, list[float]]] = {}
        for (name, labels), numbers in self._sums.numbers.items():
            by_family.setdefault(name, {})[labels] = numbers
        for family in measures.FAMILIES:
            found = by_family.get(family.name, {})
            if family.labels and family.kind is Kind.COUNTER:  # an alarm sees the first one only after a zero
                found = {**{labels: [0.0] for labels in family.combinations()}, **found}
            yield _metric(family, found)


def _metric(family: Family, found: dict[Labels, list[float]]) -> Metric:
    names = list(family.labels)
    if family.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(family.name, family.says, labels=names)
        for labels, numbers in sorted(found.items()):
            histogram.add_metric(labels, _buckets(family, numbers), numbers[-1])
        return histogram
    metric = (CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily)(
        family.name, family.says, labels=names
    )
    for labels, numbers in sorted(found.items()):
        metric.add_metric(labels, numbers[0])
    return metric


def _buckets(family: Family, numbers: list[float]) -> list[tuple[str, float]]:
    """Prometheus counts what is up to each bound; the tally counts what lies between two."""
    so_far, buckets = 0.0, list[tuple[str, float]]()
    for bound, number in zip((*map(str, family.bounds), "+Inf"), numbers[:-1], strict=True):
        so_far += number
        buckets.append((bound, so_far))
    return buckets


def _look_at_the_database(seen: Tally) -> None:
    try:
        schema = look(engine())
        with reading() as session:
            figures = Figures.newest(session)
    except SQLAlchemyError:
        seen.set(measures.DATABASE_UP, 0)
        return
    seen.set(measures.DATABASE_UP, 1)
    for (state,) in measures.SCHEMA.combinations():
        seen.set(measures.SCHEMA, state == schema.state.name.lower(), state)
    if figures is not None:
        _tell_figures(seen, figures)


def _tell_figures(seen: Tally, figures: Figures) -> None:
    moment, counted = now(), Counted.read(figures.content)
    seen.set(measures.FIGURES_AGE, (moment - figures.made_at).total_seconds())
    for family in (measures.OUTBOX, measures.OUTBOX_OLDEST, measures.MAIL_FAULTS):
        for labels in family.combinations():
            seen.set(family, 0, *labels)
    for mails in counted.unsent:
        labels = (mails["letter"] if mails["letter"] in set(Letter) else OTHER, mails["state"])
        seen.count(measures.OUTBOX, *labels, by=mails["how_many"])
        seen.set(measures.OUTBOX_OLDEST, _age(mails["oldest"], moment), *labels)
    for (kind,) in measures.MAIL_FAULTS.combinations():
        seen.set(measures.MAIL_FAULTS, counted.faults.get(kind, 0), kind)
    for which in ("typical", "slowest"):
        if (seconds := getattr(counted, f"answers_{which}")) is not None:
            seen.set(measures.TOKEN_DELAY, seconds, which)
    seen.set(measures.SESSIONS, counted.sessions)
    seen.set(measures.UNSEALED, counted.unsealed)
    seen.set(measures.UNSEALED_OLDEST, _age(counted.unsealed_since, moment))


def _age(since: str | None, moment: datetime) -> float:
    return (moment - datetime.fromisoformat(since)).total_seconds() if since else 0


def _version() -> str:
    try:
        return version("mysapk-portal")
    except PackageNotFoundError:  # the code runs where it lies
        return "unknown"
