"""Warnings about an address, without a database: kinds, weights and words; domains, mailboxes, names and
numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.corrections import IdentityCheck
from app.domain.email_address import USUAL_DOMAINS, EmailAddress
from app.domain.email_warnings import WarningKind, Weight, acknowledged_kinds, unacknowledged, warn
from app.domain.person_name import Likeness, compare_names, is_whole_name
from app.domain.phone_number import dialled

ADDRESS = EmailAddress("joko@contoh.example")
ABOUT = {
    "owner": "Budi",
    "when": "kemarin",
    "because": "Sebab.",
    "count": 2,
    "meant": "x@gmail.com",
    "known": "gmail.com",
}


@pytest.mark.parametrize("kind", list(WarningKind))
def test_every_kind_of_warning_has_a_weight_and_words(kind: WarningKind) -> None:
    warning = warn(kind, ADDRESS, **ABOUT)  # type: ignore[arg-type]

    assert kind.weight in Weight
    assert kind.label
    assert str(warning).endswith((".", "!"))
    assert "{" not in str(warning)
    assert kind.is_final == (kind is WarningKind.ADDRESS_TAKEN)
    assert kind.must_be_acknowledged == (kind.weight is Weight.HEAVY and not kind.is_final)


def test_the_heavy_ones_are_shown_first() -> None:
    weights = [kind.weight for kind in WarningKind]

    assert weights == sorted(weights, key=[Weight.HEAVY, Weight.LIGHT].index)


def test_what_others_can_send_weighs_light() -> None:
    """Anybody with a mailbox can send a request for somebody's NIP. This must not make the owner's request
    harder to approve."""
    assert WarningKind.RIVALS.weight is Weight.LIGHT


def test_a_mark_holds_for_one_address_and_one_sentence() -> None:
    marks = {
        warn(WarningKind.ASKED_FOR_OTHERS, address, count=count).mark
        for address in (ADDRESS, EmailAddress("lain@contoh.example"))
        for count in (1, 2)
    }

    assert len(marks) == 4
    warnings = [warn(WarningKind.ASKED_FOR_OTHERS, ADDRESS, count=2), warn(WarningKind.NO_PHONE, ADDRESS)]
    assert unacknowledged(
        warnings, frozenset({"tidak_ada.0", warn(WarningKind.ASKED_FOR_OTHERS, ADDRESS, count=1).mark})
    )
    assert not unacknowledged(warnings, frozenset({warnings[0].mark, "tidak_ada.0"}))
    assert acknowledged_kinds(warnings) == WarningKind.ASKED_FOR_OTHERS.value
    assert acknowledged_kinds(warnings[1:]) is None
    two = [warn(kind, ADDRESS, **ABOUT) for kind in (WarningKind.REJECTED_BEFORE, WarningKind.OTHER_NAME)]  # type: ignore[arg-type]
    assert acknowledged_kinds(two) == "nama_lain,pernah_ditolak"


RESTS_ON_A_PHONE = {IdentityCheck.CALL_ON_RECORD, IdentityCheck.VIDEO}


@pytest.mark.parametrize("check", list(IdentityCheck))
def test_every_check_says_what_it_needs_on_record(check: IdentityCheck) -> None:
    with_phone, without = (
        check.is_possible("0812-555-0100"),
        [check.is_possible(phone) for phone in (None, "", "-", "0")],
    )

    assert with_phone == (check is not IdentityCheck.BY_FILE)
    assert set(without) == {check not in RESTS_ON_A_PHONE and with_phone}


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("gmaul.com", "gmail.com"), ("gmali.com", "gmail.com"), ("gmai1.com", "gmail.com"), ("gmail.net",
        "gmail.com"),
        ("gmai1.corn", "gmail.com"), ("my-gmail.com", "gmail.com"), ("gmail.com.luar.example", "gmail.com"),
        ("nusa-jaya.go.id", "nusajaya.go.id"), ("nusajaya.com", "nusajaya.go.id"), ("nusajay.go.id",
        "nusajaya.go.id"),
        ("nusajaya-go.id", "nusajaya.go.id"), ("mail-nusajaya.id", "nusajaya.go.id"), ("nusajoya.go.id",
        "nusajaya.go.id"),
    ],
)  # fmt: skip
def test_a_domain_that_could_be_taken_for_a_known_one_is_noticed(domain: str, known: str) -> None:
    assert EmailAddress(f"joko@{domain}").resembles(USUAL_DOMAINS | {"nusajaya.go.id"}) == known


@pytest.mark.parametrize(
    "domain", [*sorted(USUAL_DOMAINS), "nusajaya.go.id", "dinkes.nusajaya.go.id", "luar.example", "bkn.go.id"]
)
def test_a_known_domain_and_a_quite_different_one_are_not(domain: str) -> None:
    assert EmailAddress(f"joko@{domain}").resembles(USUAL_DOMAINS | {"nusajaya.go.id"}) is None


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("joko@contoh.example", "joko@contoh.example"), ("Joko+satu@Contoh.example", "joko@contoh.example"),
        ("j.o.ko@gmail.com", "joko@gmail.com"), ("jo.ko+x@googlemail.com", "joko@gmail.com"),
        ("jo.ko@contoh.example", "jo.ko@contoh.example"), ("+satu@contoh.example", "+satu@contoh.example"),
    ],
)  # fmt: skip
def test_spellings_of_one_mailbox_are_one(address: str, mailbox: str) -> None:
    assert EmailAddress(address).mailbox == mailbox


@pytest.mark.parametrize(
    ("typed", "on_record", "likeness"),
    [
        ("Sari Wulandari, S.Pd., M.M.", "Sari Wulandari", Likeness.SAME),
        ("dr. Sari Wulandary", "Sari Wulandari", Likeness.SAME),
        ("SITI NUR AINI", "Siti Nuraini", Likeness.SAME),
        ("Muh. Ali", "Muhammad Ali", Likeness.SAME),
        ("Joko Prabowo", "Joko Prabowo Adi", Likeness.SAME),
        ("Soeharto", "Suharto", Likeness.SAME),
        ("Joko", "Joko Prabowo Adi", Likeness.IN_PART),
        ("Muhammad Ali", "Muhammad Yusuf", Likeness.OTHER),
        ("Sari Lestari", "Sari Wulandari", Likeness.OTHER),
        ("Orang Lain", "Joko Prabowo Adi", Likeness.OTHER),
        ("", "Joko Prabowo Adi", Likeness.OTHER),
        ("Sitinuraix", "Siti Nurain", Likeness.SAME),
        ("Dra", "Dra.", Likeness.SAME),
        ("Sari, S.Pd., M.Kes., Apt", "Sari", Likeness.SAME),
        ("M. Ali", "Muhammad Ali", Likeness.IN_PART),
        ("Jo Adi", "Jo Adi Putra", Likeness.SAME),
        ("Moh. Ali", "Muhammad Ali", Likeness.SAME),
        ("Muhammad Ali", "Muh. Ali", Likeness.SAME),
        ("Abd. Rahman", "Abdul Rahman Hakim", Likeness.SAME),
        ("Siti Wula", "Siti Wulandari Adi", Likeness.SAME),
        ("Prabowo Joko", "Joko Prabowo Adi", Likeness.SAME),
        ("Siti Nuraini", "Siti Nur Aini Dewi", Likeness.SAME),
        ("Sari Sarina", "Sarina Sari Dewi", Likeness.SAME),
    ],
)
def test_names_are_compared_word_by_word(typed: str, on_record: str, likeness: Likeness) -> None:
    assert compare_names(typed, on_record) is likeness


@pytest.mark.parametrize(
    ("typed", "on_record"),
    [
        ("Jo Jo", "Joko Prabowo Adi"),
        ("Joko Joko", "Joko Prabowo Adi"),
        ("Jo", "Joko Prabowo Adi"),
        ("J P", "Joko Prabowo"),
        ("Prab", "Joko Prabowo Adi"),
        ("Su Su", "Sulastri Wahyuni"),
        ("Si Wu", "Siti Wulandari"),
        ("Siti Wu", "Siti Wulandari"),
        ("Sula Wahy", "Sulastri Wahyuni"),
        ("Sa Sa", "Dr. Sari Wulandari"),
        ("Su", "Suharto"),
        ("Suha", "Suharto"),
        ("s", "Suharto"),
        ("Muh Muh", "Muhammad Ali"),
    ],
)
def test_guessed_letters_are_no_name(typed: str, on_record: str) -> None:
    assert compare_names(typed, on_record) is Likeness.OTHER
    assert not is_whole_name(typed, on_record)


@given(st.data())
def test_no_beginnings_alone_are_the_name(data: st.DataObject) -> None:
    name = ["sulastri", "kusumawati", "wulandari"]
    guessed = [data.draw(st.sampled_from(name))[: data.draw(st.integers(1, 5))] for _ in range(3)]

    assert compare_names(" ".join(guessed), " ".join(name)) is Likeness.OTHER


@pytest.mark.parametrize(
    ("typed", "on_record", "is_whole"),
    [
        ("Joko Prabowo Adi", "Joko Prabowo Adi", True),
        ("dr. Joko Prabowo Adi, Sp.A.", "Joko Prabowo Adi", True),
        ("Joko Prabawo Adi", "Ir. Joko Prabowo Adi", True),
        ("Siti Nur Aini", "Siti Nuraini", True),
        ("Moh. Ali", "Muhammad Ali", True),
        ("Soeharto", "Suharto", False),
        ("Joko Prabowo", "Joko Prabowo Adi", False),
        ("Joko", "Joko Prabowo Adi", False),
        ("M. Ali", "Muhammad Ali", False),
        ("Prabowo Adi", "Joko Prabowo Adi", False),
        ("", "Joko Prabowo Adi", False),
    ],
)
def test_the_whole_name_is_every_word_of_it(typed: str, on_record: str, *, is_whole: bool) -> None:
    assert is_whole_name(typed, on_record) is is_whole


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+62 812-555-0100", "08125550100"),
        ("0812 555 0100", "08125550100"),
        ("7654321", "7654321"),
        ("765432", None),
        ("-", None),
        ("", None),
        (None, None),
        ("0000000", None),
    ],
)
def test_a_number_is_what_can_be_dialled(written: str | None, digits: str | None) -> None:
    assert dialled(written) == digits
