"""What the processes of a portal count, each in its own memory, and how it is added up.

To count costs a process less than a microsecond, and loads no library. Each process writes what it has
counted to a file of its own, from time to time and only if it has changed. Whichever process is asked
writes its own file first, and then adds up the files. So no number that was told is ever taken back, even if
the process is killed the next moment. A process that is killed takes with it what it has counted since it
last wrote, at most some seconds.

The files of processes that have ended are added to one file, so that counters never fall and the files do
not grow in number. What such a process had at the moment (requests in work, memory) goes with it. A folder
belongs to the processes that one command has started, and is removed by the next one.
"""

import fcntl
import json
import logging
import os
import secrets
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import product
from pathlib import Path
from shutil import rmtree
from threading import Lock

log = logging.getLogger("portal")

Labels = tuple[str, ...]
_ENDED = "ended.json"


class Kind(Enum):
    COUNTER = auto()
    HISTOGRAM = auto()
    GAUGE = auto()  # the sum over all processes that run
    NEWEST = auto()  # a gauge of which the largest value holds


@dataclass(frozen=True)
class Family:
    """One metric. The values of a label are named here, or None if something else bounds them."""

    name: str
    kind: Kind
    says: str
    labels: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict, hash=False)
    bounds: tuple[float, ...] = ()  # of the buckets of a histogram; the last bucket has none

    def combinations(self) -> list[Labels]:
        """All values that the labels may have together, if all of them are named."""
        named = [values for values in self.labels.values() if values is not None]
        return list(product(*named)) if len(named) == len(self.labels) else []


class Sums:
    """Numbers by family and labels. A histogram has one number for each bucket, and then the sum of all that
    was observed."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, Labels], list[float]] = {}

    @classmethod
    def read(cls, text: str) -> "Sums":
        sums = cls()
        for name, labels, numbers in json.loads(text):
            sums.numbers[name, tuple(labels)] = numbers
        return sums

    def written(self) -> str:
        return json.dumps([(name, labels, numbers) for (name, labels), numbers in self.numbers.items()])

    def add(self, other: "Sums", kinds: Mapping[str, Kind]) -> None:
        for (name, labels), numbers in other.numbers.items():
            own = self.numbers.get((name, labels))
            if own is None or len(own) != len(numbers):
                self.numbers[name, labels] = list(numbers)
            elif kinds.get(name) is Kind.NEWEST:
                own[0] = max(own[0], numbers[0])
            else:
                self.numbers[name, labels] = [a + b for a, b in zip(own, numbers, strict=True)]

    def without_levels(self, kinds: Mapping[str, Kind]) -> "Sums":
        """Only what never falls."""
        lasting, kept = Sums(), (Kind.COUNTER, Kind.HISTOGRAM)
        lasting.numbers = {key: value for key, value in self.numbers.items() if kinds.get(key[0]) in kept}
        return lasting


class Tally:
    """What this process counts. Any thread may count."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums = Sums()
        self._has_changed = False

    def count(self, family: Family, *labels: str, by: float = 1) -> None:
        key = family.name, labels
        with self._lock:
            numbers = self._sums.numbers.get(key)
            if numbers is None:
                self._sums.numbers[key] = [by]
            else:
                numbers[0] += by
            self._has_changed = True

    def observe(self, family: Family, value: float, *labels: str) -> None:
        key, bucket = (family.name, labels), bisect_left(family.bounds, value)
        with self._lock:
            numbers = self._sums.numbers.get(key)
            if numbers is None:
                numbers = self._sums.numbers[key] = [0.0] * (len(family.bounds) + 2)
            numbers[bucket] += 1
            numbers[-1] += value
            self._has_changed = True

    def set(self, family: Family, value: float, *labels: str) -> None:
        """What a gauge shows now, or how far a counter has come that somebody else counts."""
        key = family.name, labels
        with self._lock:
            if self._sums.numbers.get(key) != [value]:
                self._sums.numbers[key] = [value]
                self._has_changed = True

    def forget(self) -> None:
        with self._lock:
            self._sums, self._has_changed = Sums(), False

    def written_if_changed(self) -> str | None:
        with self._lock:
            if not self._has_changed:
                return None
            self._has_changed = False
            return self._sums.written()

    def has_to_be_written_again(self) -> None:
        with self._lock:
            self._has_changed = True

    def copy(self) -> Sums:
        with self._lock:
            copied = Sums()
            copied.numbers = {key: list(numbers) for key, numbers in self._sums.numbers.items()}
            return copied


class TallyFolder:
    """The files of the processes that count together."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = Lock()

    @classmethod
    def new_below(cls, path: Path) -> "TallyFolder":
        """A new folder, and nothing else below the path: a process of an earlier command that still ends
        finds its own no more, and its counts do not come back. Raises OSError."""
        if path.exists():
            rmtree(path)
        made = path / secrets.token_hex(4)
        made.mkdir(parents=True)
        return cls(made)

    def write(self, tally: Tally) -> bool:
        """Write what this process has counted. False if that cannot be written now, on a full disk, say: then
        it is written the next time."""
        with self._writing:  # otherwise an older text may come to stand over a newer one
            text = tally.written_if_changed()
            try:
                if text is not None:
                    self._replace(f"{_own_name()}.json", text)
            except OSError:
                tally.has_to_be_written_again()
                return False
            return True

    def summed(self, kinds: Mapping[str, Kind]) -> Sums:
        """All that the processes have written. Raises OSError."""
        with self._alone():
            merged, ended = self._read_ended()
            total, gone = Sums(), list[Path]()
            for file in sorted(self.path.glob("[0-9]*-*.json")):
                if file.stem in merged:  # somebody added it and could not remove it any more
                    gone.append(file)
                    continue
                sums = Sums.read(file.read_text())
                if _is_running(file.stem):
                    total.add(sums, kinds)
                else:
                    ended.add(sums.without_levels(kinds), kinds)
                    gone.append(file)
            if gone:
                self._put_together(gone, ended)
            total.add(ended, kinds)
            return total

    def _put_together(self, gone: list[Path], ended: Sums) -> None:
        with suppress(OSError):  # on a full disk the files stay, and are added each time
            self._replace(_ENDED, json.dumps([[file.stem for file in gone], ended.written()]))
            for file in gone:
                file.unlink()

    def _read_ended(self) -> tuple[frozenset[str], Sums]:
        try:
            names, text = json.loads((self.path / _ENDED).read_text())
        except FileNotFoundError:
            return frozenset(), Sums()
        return frozenset(names), Sums.read(text)

    def _replace(self, name: str, text: str) -> None:
        new = self.path / f"{name}.new-{os.getpid()}"
        new.write_text(text)
        new.replace(self.path / name)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Of several that add up, one after the other."""
        opened = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield
        finally:
            os.close(opened)


def _own_name() -> str:
    return f"{os.getpid()}-{_started(os.getpid())}"


def _is_running(name: str) -> bool:
    pid, _, started = name.partition("-")
    return _started(int(pid)) == started


def _started(pid: int) -> str | None:
    """When a process was started, as Linux counts; None if it does not run. The number of a process comes
    again, this does not."""
    try:
        if not Path("/proc/self/stat").exists():
            os.kill(pid, 0)
            return "-"
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *others = stat.rpartition(")")[2].split()
    return None if state in "ZX" else others[18]  # fields 3 and 22 of proc(5)
