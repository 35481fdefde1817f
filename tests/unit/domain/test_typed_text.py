"""What people type in their own words, on one line or on a few."""

import pytest

from app.domain.typed_text import about_others, few_lines, one_line


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Sari \t Wulandari \r\n", "Sari Wulandari"),
        ("Sari\u00a0Wulandari", "Sari Wulandari"),
        ("Sari\tWulandari", "Sari Wulandari"),
        ("Sa\u200bri\x00", "Sari"),
        ("Jose\u0301", "Jos\u00e9"),
        ("", ""),
    ],
)
def test_a_line_has_single_blanks_and_nothing_invisible(typed: str, kept: str) -> None:
    assert one_line(typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("satu\ndua", "satu\ndua"),
        ("satu\r\n\r\n\r\n dua  tiga ", "satu\n\ndua tiga"),
        ("\n\n satu\n", "satu"),
        ("satu\n\u200b\n\u200b\ndua", "satu\n\ndua"),
        ("\u200b\nsatu\n\u200b", "satu"),
        ("", ""),
    ],
)
def test_lines_stay_with_at_most_one_empty_line_between_two(typed: str, kept: str) -> None:
    assert few_lines(typed) == kept


def test_a_sentence_for_an_owner_speaks_of_others_too() -> None:
    assert about_others("Periksa NIP Anda, lalu email Anda.") == "Periksa NIP, lalu email."
