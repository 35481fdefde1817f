"""How much a file changes, as numbers and as a sentence."""

import pytest

from app.domain.file_changes import ColumnCount, column_counts, grouped, mark_of


@pytest.mark.parametrize(
    ("people", "on_record", "percent"), [(1, 8, "12,5%"), (1, 4, "25%"), (1, 3, "33,3%"), (20, 20, "100%")]
)
def test_a_part_is_written_with_a_comma_where_it_needs_one(people: int, on_record: int, percent: str) -> None:
    assert ColumnCount("name", people, on_record).percent == percent


def test_a_column_is_wide_when_it_changes_for_more_than_one_in_ten() -> None:
    assert not ColumnCount("name", 10, 100).is_wide
    assert ColumnCount("name", 11, 100).is_wide


def test_a_wide_column_is_told_in_the_words_of_the_file() -> None:
    assert ColumnCount("instansi", 1234, 4936).warning == (
        "Kode instansi berubah untuk 1.234 dari 4.936 pegawai dalam file yang sudah terdaftar (25%). "
        "Periksa apakah isi kolomnya tertukar dengan kolom lain, atau bergeser baris."
    )


def test_columns_that_change_are_counted_out_of_the_people_on_record() -> None:
    counts = column_counts(
        {"email": 2, "name": 3, "phone": 0}, {"changed": 4, "unchanged": 5, "new": 100, "refused": 200}
    )

    assert counts == [ColumnCount("name", 3, 9), ColumnCount("email", 2, 9)]
    assert column_counts({"name": 1}, {"changed": 1}) == [ColumnCount("name", 1, 1)]
    assert column_counts({"name": 1}, {"unchanged": 1}) == [ColumnCount("name", 1, 1)]


def test_a_mark_is_for_these_warnings_and_no_others() -> None:
    one, two = ColumnCount("name", 3, 9), ColumnCount("email", 3, 9)
    marks = {mark_of(some) for some in ([], [one], [two], [one, two], [ColumnCount("name", 4, 9)])}

    assert len(marks) == 5
    assert {len(mark) for mark in marks} == {16}
    assert mark_of([one, two]) == mark_of([one, two])


@pytest.mark.parametrize(("number", "shown"), [(7, "7"), (1000, "1.000"), (1234567, "1.234.567")])
def test_thousands_have_a_point(number: int, shown: str) -> None:
    assert grouped(number) == shown
