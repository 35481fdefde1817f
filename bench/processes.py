"""What a process and all its children cost, as the kernel counts it: proc(5)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """The process and all below it."""
    found, left = [], [pid]
    while left:
        one = left.pop()
        try:
            children = [file.read_text() for file in Path(f"/proc/{one}/task").glob("*/children")]
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.append(one)
        left += [int(child) for line in children for child in line.split()]
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time so far, with that of children that have ended."""
    ticks = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / _TICKS


def exact_cpu_seconds(pid: int) -> float:
    """Processor time so far of those that live, finer than a tick. A process is up to date when it waits."""
    nanoseconds = 0
    for one in family(pid):
        try:
            nanoseconds += int(Path(f"/proc/{one}/schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return nanoseconds / 1e9


def memory_mb(pid: int) -> float:
    """The proportional set size: what several processes share counts once."""
    kilobytes = 0
    for one in family(pid):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


@dataclass
class Spent:
    seconds: float = 0.0


@contextmanager
def spent_by(pid: int) -> Iterator[Spent]:
    """How much processor time the process and its children spend meanwhile."""
    spent, before = Spent(), cpu_seconds(pid)
    yield spent
    spent.seconds = cpu_seconds(pid) - before
