"""RESULTS.md keeps what took long to measure."""

from pathlib import Path

import pytest

from bench import results
from bench.results import at_most, plain

SHORT, LONG, OTHER = "A short part", "A long part", "Another long part"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results, "FILE", tmp_path / "RESULTS.md")
    return results.FILE


def _titles(file: Path) -> list[str]:
    return [line[3:] for line in file.read_text().splitlines() if line.startswith("## ")]


def test_long_parts_stay_when_the_short_ones_are_measured_again(file: Path) -> None:
    results.write({SHORT: [plain("pages", 1)], "renamed since": []}, 60, [LONG, OTHER])
    results.write_section(OTHER, [plain("people", 5)], 1200)
    results.write_section(LONG, [at_most("lost", 0, 0)], 600)
    results.write({SHORT: [plain("pages", 2)]}, 60, [LONG, OTHER])

    assert _titles(file) == [SHORT, LONG, OTHER]
    assert "| pages | 2.0 |" in file.read_text()
    assert "in 20 minutes" in file.read_text()


def test_a_long_part_takes_the_place_of_its_last_measurement(file: Path) -> None:
    results.write({SHORT: [plain("pages", 1)]}, 60, [LONG])
    for people in (5, 6):
        results.write_section(LONG, [plain("people", people, digits=0)], 600)

    assert _titles(file) == [SHORT, LONG]
    assert "| people | 6 |" in file.read_text()
    assert "| people | 5 |" not in file.read_text()
    assert "| pages | 1.0 |" in file.read_text()
