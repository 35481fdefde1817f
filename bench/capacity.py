"""What a campaign needs: nodes, memory, database and mail rate, from what RESULTS.md has measured.

`python -m bench.capacity` writes docs/kapasitas.md. The arrival curve is an assumption, not a measurement: it
and everything else in `Campaign` can be changed (`--people 8000000 --days 14 --peak 20`; `--print` writes
nothing).
"""

import argparse
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from bench.results import FILE
from config import ROOT

DOCUMENT = ROOT / "docs" / "kapasitas.md"
_MINUTES_A_DAY = 24 * 60
# How many of a day's people come in each hour, WIB: office hours, then the evening
_HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 8, 9, 9, 8, 6, 7, 7, 6, 5, 5, 6, 8, 9, 8, 5, 2)
_DEADLINE_HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 8, 9, 9, 8, 6, 7, 7, 8, 8, 9, 12, 16, 20, 20, 17, 12)


@dataclass(frozen=True)
class Campaign:
    """The assumptions."""

    people: int = 6_000_000
    days: int = 22
    peak: float = 10.0  # the fullest hour of the last evening beside the mean hour of the whole campaign
    tries: float = 1.5  # activations that are begun for one that succeeds: mistyped, closed, begun anew
    letters: float = 2.5  # of one activation: token, notice, and a token asked again by half
    utilisation: float = 0.6  # of the cores, so that a queue stays short
    cores: int = 4  # of a node
    minutes_until_again: float = 5.0  # after a refusal


@dataclass(frozen=True)
class Costs:
    """What was measured, see bench/RESULTS.md."""

    activation: float  # seconds of a core, web and worker
    letter: float
    statements: float
    memory: float  # MB of one web process with its worker
    letters_per_second: float  # of one worker

    @classmethod
    def measured(cls) -> "Costs":
        rows = dict(re.findall(r"^\| (.+?) \| ([\d,.]+)", FILE.read_text(), re.MULTILINE))

        def value(beginning: str) -> float:
            found = next(rows[name] for name in rows if name.startswith(beginning))
            return float(found.replace(",", ""))

        return cls(
            activation=value("one activation: seven requests") / 1000,
            letter=value("sending one token") / 1000,
            statements=value("statements of all seven requests"),
            memory=value("memory of web and worker after that"),
            letters_per_second=value("the worker sends"),
        )


@dataclass(frozen=True)
class Evening:
    """The last day with so many nodes."""

    nodes: int
    refused: float  # share of all tries that were refused at first
    longest_wait: float  # minutes until somebody who was refused had their turn
    left_at_midnight: float  # people


def minutes(campaign: Campaign) -> Iterator[list[float]]:
    """For each day, how many people come in each minute."""
    mean_hour = campaign.people / (campaign.days * 24)
    last_day = campaign.peak * mean_hour * sum(_DEADLINE_HOURS) / max(_DEADLINE_HOURS)
    others = (campaign.people - last_day) / (campaign.days - 1)
    if others < 0:
        raise SystemExit("So high a peak needs more people or more days.")
    for day in range(campaign.days):
        is_last = day == campaign.days - 1
        hours, people = (_DEADLINE_HOURS, last_day) if is_last else (_HOURS, others)
        yield [people * hours[minute // 60] / sum(hours) / 60 for minute in range(_MINUTES_A_DAY)]


def evening(campaign: Campaign, costs: Costs, nodes: int) -> Evening:
    """Go through the last day minute by minute. Who is refused comes again; the first to come is the first to
    be served, so this is the wait of the last one."""
    each = costs.activation * campaign.tries
    capacity = nodes * campaign.cores * campaign.utilisation / each * 60  # people in a minute
    waiting = refused = longest = 0.0
    for people in list(minutes(campaign))[-1]:
        turned_away = max(0.0, waiting + people - capacity)
        refused += min(people, turned_away)
        waiting = turned_away
        if waiting:
            longest = max(longest, campaign.minutes_until_again, waiting / capacity)
    return Evening(nodes, refused / sum(list(minutes(campaign))[-1]), longest, waiting)


def text(campaign: Campaign, costs: Costs) -> str:
    days = list(minutes(campaign))
    peak = max(days[-1]) / 60
    mean = campaign.people / (campaign.days * _MINUTES_A_DAY * 60)
    cores = peak * campaign.tries * costs.activation
    nodes = math.ceil(cores / (campaign.cores * campaign.utilisation))
    letters = peak * campaign.letters
    memory, asked = nodes * campaign.cores * costs.memory, campaign.tries * costs.statements
    rows = [evening(campaign, costs, number) for number in range(1, nodes + 2)]
    return f"""\
# Kapasitas: berapa mesin untuk satu masa pemutakhiran

Ditulis oleh `python -m bench.capacity` dari angka terukur di [bench/RESULTS.md](../bench/RESULTS.md).
Kurva kedatangan dan angka lain di bagian *Anggapan* bukan hasil ukur; semuanya dapat diganti lewat
pilihan perintah itu. Biaya diukur pada satu mesin dua inti dengan SQLite; untuk mesin lain jalankan
`make bench` di sana dahulu.

## Anggapan

| apa | nilai | pilihan |
|---|---|---|
| orang yang mengaktifkan akun | {_number(campaign.people)} | `--people` |
| hari | {campaign.days} | `--days` |
| jam tersibuk malam terakhir, dibanding rata-rata | {_decimal(campaign.peak)} x | `--peak` |
| percobaan untuk satu aktivasi yang berhasil | {_decimal(campaign.tries)} | `--tries` |
| email untuk satu aktivasi | {_decimal(campaign.letters)} | `--letters` |
| inti prosesor satu simpul web | {campaign.cores} | `--cores` |
| bagian prosesor yang boleh terpakai | {campaign.utilisation:.0%} | `--utilisation` |
| orang yang ditolak mencoba lagi setelah | {campaign.minutes_until_again:g} menit | `--minutes-until-again` |

## Biaya terukur

| apa | nilai |
|---|---|
| satu aktivasi, web dan worker | {1000 * costs.activation:.0f} ms prosesor |
| satu email token, worker | {_decimal(1000 * costs.letter)} ms prosesor |
| pernyataan SQL satu aktivasi | {costs.statements:.0f} |
| memori satu proses web dan worker | {costs.memory:.0f} MB |
| satu worker mengirim | {_number(costs.letters_per_second)} email/detik |

## Yang diperlukan

| apa | rata-rata | jam tersibuk malam terakhir |
|---|---|---|
| aktivasi per detik | {_decimal(mean)} | {_decimal(peak)} |
| inti prosesor yang terpakai | {_decimal(mean * campaign.tries * costs.activation)} | {_decimal(cores)} |
| simpul web ({campaign.cores} inti, terpakai {campaign.utilisation:.0%}) | 1 | {nodes} |
| memori semua simpul ({campaign.cores} proses web tiap simpul) | | {_number(memory)} MB |
| pernyataan SQL per detik di PostgreSQL | {_number(mean * asked)} | {_number(peak * asked)} |
| email per detik | {_decimal(mean * campaign.letters)} | {_decimal(letters)} |
| email per hari terakhir | | {_number(sum(days[-1]) * campaign.letters)} |
| worker yang mengirim tanpa antrean | 1 | {math.ceil(letters / costs.letters_per_second)} |

Tambahkan satu simpul lagi, supaya satu simpul boleh mati pada malam itu. Server email (relay) harus
menerima email sebanyak itu per detik; batas relay lebih dahulu menahan daripada portal. Tanyakan
batasnya sebelum masa pemutakhiran.

## Malam terakhir, menit demi menit

Kalau simpul kurang, portal menolak dengan halaman tenang (503) dan orang mencoba lagi.

| simpul | ditolak pada percobaan pertama | menunggu paling lama | belum terlayani tengah malam |
|---|---|---|---|
""" + "".join(
        f"| {row.nodes} | {row.refused:.0%} | {row.longest_wait:.0f} menit "
        f"| {_number(row.left_at_midnight)} orang |\n"
        for row in rows
    )


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", ".")


def _decimal(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("--print", action="store_true", dest="only_prints", help="write no file")
    usual = Campaign()
    for one in fields(Campaign):
        value = getattr(usual, one.name)
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=type(value), default=value)
    chosen = vars(parser.parse_args())
    written = text(
        replace(usual, **{one.name: chosen[one.name] for one in fields(Campaign)}), Costs.measured()
    )
    if chosen["only_prints"]:
        print(written)
    else:
        DOCUMENT.write_text(written)


if __name__ == "__main__":
    main()
