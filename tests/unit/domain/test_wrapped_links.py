"""Links that a mail filter has wrapped, invisible characters, and the references and keys that new rows
get."""

import base64

import pytest

from app.domain.reset_secret import Code, Link, new_reference, new_row_key, read_link, read_secret

LINK = Link("a_bc-efghijklmno." + "Zx-_9" * 8 + "7_k")
URL = f"https://mysapk.example/konfirmasi-reset-password/{LINK.text}"


def _packed(letters: int) -> str:
    return base64.urlsafe_b64encode(f"{URL}?{'a' * letters}".encode()).decode().rstrip("=")


@pytest.mark.parametrize("letters", range(8))
def test_an_address_in_base64_is_unpacked_whatever_its_length(letters: int) -> None:
    assert read_secret(f"https://filter.example?u={_packed(letters)}&i=NjA=") == LINK


@pytest.mark.parametrize("packed", [one for one in map(_packed, range(8)) if len(one) % 4 == 0])
def test_a_letter_behind_it_that_makes_no_byte_is_left_out(packed: str) -> None:
    assert read_secret(f"https://filter.example?u={packed}A&i=NjA=") == LINK


@pytest.mark.parametrize("place", range(1, len(LINK.text)))
def test_a_soft_break_whose_line_break_is_gone_does_not_part_a_link(place: int) -> None:
    assert read_link(f"{LINK.text[:place]}={LINK.text[place:]}") == LINK


@pytest.mark.parametrize("unseen", ["\ufe00", "\ufe0f", "\u034f"])
def test_signs_that_only_choose_how_a_letter_is_drawn_are_left_out(unseen: str) -> None:
    assert read_secret(f"WD{unseen}JB-MJHT{unseen}") == Code("WDJBMJHT")


def test_new_rows_get_names_and_keys_of_their_own() -> None:
    references, keys = {new_reference() for _ in range(50)}, {new_row_key() for _ in range(50)}

    assert len(references) == len(keys) == 50
    assert {len(one) for one in references} == {16}
    assert {len(one) for one in keys} == {32}


@pytest.mark.parametrize("left", ["=", ">", "|", "=>"])
def test_what_a_field_of_one_line_left_of_a_break_is_not_part_of_the_link(left: str) -> None:
    broken = f"{LINK.text[:9]}{left}{LINK.text[9:30]}{left}{LINK.text[30:]}"

    assert read_secret(f"https://mysapk.example/konfirmasi-reset-password/{broken}") == LINK


AMONG_WORDS = {
    "ini WDJB-MJHT BCDF ya": True,
    "ini BCDF WDJB-MJHT ya": True,
    "ini WDJB-MJHTBCDF ya": False,
    "ini BCDFMJHT-WDJB ya": False,
    "kode W D J B M J H T ya": True,
    "kode w d j b m j h t ya": False,
    "tulis wdjb-mjht@contoh.id ya": False,
    "lihat https://x/WDJB-MJHT ya": False,
    "lihat @WDJBMJHT ya": True,
    "lihat WDJBMJHT@ ya": True,
    "lihat X@WDJBMJHT ya": False,
    f"lihat {'a' * 22}/WDJB-MJHT ya": True,
    f"lihat {'a' * 23}/WDJB-MJHT ya": False,
    "WDJB budi@x.id MJHT": False,
}


@pytest.mark.parametrize(("typed", "is_read"), AMONG_WORDS.items())
def test_a_code_among_words_is_one_word_or_its_own_two_halves(typed: str, *, is_read: bool) -> None:
    assert read_secret(typed) == (Code("WDJBMJHT") if is_read else None)
