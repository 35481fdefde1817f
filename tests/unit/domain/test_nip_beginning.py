"""At the desk the first digits of a NIP are enough to look for somebody."""

import pytest

from app.domain.nip import NotANip, read_nip_beginning

NO_DIGITS = "NIP hanya berisi angka 0 sampai 9. Hapus huruf atau tanda lain, atau ketik ulang angkanya."
TOO_MANY = "Terisi 19 angka, padahal NIP terdiri dari 18 angka. Mungkin ada angka yang terketik dua kali."


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("", ""),
        ("  ", ""),
        ("1986", "1986"),
        ("19860926 2015", "198609262015"),
        ("NIP. 19860926-201505 1 001", "198609262015051001"),
        ("198609262015051001", "198609262015051001"),
        ("1986x", NotANip(NO_DIGITS)),
        ("١٩٨٦", NotANip(NO_DIGITS)),
        ("1986092620150510011", NotANip(TOO_MANY)),
    ],
)
def test_the_beginning_of_a_nip_is_read_in_any_spelling(typed: str, read: str | NotANip) -> None:
    assert read_nip_beginning(typed) == read
