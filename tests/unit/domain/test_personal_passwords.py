"""A password that contains something about its owner is refused, with a sentence for each reason."""

from datetime import date

import pytest

from app.domain.password_policy import (
    ASN_2025,
    MYSAPK_2021,
    Owner,
    faults,
    personal_faults,
    policy_named,
    strict_rules,
)

SARI = Owner("198609262015052001", "Sari Dewi", date(1986, 9, 26), "sari.dewi@nusajaya.example")
NIP = "Password tidak boleh berisi NIP Anda. Pilih yang lain."
BIRTH = "Password tidak boleh berisi tanggal lahir Anda. Pilih yang lain."
NAME = "Password tidak boleh berisi nama Anda. Pilih yang lain."
UNSEEN = "Password berisi karakter yang tidak terlihat."
EMAIL = "Password tidak boleh berisi alamat email Anda. Pilih yang lain."


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("198609262015052001Ab", [NIP]),
        ("Ab19860926 201505 2 001", [NIP]),
        ("1986-09-26aA", [BIRTH]),
        ("26.09.1986-Kuda", [BIRTH]),
        ("Kuda260986", [BIRTH]),
        ("Kuda-sari-7", [NAME]),
        ("DEWI2-kuda", [NAME]),
        ("Sa-ri77X", [NAME]),
        ("Sa.ri77X", [NAME]),
        ("26-09-19-Kuda", []),
        ("Kuda-860926", []),
        ("Kuda-Laut7", []),
    ],
)
def test_what_is_the_owners_is_refused(password: str, said: list[str]) -> None:
    assert personal_faults(password, SARI) == said


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("Kudalaut@nusajaya.example", "Xx-KUDALAUT-9", [EMAIL]),
        ("kuda@nusajaya.example", "1Kuda-Laut", [EMAIL]),
        ("kud@nusajaya.example", "1Kuda-Laut", []),
        ("kudalaut@nusajaya.example", "Nusajaya-7", []),
        (None, "Kuda-Laut7", []),
    ],
)
def test_a_mailbox_counts_from_four_letters_on(email: str | None, password: str, said: list[str]) -> None:
    assert personal_faults(password, Owner(SARI.nip, "Adi", None, email)) == said


@pytest.mark.parametrize(("name", "said"), [("Adi Kuda", [NAME]), ("Adi Wk", []), ("Kud A", [])])
def test_a_name_counts_from_four_letters_on(name: str, said: list[str]) -> None:
    assert personal_faults("Adi-Wk-Kuda7", Owner("198609262015052001", name, None, None)) == said


def test_without_a_birth_date_no_digits_are_a_date() -> None:
    assert personal_faults("Kuda260986", Owner("198609262015052001", "Adi", None, None)) == []


@pytest.mark.parametrize(
    ("setting", "is_admin", "policy"),
    [
        ("mysapk2021", False, MYSAPK_2021),
        ("mysapk2021", True, ASN_2025),
        ("asn2025", False, ASN_2025),
        ("asn2025", True, ASN_2025),
    ],
)
def test_admins_always_have_the_strict_rules(setting: str, policy: object, *, is_admin: bool) -> None:
    assert policy_named(setting, is_admin=is_admin) is policy


def test_the_strict_rules_are_told_on_one_line() -> None:
    assert strict_rules() == (
        "minimal 12 karakter, ada huruf besar (A-Z), ada huruf kecil (a-z), ada angka (0-9), "
        "ada tanda baca (misalnya ! atau ?)"
    )


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "Isi password baru Anda."),
        ("Kuda\tLaut7", f"{UNSEEN} Ketik langsung di kolom ini, atau salin ulang tanpa baris baru."),
        (
            "Indonesia2024",
            "Password ini termasuk yang paling sering dipakai orang, jadi mudah ditebak. Pilih yang lain.",
        ),
    ],
)
def test_each_reason_is_one_sentence(password: str, said: str) -> None:
    assert faults(password, MYSAPK_2021) == [said]
