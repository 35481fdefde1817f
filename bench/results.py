"""What was measured, beside its goal, as a table that people read."""

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

FILE = Path(__file__).with_name("RESULTS.md")
_TOP = """\
# What the portal bears on one machine

Written by `make bench`; nothing here is typed by hand. Only ratios can be compared between machines.
Processor time is that of web and worker; the clients that drive them do not count.
"""


@dataclass(frozen=True)
class Figure:
    what: str
    measured: str
    goal: str = ""
    is_met: bool | None = None  # None: there is no goal, or it could not be measured here

    @property
    def line(self) -> str:
        met = {True: "yes", False: "**no**", None: ""}[self.is_met]
        return f"| {self.what} | {self.measured} | {self.goal} | {met} |"


def at_most(what: str, value: float, most: float, unit: str = "", digits: int = 2) -> Figure:
    return Figure(what, _shown(value, unit, digits), f"at most {_shown(most, unit)}", value <= most)


def at_least(what: str, value: float, least: float, unit: str = "", digits: int = 2) -> Figure:
    return Figure(what, _shown(value, unit, digits), f"at least {_shown(least, unit)}", value >= least)


def plain(what: str, value: float, unit: str = "", digits: int = 1) -> Figure:
    return Figure(what, _shown(value, unit, digits))


def not_here(what: str, why: str, goal: str = "") -> Figure:
    return Figure(what, f"- ({why})", goal)


def _shown(value: float, unit: str, digits: int | None = None) -> str:
    number = f"{value:g}" if digits is None else f"{value:,.{digits}f}"
    return f"{number} {unit}".strip()


def print_part(title: str, figures: Iterable[Figure]) -> None:
    print(f"\n{title}")
    for figure in figures:
        goal = f"   ({figure.goal}: {'met' if figure.is_met else 'NOT MET'})" if figure.goal else ""
        print(f"    {figure.what:<66} {figure.measured:>14}{goal}", flush=True)


def write(parts: dict[str, list[Figure]], seconds: float) -> None:
    """Write all parts to RESULTS.md."""
    goals = [figure.is_met for figures in parts.values() for figure in figures if figure.is_met is not None]
    lines = [
        _TOP,
        f"- {datetime.now().astimezone():%Y-%m-%d %H.%M}, in {seconds / 60:.0f} minutes",
        f"- {_machine()}",
        f"- {sum(goals)} of {len(goals)} goals are met",
    ]
    for title, figures in parts.items():
        lines += ["", f"## {title}", "", "| what | measured | goal | met |", "|---|---|---|---|"]
        lines += [figure.line for figure in figures]
    FILE.write_text("\n".join(lines) + "\n")


def _machine() -> str:
    processor = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    return (
        f"{os.cpu_count()} x {processor}, {memory / 1024**2:.0f} GB, {platform.system()} "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}"
    )


def _lines(file: str) -> list[str]:
    return Path(file).read_text().splitlines()
