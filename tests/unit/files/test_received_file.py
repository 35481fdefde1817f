"""A workbook that harms the reader harms nothing else."""

import io

import pytest
import xlsxwriter

from app.domain.staff_file import STAFF_COLUMNS
from app.files import sandbox, staff_template
from app.files.delimited_line import LONGEST_ROW
from app.files.table import UnreadableFile


def workbook(*rows: tuple[str, ...]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate((STAFF_COLUMNS.required, *rows)):
            sheet.write_row(number, 0, row)
    return file.getvalue()


def no_sign() -> None:
    return None


def test_lines_come_as_they_stand_in_the_workbook() -> None:
    with sandbox.opened(
        workbook(("1", "Ñoño", "", "PNS", "7301", "x"), ("2", "b", "", "PNS", "7301", "y")), no_sign
    ) as sheet:
        lines = list(sheet.lines())

    assert [(line.number, line.cells["nip"], line.cells["nama"], line.fault) for line in lines] == [
        (2, "1", "Ñoño", None), (3, "2", "b", None),
    ]  # fmt: skip
    assert sheet.header == STAFF_COLUMNS.required
    assert sheet.position == 3


def test_a_row_without_measure_is_refused_and_the_next_is_read() -> None:
    monster = tuple("A" * 30_000 for _ in STAFF_COLUMNS.required)
    with sandbox.opened(workbook(monster, ("2", "b", "", "PNS", "7301", "y")), no_sign) as sheet:
        lines = list(sheet.lines())

    assert lines[0].fault is not None
    assert str(LONGEST_ROW) in lines[0].fault.sentence
    assert lines[1].fault is None


@pytest.mark.parametrize(
    "reader",
    [
        "raise SystemExit(1)",
        "import os; os.abort()",
        'print(\'{"header": ["nip"], "total": 9}\', flush=True); import os; os.abort()',
        'print(\'{"header": ["nip"], "total": 9}\'); print(\'[2, 2, ["1\')',
        "print('x' * 1_000_000)",
    ],
)
def test_a_reader_that_dies_or_babbles_makes_the_file_unreadable(
    monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    monkeypatch.setattr(sandbox, "_READER", ("-c", reader))

    with (
        pytest.raises(UnreadableFile, match="tidak dapat dibaca"),
        sandbox.opened(workbook(), no_sign) as sheet,
    ):
        list(sheet.lines())


def test_the_reader_knows_no_setting_of_the_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "a key that no workbook may see")
    monkeypatch.setattr(
        sandbox,
        "_READER",
        ("-c", "import os, json; print(json.dumps({'problem': ' '.join(os.environ)}))"),
    )

    with pytest.raises(UnreadableFile) as told, sandbox.opened(workbook(), no_sign):
        pass

    assert "SECRET_KEY" not in str(told.value)
    assert "PYTHONUTF8" in str(told.value)


def test_the_template_has_the_nip_as_text_and_holds_nobody() -> None:
    with sandbox.opened(staff_template.as_xlsx(), no_sign) as sheet:
        assert list(sheet.lines()) == []
    assert sheet.header == (*STAFF_COLUMNS.required, *STAFF_COLUMNS.optional)


@pytest.mark.parametrize(
    "line", [b'x","\n', b"\n", b",,,,,\n"], ids=["open quotes", "nothing", "empty cells"]
)
def test_a_text_made_to_be_read_for_ever_is_given_up(line: bytes) -> None:
    """The worker reads text itself. For every text it soon finds the next row or the end."""
    file = ",".join(STAFF_COLUMNS.required).encode() + b"\n" + line * 2_000_000

    with sandbox.opened(file, no_sign) as sheet, pytest.raises(UnreadableFile):
        for _ in sheet.lines():
            pass
