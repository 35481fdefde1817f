"""What the charts of the overview say, in one sentence each."""

from collections.abc import Sequence
from datetime import date

from app.domain.corrections import PROMISE
from app.domain.indonesian_time import shown_span
from app.flows.reports.count_desks import MailOutcome
from app.flows.reports.overview import Figures, OverviewRow, Waiting
from app.models.stuck import Stuck


def number(count: int) -> str:
    """12.345."""
    return f"{count:,}".replace(",", ".")


def percent(share: float) -> str:
    """12,3%."""
    return f"{share:.1f}%".replace(".", ",")


def activation(days: Sequence[tuple[date, Figures]]) -> str:
    first, last = days[0][1].share, days[-1][1].share
    span = (days[-1][0] - days[0][0]).days
    if not span or percent(first) == percent(last):
        return f"{percent(last)} pegawai sudah aktif"
    points = f"{abs(last - first):.1f}".replace(".", ",")
    way = "naik" if last > first else "turun"
    return f"{percent(last)} pegawai sudah aktif, {way} {points} poin dalam {span} hari"


def queue(waiting: Sequence[Waiting]) -> str:
    late = sum(one.count.count for one in waiting if one.since >= PROMISE)
    if not any(one.count for one in waiting):
        return "Tidak ada permintaan yang menunggu"
    return (
        f"{number(late)} permintaan lewat janji 24 jam"
        if late
        else "Semua permintaan masih dalam janji 24 jam"
    )


def age(one: Waiting) -> str:
    """4 sampai 12 jam; 1 sampai 3 hari."""
    if one.until is None:
        return f"Lebih dari {shown_span(one.since)}"
    if not one.since:
        return f"Kurang dari {shown_span(one.until)}"
    in_days = one.since >= PROMISE
    since, until = (
        int(end.total_seconds() // (86400 if in_days else 3600)) for end in (one.since, one.until)
    )
    return f"{since} sampai {until} {'hari' if in_days else 'jam'}"


def stuck(counts: Sequence[tuple[Stuck, int]]) -> str:
    most = max(counts, key=lambda one: one[1])
    if not most[1]:
        return "Tidak ada yang tersangkut"
    return f"Terbanyak: {most[0].label[0].lower()}{most[0].label[1:]}, {number(most[1])} orang"


def mails(totals: Sequence[tuple[MailOutcome, int]], hours: int) -> str:
    by_outcome = dict(totals)
    every, failed = sum(by_outcome.values()), by_outcome[MailOutcome.FAILED]
    if not every:
        return f"Tidak ada email dalam {hours} jam terakhir"
    if not failed:
        return f"Tidak satu pun dari {number(every)} email {hours} jam terakhir gagal"
    return f"{number(failed)} dari {number(every)} email {hours} jam terakhir gagal"


def lines(found: Sequence[OverviewRow], *, are_units: bool) -> str:
    """The first line of the list says most: the unit that is furthest behind, or the best instansi."""
    if not found or not found[0].figures.people:
        return "Belum ada pegawai"
    first = found[0]
    how = "Paling tertinggal" if are_units else "Paling maju"
    return f"{how}: {first.name}, {number(first.figures.active)} dari {number(first.figures.people)} aktif"
