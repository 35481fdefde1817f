"""The rules of the field, without a database."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.client import browser_name, mask_address
from app.domain.email_address import EmailAddress, NotAnEmail, read_email
from app.domain.indonesian_time import shown_moment, today_in_jakarta
from app.domain.nip import Nip, NotANip, read_nip
from app.domain.password_policy import ASN_2025, MYSAPK_2021, faults
from app.domain.reset_secret import ALPHABET, LONGEST_INPUT, Code, Link, code_from, read_secret
from app.runtime.logs import masked
from app.security import passwords
from app.security.signing import SigningKeys


@given(st.text(alphabet="0123456789", min_size=18, max_size=18), st.data())
def test_a_nip_is_read_in_every_spelling(digits: str, data: st.DataObject) -> None:
    separator = data.draw(st.sampled_from([" ", ".", "-", "\u00a0", "\u200b", "\u2011", "\t", "  ", "\n"]))

    assert read_nip(
        f"{separator}{separator.join((digits[:8], digits[8:14], digits[14], digits[15:]))} "
    ) == Nip(digits)


@given(st.text(max_size=200))
def test_whatever_is_typed_is_a_nip_or_a_sentence(typed: str) -> None:
    match read_nip(typed):
        case Nip(digits):
            assert len(digits) == 18
            assert digits.isascii()
            assert digits.isdigit()
        case NotANip(sentence):
            assert sentence.endswith(".")


_LOCAL = st.text(alphabet="abcdefghij0123456789", min_size=1, max_size=12)


@given(
    _LOCAL,
    st.text(alphabet="abc+.", max_size=6),
    st.sampled_from(["gmail.com", "googlemail.com", "GMAIL.com"]),
    st.data(),
)
def test_one_mailbox_at_gmail_is_one_under_all_spellings(
    local: str, tag: str, domain: str, data: st.DataObject
) -> None:
    dotted = ".".join(
        data.draw(
            st.sampled_from([[local], list(local), [local[:1], local[1:]] if len(local) > 1 else [local]])
        )
    )

    assert EmailAddress(f"{dotted.upper()}+{tag}@{domain}").mailbox == f"{local}@gmail.com"


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Nama.Lengkap+portal@Contoh.go.id", "nama.lengkap@contoh.go.id"),
        ("namalengkap@contoh.go.id", "namalengkap@contoh.go.id"),
        ("+tag@contoh.go.id", "+tag@contoh.go.id"),
        ("a.b@mail.gmail.com", "a.b@mail.gmail.com"),
    ],
)
def test_dots_matter_elsewhere_and_a_tag_nowhere(address: str, mailbox: str) -> None:
    assert EmailAddress(address).mailbox == mailbox
    assert EmailAddress(address).key == address.lower(), "what is compared and unique stays as it was"


@given(st.text(max_size=300))
def test_whatever_is_typed_is_one_deliverable_address_or_a_sentence(typed: str) -> None:
    match read_email(typed):
        case EmailAddress(text):
            assert text.isascii()
            assert text.count("@") == 1
            assert not set(text) & set(' \t\r\n,;<>"()[]\\')
        case NotAnEmail(sentence):
            assert sentence.endswith(".")


@pytest.mark.parametrize(
    "typed",
    [
        "a@b", "a b@c.id", "a@b.id,c@d.id", "a@b.id\r\nBcc: c@d.id", "ü@b.id", "a@@b.id", "@b.id", "a@.id",
        "a@b..id",
        "<a@b.id>", "a@[10.0.0.1]", "x" * 65 + "@b.id",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    assert isinstance(read_email(typed), NotAnEmail)


def test_addresses_are_compared_without_case_and_mistyped_domains_are_noticed() -> None:
    address = read_email("  Budi.S@GMIAL.com ")

    assert isinstance(address, EmailAddress)
    assert address.key == "budi.s@gmial.com"
    assert address.likely_meant == "budi.s@gmail.com"
    assert address.masked == "B***@G***.com"


@pytest.mark.parametrize(
    "typed", ["wdjbmjht", "WDJB-MJHT", " w d j b\nm j h t ", "wdjb\u2011mjht", "WDJB\u200bMJHT"]
)
def test_a_code_is_read_in_every_spelling(typed: str) -> None:
    assert read_secret(typed) == Code("WDJBMJHT")


def test_a_code_may_come_with_a_whole_mail_of_blanks() -> None:
    assert read_secret("WDJB-MJHT".ljust(LONGEST_INPUT)) == Code("WDJBMJHT")
    assert read_secret("WDJB-MJHT".ljust(LONGEST_INPUT + 1)) is None


@pytest.mark.parametrize(
    "typed", ["", "null", "{}", "[]", "%00", "WDJB-MJH", "WDJB-MJHTT", "AEIO-UYAE", "0" * 3000, "WDJB-MJH7"]
)
def test_what_cannot_be_a_token_is_none(typed: str) -> None:
    assert read_secret(typed) is None


def test_a_whole_pasted_link_is_a_token_too() -> None:
    link = "abcdefghijklmnop." + "s" * 43

    assert read_secret(f" https://mysapk.example/konfirmasi-reset-password/{link}\n") == Link(link)


@given(st.binary(min_size=32, max_size=32))
def test_every_digest_makes_a_code_that_reads_back(digest: bytes) -> None:
    code = code_from(digest)

    assert len(code.letters) == 8
    assert set(code.letters) <= set(ALPHABET)
    assert read_secret(code.shown) == code


def test_link_and_code_open_only_their_own_row_and_only_under_our_keys() -> None:
    ours, theirs = SigningKeys(("our key" * 5,)), SigningKeys(("another key" * 5,))
    row, other = ("a" * 16, b"k" * 32), ("b" * 16, b"k" * 32)
    link, code = ours.reset_link(*row), ours.reset_code(*row)

    assert ours.opens_link(link, *row)
    assert ours.opens_code(code, *row)
    for keys, where in ((ours, other), (theirs, row), (ours, ("a" * 16, b"l" * 32))):
        assert not keys.opens_link(link, *where)
        assert not keys.opens_code(code, *where)


def test_an_old_key_still_opens_and_a_removed_one_does_not() -> None:
    row = ("a" * 16, b"k" * 32)
    code, link = SigningKeys(("old" * 12,)).reset_code(*row), SigningKeys(("old" * 12,)).reset_link(*row)

    rotated = SigningKeys(("new" * 12, "old" * 12))
    assert rotated.opens_code(code, *row)
    assert rotated.opens_link(link, *row)
    assert not SigningKeys(("new" * 12,)).opens_code(code, *row)


@pytest.mark.parametrize("password", ["Kuda-Laut7", "Abcd9x", "Zx9" + "y" * 125])
def test_passwords_that_the_rule_of_2021_takes(password: str) -> None:
    assert faults(password, MYSAPK_2021) == []


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "Isi password"),
        ("Ab1", "6 karakter"),
        ("abcdef1", "huruf besar"),
        ("Abcdefg", "angka"),
        ("Password1", "sering dipakai"),
        ("Indonesia2024!", "sering dipakai"),
        ("P@ssw0rd1", "sering dipakai"),
        ("Ind0nes1a7", "sering dipakai"),
        ("Sayangku123", "sering dipakai"),
        ("Abc1\n23", "tidak terlihat"),
        ("A1" + "x" * 127, "terlalu panjang"),
    ],
)
def test_passwords_that_are_refused_with_their_reason(password: str, said: str) -> None:
    assert said in faults(password, MYSAPK_2021)[0]


def test_the_rule_of_2025_names_all_that_is_missing_at_once() -> None:
    assert faults("abc", ASN_2025) == [
        "Password belum memenuhi syarat: minimal 12 karakter, ada huruf besar (A-Z), ada angka (0-9), "
        "ada tanda baca (misalnya ! atau ?)."
    ]


def test_a_moment_is_shown_in_three_zones_with_the_date_of_jakarta() -> None:
    moment = datetime(2026, 11, 22, 18, 5, tzinfo=UTC)

    assert shown_moment(moment) == "23 November 2026, 01.05 WIB / 02.05 WITA / 03.05 WIT"
    assert today_in_jakarta(moment).day == 23


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("203.0.113.77", "203.0.113.*"),
        ("2001:db8:1:2::3", "2001:0db8:0001:*"),
        ("-", "tidak diketahui"),
        ("x" * 40, "tidak diketahui"),
    ],
)
def test_an_address_is_masked(address: str, shown: str) -> None:
    assert mask_address(address) == shown


def test_people_know_their_devices_by_name() -> None:
    phone = (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
        "Mobile Safari/537.36"
    )

    assert browser_name(phone) == "Chrome di Android"
    assert browser_name("curl/8") == browser_name("") == "Browser lain"


def test_log_lines_hold_no_whole_nip_and_no_address() -> None:
    assert (
        masked("nip=198503122010012001 to sari@nusajaya.example")
        == "nip=19850312******2*** to s***@n***.example"
    )


def test_only_hashes_that_cost_a_stranger_the_same_time_may_be_imported() -> None:
    assert passwords.may_be_imported(passwords.hashed("Kuda-Laut7"))
    for other in (
        "",
        "nonsense",
        "$argon2id$junk",
        "$2b$12$" + "a" * 53,
        passwords.hashed("x")[:-20],
        passwords.hashed("x")[:-1],
        passwords.hashed("x") + "A",
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
    ):
        assert not passwords.may_be_imported(other)


def test_a_person_without_a_password_never_fits() -> None:
    assert passwords.verified("", None, {}) == (False, None)
