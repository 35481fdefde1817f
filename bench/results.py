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
Sections with a date of their own take long, and are written by `make soak` and `python -m bench flat`.
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


def write(parts: dict[str, list[Figure]], seconds: float, long_titles: Iterable[str]) -> None:
    """Write all parts to RESULTS.md. The sections of long parts stay there."""
    figures = [figure for one in parts.values() for figure in one]
    lines = [_TOP, *_about(figures, seconds)]
    for title, its in parts.items():
        lines += ["", f"## {title}", "", *_table(its)]
    old = _sections()
    kept = [old[title] for title in long_titles if title in old]
    FILE.write_text("\n\n".join(["\n".join(lines), *kept]) + "\n")


def write_section(title: str, figures: list[Figure], seconds: float) -> None:
    """Write one long part to RESULTS.md, with its own date and machine. All else stays there."""
    sections = _sections()
    sections[title] = "\n".join([f"## {title}", "", *_about(figures, seconds), "", *_table(figures)])
    FILE.write_text("\n\n".join(sections.values()) + "\n")


def _about(figures: Iterable[Figure], seconds: float) -> list[str]:
    goals = [figure.is_met for figure in figures if figure.is_met is not None]
    return [
        f"- {datetime.now().astimezone():%Y-%m-%d %H.%M}, in {seconds / 60:.0f} minutes",
        f"- {_machine()}",
        f"- {sum(goals)} of {len(goals)} goals are met",
    ]


def _table(figures: Iterable[Figure]) -> list[str]:
    return ["| what | measured | goal | met |", "|---|---|---|---|", *(figure.line for figure in figures)]


def _sections() -> dict[str, str]:
    """What RESULTS.md holds now, by title. What is above the first section has none."""
    top, *others = FILE.read_text().split("\n## ") if FILE.exists() else [_TOP]
    titled = {other.partition("\n")[0]: f"## {other.strip()}" for other in others}
    return {"": top.strip(), **titled}


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
