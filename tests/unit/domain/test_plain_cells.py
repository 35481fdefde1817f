"""A cell as most files have it is read at once. What is read is the same as after every look that other cells
get."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import staff_file
from app.domain.staff_file import RowFaults, StaffRow, read_staff_row

_CELLS = {
    "nip": "198503122010012001",
    "nama": "Sari Wulandari",
    "email": "sari@nusajaya.example",
    "kategori": "PNS",
    "kode_instansi": "7301",
    "unit_kerja": "Dinas Kesehatan",
    "telepon": "",
}
_SHORT_WAYS = {
    "nip": staff_file._PLAIN_NIP,
    "nama": staff_file._PLAIN_NAME,
    "email": staff_file._PLAIN_EMAIL,
    "telepon": staff_file._PLAIN_PHONE,
}
_FITS_NOTHING = re.compile("(?!)")
_SUSPICIOUS = st.sampled_from((
    "Mei Juni 12", "Jan Feb 2020", "None None", "TRUE TRUE", "E E 5", "err. galat 12", "Senin. Mei 5",
    "a@b.co", "a@b-c.id", "x_x0000_@contoh.id", "08000000000", "0811111111", "080808080808",
    "000000000000000001", "198503122010012000", "Rp. Satu Juta 000",
))  # fmt: skip


def _cells() -> st.SearchStrategy[tuple[str, str]]:
    of_a_short_way = st.one_of(
        [
            st.tuples(st.just(column), st.from_regex(way, fullmatch=True))
            for column, way in _SHORT_WAYS.items()
        ]
    )
    of_any = st.text(alphabet="Mei jan0123456789.,'-@_ +=/:", max_size=70)
    return of_a_short_way | st.tuples(st.sampled_from(tuple(_SHORT_WAYS)), of_any | _SUSPICIOUS)


def _read(column: str, cell: str) -> StaffRow | RowFaults:
    return read_staff_row({**_CELLS, column: cell})


@given(_cells())
def test_the_short_way_reads_what_the_long_way_reads(written: tuple[str, str]) -> None:
    at_once = _read(*written)

    with pytest.MonkeyPatch.context() as without:
        for name in ("_PLAIN_NIP", "_PLAIN_NAME", "_PLAIN_EMAIL", "_PLAIN_PHONE"):
            without.setattr(staff_file, name, _FITS_NOTHING)
        after_every_look = _read(*written)

    assert at_once == after_every_look


@pytest.mark.parametrize(
    ("column", "cell"), [(column, _CELLS[column] or "081234567890") for column in _SHORT_WAYS]
)
def test_a_usual_cell_takes_the_short_way(column: str, cell: str) -> None:
    assert _SHORT_WAYS[column].fullmatch(cell)
    assert isinstance(_read(column, cell), StaffRow)
