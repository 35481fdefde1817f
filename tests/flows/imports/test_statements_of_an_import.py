"""What a file costs the database: a chunk of rows has as many statements as another one of any length."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from app.runtime.db import engine
from tests.flows.imports.test_import import HEADER, imported, instansi_known

__all__ = ["instansi_known"]  # the fixture


def statements_of_import(app: Flask, file: Path) -> tuple[str, list[str]]:
    """What the command says, and the statements that it ran. Three COPY a chunk are not among them."""
    ran: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        ran.append(statement)

    with app.app_context():
        listened = engine()
    event.listen(listened, "before_cursor_execute", note)
    try:
        return imported(app, file).stdout.strip(), ran
    finally:
        event.remove(listened, "before_cursor_execute", note)


def staff(folder: Path, numbers: range) -> Path:
    """A file of people, each with three words in the name and an address."""
    lines = (
        f"19850312201001{1 + n % 2}{1 + n:03},Sari Ayu {chr(97 + n % 26)}wi,p{n}@nusajaya.example,PNS,7301,"
        f"Unit {n % 7}"
        for n in numbers
    )
    file = folder / f"{numbers.start}-{numbers.stop}.csv"
    file.write_text("\n".join((HEADER, *lines, "")), encoding="utf-8")
    return file


@pytest.mark.usefixtures("instansi_known")
def test_a_chunk_has_the_same_statements_however_long_it_is(app: Flask, tmp_path: Path) -> None:
    few, many = staff(tmp_path, range(3)), staff(tmp_path, range(100, 400))

    ran = {
        "few new": statements_of_import(app, few),
        "many new": statements_of_import(app, many),
        "few known": statements_of_import(app, few),
        "many known": statements_of_import(app, many),
    }

    assert [said for said, _ in ran.values()] == [
        "Baru 3, berubah 0, tetap 0, ditolak 0.",
        "Baru 300, berubah 0, tetap 0, ditolak 0.",
        "Baru 0, berubah 0, tetap 3, ditolak 0.",
        "Baru 0, berubah 0, tetap 300, ditolak 0.",
    ]
    numbers = {what: len(statements) for what, (_, statements) in ran.items()}
    assert numbers["many new"] <= numbers["few new"] <= 13
    assert numbers["many known"] <= numbers["few known"] <= 5


@pytest.mark.usefixtures("instansi_known")
def test_of_people_whom_a_file_does_not_change_no_record_is_loaded(app: Flask, tmp_path: Path) -> None:
    file = staff(tmp_path, range(5))
    imported(app, file)

    _, ran = statements_of_import(app, file)

    only_in_a_whole_record = "browser_mark"
    assert not [statement for statement in ran if only_in_a_whole_record in statement]
