"""Tables as programs of every locale write them. The header decides what the separator is, and no cell is
lost."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter

from app.domain.spreadsheet_cell import NO_RESULT
from app.domain.staff_file import NIPS_ROUNDED, STAFF_COLUMNS, Columns, RowFaults, read_staff_row
from app.files import lost_cells, open_table, sandbox
from app.files.table import Row, UnreadableFile

HEADER = ",".join(STAFF_COLUMNS.required)
SITI = '198609262015051001,"Siti Aminah, S.Pd.",siti@nusajaya.example,PNS,7301,"Dinas ""A"""'
JOKO = "198609262015051002,Joko,,PNS,7301,Dinas"
READ = [("198609262015051001", "Siti Aminah, S.Pd.", 'Dinas "A"'), ("198609262015051002", "Joko", "Dinas")]


def no_sign() -> None:
    return None


def lines_of(content: bytes, tmp_path: Path) -> list[Row]:
    """The rows as the page reads them and as the command reads them. Both must be the same."""
    with sandbox.opened(content, no_sign) as sheet:
        there = list(sheet.lines())
    file = tmp_path / "pegawai"
    file.write_bytes(content)
    with open_table.opened(file, STAFF_COLUMNS) as sheet:
        here = list(sheet.lines())
    assert [(line.number, dict(line.cells), line.fault) for line in there] == [
        (line.number, dict(line.cells), line.fault) for line in here
    ]
    return here


def told(lines: list[Row]) -> list[tuple[str, str, str]]:
    assert not any(line.fault for line in lines), lines
    return [(line.cells["nip"], line.cells["nama"], line.cells["unit_kerja"]) for line in lines]


def separated(line: str, mark: str) -> str:
    """The line with another separator, and with the quotes that this one needs."""
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator="").writerow(next(csv.reader([line])))
    return text.getvalue()


def in_one_cell(line: str, behind: str = "") -> str:
    return '"' + line.replace('"', '""') + '"' + behind


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "first", ["", "sep={}", "SEP={}", '"sep={}"', "sep={};;;;;", "\ufeffsep={}", "sep=^"]
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_header_decides_what_separates(mark: str, first: str, ending: str, tmp_path: Path) -> None:
    rows = [separated(line, mark) for line in (HEADER, SITI, JOKO)]
    lines = lines_of(ending.join([*([first.format(mark)] if first else []), *rows, ""]).encode(), tmp_path)

    assert told(lines) == READ
    assert [line.number for line in lines] == ([3, 4] if first else [2, 3]), "as an editor counts"


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("behind", ["", ";;;;;", ",,,,,"])
def test_a_whole_line_in_one_cell_is_a_line(mark: str, behind: str, tmp_path: Path) -> None:
    rows = [in_one_cell(separated(line, mark), behind) for line in (HEADER, SITI, JOKO)]

    assert told(lines_of("\n".join(rows).encode(), tmp_path)) == READ


def test_only_the_lines_that_hold_quotes_stand_in_one_cell(tmp_path: Path) -> None:
    """A spreadsheet program saves a file like this if it has not split it into columns."""
    assert told(lines_of("\n".join((HEADER, in_one_cell(SITI), JOKO)).encode(), tmp_path)) == READ
    mixed = "\n".join((in_one_cell(HEADER), in_one_cell(SITI), JOKO))
    assert told(lines_of(mixed.encode(), tmp_path)) == READ


def test_a_line_in_one_cell_with_too_many_or_too_few_cells_is_refused(tmp_path: Path) -> None:
    rows = [
        in_one_cell(line) for line in (HEADER, f"{JOKO},x", "198609262015051002,Joko", '1,"x', "1,\nx", JOKO)
    ]

    lines = lines_of("\n".join(rows).encode(), tmp_path)

    assert [line.fault is not None for line in lines] == [True, True, True, True, False]


@pytest.mark.parametrize("mark", [":", "^", "~", "  "])
def test_another_separator_is_named(mark: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="tanda pemisahnya tidak dikenal"):
        lines_of(f"{HEADER.replace(',', mark)}\n{JOKO.replace(',', mark)}".encode(), tmp_path)


def test_instansi_are_read_the_same_way(tmp_path: Path) -> None:
    file = tmp_path / "instansi.csv"
    file.write_text('sep=\t\n"kode\tnama\tkontak"\n"7301\tKabupaten\tloket 3"\n', encoding="utf-8")

    with open_table.opened(file, Columns(("kode", "nama", "kontak"))) as sheet:
        [line] = sheet.lines()

    assert dict(line.cells) == {"kode": "7301", "nama": "Kabupaten", "kontak": "loket 3"}
    assert line.number == 3


# -- workbooks
def workbook(*rows: tuple[object, ...], at: tuple[int, int] = (0, 0)) -> bytes:
    """A workbook with texts as texts. A pair (formula, result) is a formula with its result."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet, as_date = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        for number, row in enumerate((STAFF_COLUMNS.required, *rows), start=at[0]):
            for column, cell in enumerate(row, start=at[1]):
                match cell:
                    case (str(formula), result):
                        sheet.write_formula(number, column, formula, None, result)
                    case bool():
                        sheet.write_boolean(number, column, cell)
                    case date() | time():
                        sheet.write_datetime(number, column, cell, as_date)
                    case int() | float():
                        sheet.write_number(number, column, cell)
                    case _:
                        sheet.write_string(number, column, str(cell))
    return file.getvalue()


GOOD = ("198609262015051001", "Siti", "siti@nusajaya.example", "PNS", "7301", "Dinas")


def faults_of(line: Row) -> list[tuple[str | None, str]]:
    assert line.fault is None
    row = read_staff_row(line.cells)
    return [(fault.column, fault.sentence) for fault in row.faults] if isinstance(row, RowFaults) else []


@pytest.mark.parametrize("at", [(0, 0), (2, 3)])
@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("nip", 198609262015051001, "sebagai angka"),
        ("nip", 198609262015051000.0, "sebagai angka"),
        ("nip", ("=NA()", "#N/A"), "kesalahan"),
        ("nip", ("=A1", ""), "rumus"),
        ("nip", date(1986, 9, 26), "tanggal"),
        ("nip", True, "benar/salah"),
        ("nama", 12, "angka"),
        ("nama", date(1986, 9, 26), "tanggal"),
        ("nama", ("=A1", "#REF!"), "kesalahan"),
        ("email", ("=A1", ""), "rumus"),
        ("email", ("=A1", "#N/A"), "kesalahan"),
        ("email", 0, "angka"),
        ("kategori", True, "benar/salah"),
        ("kode_instansi", date(2026, 4, 3), "tanggal"),
        ("kode_instansi", 73.1, "sebagai angka"),
        ("kategori", 0.5, "tidak dikenal"),
        ("unit_kerja", ("=A1", ""), "rumus"),
        ("unit_kerja", ("=A1", "#SPILL!"), "kesalahan"),
    ],
)
def test_a_cell_that_is_no_text_is_refused_where_it_stands(
    column: str, cell: object, said: str, at: tuple[int, int], tmp_path: Path
) -> None:
    place = STAFF_COLUMNS.required.index(column)
    first, second = lines_of(workbook((*GOOD[:place], cell, *GOOD[place + 1 :]), GOOD, at=at), tmp_path)

    [(where, sentence)] = faults_of(first)
    assert where == column
    assert said in sentence
    assert (first.number, faults_of(second)) == (at[0] + 2, [])


def test_a_formula_with_its_result_is_read_and_so_is_one_whose_result_is_no_text(tmp_path: Path) -> None:
    content = workbook((GOOD[0], ("=A9", "Siti"), ("=A9", "~"), "PNS", 7301, "Dinas"))
    with_nothing = rewritten(content, lambda text: text.replace("<v>~</v>", "<v></v>"))

    [line] = lines_of(with_nothing, tmp_path)

    assert faults_of(line) == []
    assert (
        line.cells["nama"],
        line.cells["email"],
        line.cells["kode_instansi"],
    ) == (
        "Siti",
        "",
        "7301",
    )


def test_a_row_of_formulas_without_results_is_not_passed_over(tmp_path: Path) -> None:
    lost = tuple(("=Z1", "") for _ in GOOD)

    lines = lines_of(workbook(lost, GOOD, lost, lost), tmp_path)

    assert [line.number for line in lines] == [2, 3, 4, 5]
    assert [len(faults_of(line)) for line in lines] == [6, 0, 6, 6]


def test_a_rounded_nip_does_not_become_true_in_the_list_of_refused_rows(tmp_path: Path) -> None:
    [line] = lines_of(workbook((198609262015051001, *GOOD[1:])), tmp_path)
    shown = line.cells["nip"]

    [again] = lines_of(workbook((shown, *GOOD[1:])), tmp_path)

    assert faults_of(again)
    assert not shown.isdigit()


def test_whole_lines_in_the_first_column_of_a_workbook_are_read(tmp_path: Path) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.add_worksheet().write_column(0, 0, [HEADER, SITI, JOKO])

    assert told(lines_of(file.getvalue(), tmp_path)) == READ


PEOPLE = [
    f"19{year}0{month}12201{month}0{month}{sex}0{month}{month}"
    for year in (71, 78, 86, 93)
    for month in (2, 5, 7)
    for sex in "12"
]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "lines in one cell"])
@pytest.mark.parametrize("program", ["a data frame", "a browser"])
def test_nips_that_went_through_a_number_of_64_bits_give_the_whole_file_away(
    program: str, kind: str, tmp_path: Path
) -> None:
    def through(nip: str) -> str:
        return f"{float(nip):.0f}" if program == "a data frame" else f"{Decimal(repr(float(nip))):f}"

    def told_of(nips: list[str]) -> list[str]:
        rows = [(nip, *GOOD[1:]) for nip in nips]
        lines = [HEADER, *(",".join(row) for row in rows)]
        content = {
            "csv": "\n".join(lines).encode(),
            "xlsx": workbook(*rows),
            "lines in one cell": "\n".join(map(in_one_cell, lines)).encode(),
        }[kind]
        return [
            line.fault.sentence if line.fault else "".join(sentence for _, sentence in faults_of(line))
            for line in lines_of(content, tmp_path)
        ]

    rounded = [through(nip) for nip in PEOPLE]
    assert told_of(PEOPLE) == [""] * len(PEOPLE)
    assert all("dibulatkan" in said or "000" in said for said in told_of(rounded))
    assert NIPS_ROUNDED.sentence in told_of(rounded)
    assert told_of([*PEOPLE[:4], *rounded[4:8]])[:4] == [""] * 4, "four do not tell"


def rewritten(content: bytes, change: Callable[[str], str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            new.writestr(part, change(text.decode()).encode() if part.startswith("xl/worksheets/") else text)
    return file.getvalue()


@pytest.mark.parametrize(
    ("formula", "is_lost"),
    [
        ("<f>A9</f>", True), ("<f>A9</f><v/>", True), ("<f>A9</f><v></v>", True), ("<f/>", True),
        ('<f t="shared" si="0"/>', True), ("<f>A9</f><v>x</v>", False), ("<v>x</v>", False),
    ],
)  # fmt: skip
def test_a_formula_is_found_in_every_spelling(formula: str, *, is_lost: bool, tmp_path: Path) -> None:
    content = workbook((*GOOD[:2], ("=A9", "a@b.example"), *GOOD[3:]))
    spelled = rewritten(
        content, lambda text: text.replace("<f>A9</f><v>a@b.example</v>", formula).replace(' t="str"', "")
    )
    if not is_lost:
        spelled = rewritten(content, lambda text: text.replace("<f>A9</f><v>a@b.example</v>", formula))

    [line] = lines_of(spelled, tmp_path)

    assert (line.cells["email"] == NO_RESULT) is is_lost


def test_what_could_grow_without_measure_is_not_unfolded(tmp_path: Path) -> None:
    content = workbook((*GOOD[:2], ("=A9", ""), *GOOD[3:]))
    grown = rewritten(
        content, lambda text: text.replace("<worksheet", '<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet', 1)
    )

    with pytest.raises(UnreadableFile):
        lines_of(grown, tmp_path)


def test_a_sheet_of_formulas_that_nobody_worked_out_is_refused_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_cells, "MOST_LOST_CELLS", 3)
    file = tmp_path / "pegawai.xlsx"
    file.write_bytes(workbook(tuple(("=Z1", "") for _ in GOOD)))

    with pytest.raises(UnreadableFile, match="rumus tanpa hasil"), open_table.opened(file, STAFF_COLUMNS):
        pass
