"""What is said to somebody who typed no NIP, and what a beginning of one may mean."""

import pytest

from app.domain.nip import Nip, NotANip, nips_beginning_with, read_nip

DIGITS = "198609262015051001"
ONLY_DIGITS = "NIP hanya berisi angka 0 sampai 9. Hapus huruf atau tanda lain, atau ketik ulang angkanya."


def too_few(count: int) -> str:
    return f"Baru {count} angka yang terisi. NIP terdiri dari 18 angka; periksa lagi."


def too_many(count: int) -> str:
    return (
        f"Terisi {count} angka, padahal NIP terdiri dari 18 angka. Mungkin ada angka yang terketik dua kali."
    )


FAULTS = {
    "": "Isi NIP Anda, 18 angka.",
    "NIP:": "Isi NIP Anda, 18 angka.",
    "budi": ONLY_DIGITS,
    f"{DIGITS[:-1]}l": ONLY_DIGITS,
    DIGITS[:16]: "Ini tampaknya NIK (16 angka pada KTP). Isi NIP, 18 angka pada SK atau kartu pegawai Anda.",
    DIGITS[:9]: "Ini tampaknya NIP lama (9 angka). Isi NIP, 18 angka pada SK terakhir Anda.",
    "1": too_few(1),
    DIGITS[:17]: too_few(17),
    f"{DIGITS}1": too_many(19),
    f"{DIGITS}11": too_many(20),
    DIGITS + " " * 83: "NIP terlalu panjang. Ketik 18 angka NIP Anda saja.",
}


@pytest.mark.parametrize(("typed", "said"), FAULTS.items(), ids=lambda text: text[:30])
def test_what_is_no_nip_is_answered_with_what_to_do(typed: str, said: str) -> None:
    assert read_nip(typed) == NotANip(said)


@pytest.mark.parametrize("typed", [DIGITS, DIGITS + " " * 82, f"NIP. {DIGITS}", "19860926 201505 1 001"])
def test_a_nip_may_have_a_hundred_characters_with_its_blanks(typed: str) -> None:
    assert read_nip(typed) == Nip(DIGITS)


@pytest.mark.parametrize(
    ("digits", "first", "last"),
    [
        ("1986", "1986" + "0" * 14, "1986" + "9" * 14),
        ("", "0" * 18, "9" * 18),
        (DIGITS, DIGITS, DIGITS),
    ],
)
def test_a_beginning_stands_for_all_nips_from_the_first_to_the_last(
    digits: str, first: str, last: str
) -> None:
    assert nips_beginning_with(digits) == (first, last)
