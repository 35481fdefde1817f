"""A cell of an export is not a formula in any spreadsheet, and comes back as it was."""

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.staff_file import guarded, unguarded

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212"
BLANKS = " \u00a0\u3000\u200b\u200f\ufeff\u00ad\u2060\u3164\u2800\ufe0f\x00\x07\x1f\x7f"
BREAKS = ',;|\t\n\r\v\f\u0085\u2028\u2029"'
EVIL = (
    "=1+1", "+62812", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\t=1", "a;=1", "a,=1", "a\t=1", "a\n=1",
    "a\r\n=1", '"=1', 'a";"=1',
    '"";=1', "  =1", "\u00a0=1", "\u200b=1", "\ufeff=1", "\uff1d1", ";\uff0b1", "; \u200b\uff0d1", "\x00=1",
    "a\u2028=1", "'=1",
    "''=1", "'\t=1", ";'=1", "a; '=1", "=1;=2;=3", '=HYPERLINK("http://x";"y")', "x|@1", '",=1', "\u3164=1",
    "\u2212\uff11",
)  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(EVIL),
    st.text(alphabet=st.sampled_from(SIGNS + BLANKS + BREAKS + "'a1"), max_size=12),
    st.text(max_size=12).filter(lambda text: text.isprintable()),
)


def is_formula(cell: str) -> bool:
    """Whether the cell begins with a formula sign, after everything that a program may strip is gone."""
    for character in cell:
        if character in SIGNS:
            return True
        seen = unicodedata.category(character) not in (
            "Cc",
            "Cf",
            "Cn",
            "Co",
            "Cs",
            "Me",
            "Mn",
            "Zl",
            "Zp",
            "Zs",
        )
        if seen and character not in '"\u3164\u2800\uffa0\u115f\u1160':
            return False
    return False


def formulas_in(text: str) -> list[str]:
    """The cells that a spreadsheet of any locale would take for formulas, for every way to cut the text into
    cells, with and without quotes."""
    found = []
    for delimiter in (",", ";", "\t", "|"):
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
            found += [cell for row in rows for cell in row if is_formula(cell)]
    lines = text.splitlines()
    return found + [line for line in lines if is_formula(line)]


@given(st.lists(CELLS, min_size=1, max_size=4), st.sampled_from((",", ";", "\t")))
def test_no_cell_is_a_formula_wherever_a_locale_cuts_the_line(cells: list[str], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(
        [["judul", *(guarded(cell) for cell in cells)], [guarded(cells[0])]]
    )

    assert formulas_in(text.getvalue().replace("\x00", "")) == []


@given(CELLS)
def test_a_guarded_cell_comes_back_exactly(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell


@given(CELLS)
def test_a_cell_that_was_guarded_twice_comes_back_after_two_readings(cell: str) -> None:
    assert unguarded(unguarded(guarded(guarded(cell)))) == cell


@pytest.mark.parametrize(
    "cell",
    [
        "Nur'aini",
        "'Aisyah",
        "S.Pd., M.Si.",
        "a-b",
        "a - b",
        "1+1",
        "sari@nusajaya.example",
        "Dinas A; Dinas B",
        "Jl. Melati 5-7",
        "'",
    ],
)
def test_what_people_write_is_left_alone(cell: str) -> None:
    assert guarded(cell) == unguarded(cell) == cell


def test_a_long_cell_takes_no_long_time() -> None:
    assert guarded(" " * 30_000 + "=").endswith(" '=")
    assert unguarded(guarded("=;" * 8_000)) == "=;" * 8_000
