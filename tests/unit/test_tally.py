"""How the processes of a portal count together: nothing that was told is taken back, and what a process had
at the moment goes with it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from app.runtime import tally
from app.runtime.tally import Family, Kind, Sums, Tally, TallyFolder

ASKED = Family("asked_total", Kind.COUNTER, "", {"who": None})
SECONDS = Family("seconds", Kind.HISTOGRAM, "", {}, (1.0, 2.0))
IN_WORK = Family("in_work", Kind.GAUGE, "")
STARTED = Family("started", Kind.NEWEST, "")
KINDS = {one.name: one.kind for one in (ASKED, SECONDS, IN_WORK, STARTED)}


@pytest.fixture
def folder(tmp_path: Path) -> TallyFolder:
    return TallyFolder.new_below(tmp_path / "measures")


@pytest.fixture
def of_process(folder: TallyFolder) -> Callable[[str], None]:
    """A process of this name (number and start) has counted something."""

    def write(name: str) -> None:
        counted = Tally()
        counted.count(ASKED, "sari", by=2)
        counted.observe(SECONDS, 1.5)
        counted.set(IN_WORK, 3)
        counted.set(STARTED, float(name.partition("-")[0]))
        (folder.path / f"{name}.json").write_text(counted.copy().written())

    return write


def numbers_of(sums: Sums) -> dict[str, list[float]]:
    return {name: numbers for (name, _), numbers in sums.numbers.items()}


def test_processes_add_up(
    folder: TallyFolder, of_process: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "_is_running", lambda _name: True)
    of_process("100-1")
    of_process("200-1")

    assert numbers_of(folder.summed(KINDS)) == {
        "asked_total": [4], "seconds": [0, 2, 0, 3.0], "in_work": [6], "started": [200]
    }  # fmt: skip


def test_of_a_process_that_has_ended_only_its_counters_stay_in_one_file(
    folder: TallyFolder, of_process: Callable[[str], None]
) -> None:
    for number in range(3):
        of_process(f"{number + 100}-a-start-of-nobody")
        found = numbers_of(folder.summed(KINDS))

    assert found == {"asked_total": [6], "seconds": [0, 3, 0, 4.5]}
    assert numbers_of(folder.summed(KINDS)) == found, "nothing is counted twice"
    assert [file.name for file in folder.path.iterdir()] == ["ended.json"]


def test_who_dies_while_putting_files_together_counts_nothing_twice(
    folder: TallyFolder, of_process: Callable[[str], None]
) -> None:
    of_process("100-x")
    folder.summed(KINDS)
    of_process("100-x")  # the file that it could not remove any more

    assert numbers_of(folder.summed(KINDS))["asked_total"] == [2]


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    own = tally._own_name()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        name = f"{other.pid}-{tally._started(other.pid)}"
        assert tally._is_running(own)
        assert tally._is_running(name)
        assert not tally._is_running(f"{os.getpid()}-1")
    assert not tally._is_running(name)


def test_a_full_disk_loses_nothing(folder: TallyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Tally()
    counted.count(ASKED, "sari")
    with monkeypatch.context() as full:
        full.setattr(TallyFolder, "_replace", _no_space)
        assert not folder.write(counted)

    assert folder.write(counted)
    assert numbers_of(folder.summed(KINDS)) == {"asked_total": [1]}


def _no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_is_written_only_if_something_has_changed(folder: TallyFolder) -> None:
    counted = Tally()
    counted.set(IN_WORK, 1)
    folder.write(counted)
    (written,) = folder.path.iterdir()
    written.unlink()

    counted.set(IN_WORK, 1)
    folder.write(counted)
    assert not list(folder.path.iterdir())

    counted.set(IN_WORK, 2)
    folder.write(counted)
    assert list(folder.path.iterdir()) == [written]


def test_the_next_command_begins_anew_and_the_one_before_writes_no_more(
    folder: TallyFolder, of_process: Callable[[str], None]
) -> None:
    of_process("100-1")
    ending = Tally()
    ending.count(ASKED, "sari")

    following = TallyFolder.new_below(folder.path.parent)

    assert not folder.write(ending)
    assert numbers_of(following.summed(KINDS)) == {}
    assert list(folder.path.parent.iterdir()) == [following.path]


def test_what_is_written_is_never_older_than_what_stands_there(folder: TallyFolder) -> None:
    counted, seen = Tally(), list[float]()

    def count_and_write() -> None:
        for _ in range(50):
            counted.count(ASKED, "sari")
            folder.write(counted)
            seen.append(numbers_of(folder.summed(KINDS))["asked_total"][0])

    threads = [Thread(target=count_and_write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert numbers_of(folder.summed(KINDS))["asked_total"] == [150]
    assert len(seen) == 150
