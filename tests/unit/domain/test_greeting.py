"""The word by which Beranda greets somebody."""

import pytest

from app.domain.person_name import greeted_as


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Budi Santoso", "Budi"),
        ("BUDI SANTOSO", "Budi"),
        ("Dr. H. Budi Santoso, S.Kom., M.Kom.", "Budi"),
        ("drg Ani Lestari", "Ani"),
        ("Prof. Dr. Siti Nur'aini", "Siti"),
        ("I Made Suastika", "I Made Suastika"),
        ("NI LUH AYU", "Ni Luh Ayu"),
        ("M. Yusuf", "Yusuf"),
        ("Suharto", "Suharto"),
        ("Hj.", "Hj."),
        ("", ""),
        ("<b>Budi</b> Santoso", "<b>Budi</b>"),
    ],
)
def test_people_are_greeted_by_their_first_name(name: str, word: str) -> None:
    assert greeted_as(name) == word
