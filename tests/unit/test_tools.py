"""The tools of the project are called with what is there: locked programs, files of tests."""

import re

from config import ROOT
from tests.conftest import LONG_FILES


def test_pre_commit_calls_the_programs_of_the_virtual_environment() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    entries = re.findall(r"^ +entry: (\S+)", text, re.MULTILINE)

    assert re.findall(r"- repo: (\S+)", text) == ["local"], (
        "another repository would bring versions of its own"
    )
    assert entries
    assert all(entry.startswith(".venv/bin/") for entry in entries)
    assert len(re.findall(r"language: system", text)) == len(entries)
    locked = (ROOT / "requirements-dev.txt").read_text()
    assert all(f"\n{name}==" in locked for name in ("ruff", "mypy", "djlint", "import-linter"))


def test_the_files_that_begin_first_are_there() -> None:
    assert [file for file in LONG_FILES if not (ROOT / file).exists()] == []
