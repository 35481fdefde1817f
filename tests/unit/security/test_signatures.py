"""What is signed outlives a release and a rotation of keys, and is good for one purpose alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from app.domain.reset_secret import Code, Link
from app.domain.return_path import marks_in
from app.security.signing import SigningKeys
from tests.unit.rows import NOW

NEW, OLD = "a newer key of this test, of no use elsewhere", "an older key of this test, of no use elsewhere"
KEYS, OLD_KEYS, OTHER_KEYS = SigningKeys((NEW, OLD)), SigningKeys((OLD,)), SigningKeys((NEW[::-1],))
REFERENCE, ROW_KEY = "AAECAwQFBgcICQoL", b"k" * 32
DEVICES = {"1": ("mark", 1_700_000_000)}
SECONDS = 60


# -- what was given away or stored by this release must be known to the next one
def test_a_mailed_link_and_code_stay_what_they_are() -> None:
    link = Link("AAECAwQFBgcICQoL.g7EXpbxG79K3GodDEDKgbixMYtwvKf9B-kp15IifE4Q")

    assert KEYS.reset_link(REFERENCE, ROW_KEY) == link
    assert KEYS.opens_link(link, REFERENCE, ROW_KEY)
    assert KEYS.reset_code(REFERENCE, ROW_KEY) == Code("XGVLSXKF")
    assert KEYS.reset_codes(REFERENCE, ROW_KEY) == (Code("XGVLSXKF"), Code("XQWMCDQX"))


def test_a_cookie_stays_what_it_is() -> None:
    cookie = "eyIxIjpbIm1hcmsiLDE3MDAwMDAwMDBdfQ.3V241ZpK9vo1tfODuTp39aSFJLszmmUmZG_WYxgbNRU"

    assert KEYS.seal_devices(DEVICES) == cookie
    assert KEYS.open_devices(cookie) == DEVICES


def test_a_return_path_stays_what_it_is() -> None:
    address = "bounce+aaaqeayeaudaocajbifq-a2wpl4wipn6bqzpgflzs@mail.example"

    assert KEYS.return_path("bounce@mail.example", REFERENCE) == address
    assert [KEYS.open_mark(mark) for mark in marks_in(address)] == [REFERENCE]


def test_names_of_rows_and_keys_of_the_trail_stay_what_they_are() -> None:
    assert KEYS.fingerprint("login-new", "1" * 18) == (
        "a9c55e6dff66dcc3b446f996b608c602452314bb00b06f30a0a6edd730844ac3"
    )
    assert [key.hex() for key in KEYS.trail_keys()] == [
        "520dcd4aaf320934ab65d11b125538ec9c1eefbdab529d2832a6068f8389a321",
        "a7e319af52415f1910330b7c00ae193b010ce33aded335cf535db26c087cd825",
    ]


def test_a_key_in_front_renames_no_row() -> None:
    assert KEYS.fingerprint("a", "b") == OLD_KEYS.fingerprint("a", "b")
    assert len({KEYS.fingerprint(*parts) for parts in [("a", "b"), ("b", "a"), ("ab",), ("a", "", "b")]}) == 4


# -- rotation
def test_the_newest_key_signs_and_every_key_opens() -> None:
    for link in (KEYS.reset_link(REFERENCE, ROW_KEY), OLD_KEYS.reset_link(REFERENCE, ROW_KEY)):
        assert KEYS.opens_link(link, REFERENCE, ROW_KEY)
    for code in KEYS.reset_codes(REFERENCE, ROW_KEY):
        assert KEYS.opens_code(code, REFERENCE, ROW_KEY)
    for cookie in (KEYS.seal_devices(DEVICES), OLD_KEYS.seal_devices(DEVICES)):
        assert KEYS.open_devices(cookie) == DEVICES

    assert not OLD_KEYS.opens_link(KEYS.reset_link(REFERENCE, ROW_KEY), REFERENCE, ROW_KEY)
    assert not OLD_KEYS.opens_code(KEYS.reset_code(REFERENCE, ROW_KEY), REFERENCE, ROW_KEY)
    assert OLD_KEYS.open_devices(KEYS.seal_devices(DEVICES)) == {}


@pytest.mark.parametrize("cookie", ["", "nonsense", "e30.e30"])
def test_a_cookie_that_is_not_ours_knows_nobody(cookie: str) -> None:
    assert KEYS.open_devices(cookie) == {}


def test_entries_of_an_older_form_are_left_out() -> None:
    half, whole = (
        "eyIxIjoibWFyayIsIjIiOlsibWFyayIsN119.1L4FAdXq-pfSYH-Cd5LrPOrjrgSlcHQ07jPAa_VVntI",
        "WyIxIl0.V0wknRMGdlAL2Rsq1ruAo1NYaekpN3CdVEDMGhu10tE",
    )

    assert KEYS.open_devices(half) == {"2": ("mark", 7)}, "of an entry without its moment, and one with it"
    assert KEYS.open_devices(whole) == {}, "a list of people"


# -- links that end
Make = Callable[[SigningKeys, str], str]
Open = Callable[[SigningKeys, str, int], str | None]
LINKS: dict[str, tuple[Make, Open]] = {
    "correction": (SigningKeys.correction_link, SigningKeys.open_correction_link),
    "stop": (SigningKeys.stop_link, SigningKeys.open_stop_link),
    "check": (SigningKeys.check_question, SigningKeys.open_check_question),
}


@pytest.mark.parametrize("purpose", LINKS)
def test_a_link_opens_for_as_long_as_it_may_and_for_its_purpose_alone(purpose: str) -> None:
    make, _ = LINKS[purpose]
    with time_machine.travel(NOW, tick=False):
        link, old_link = make(KEYS, REFERENCE), make(OLD_KEYS, REFERENCE)

    for age, is_open in ((0, True), (SECONDS, True), (SECONDS + 1, False)):
        with time_machine.travel(NOW + timedelta(seconds=age), tick=False):
            for other, (_, opened) in LINKS.items():
                expected = REFERENCE if is_open and other == purpose else None
                assert opened(KEYS, link, SECONDS) == expected
                assert opened(KEYS, old_link, SECONDS) == expected
                assert opened(OTHER_KEYS, link, SECONDS) is None
                assert opened(OLD_KEYS, link, SECONDS) is None


@pytest.mark.parametrize("purpose", LINKS)
def test_nonsense_opens_nothing(purpose: str) -> None:
    _, opened = LINKS[purpose]

    assert [opened(KEYS, text, SECONDS) for text in ("", ".", "a.b.c", REFERENCE)] == [None] * 4


def test_links_stay_what_they_are() -> None:
    with time_machine.travel(NOW, tick=False):
        made = (KEYS.correction_link(REFERENCE), KEYS.stop_link(REFERENCE), KEYS.check_question("7"))

    assert made == (
        "IkFBRUNBd1FGQmdjSUNRb0wi.awKUHA.iYNyrkGTZG5JIsylgd00X36M2Ywvm-oFI-Qoq1QBl1w",
        "IkFBRUNBd1FGQmdjSUNRb0wi.awKUHA.LReX_HAhw7E1bpnSYJKrseE2y1X9MkKx0abTeX7JYCc",
        "Ijci.awKUHA.WdHMkzTid-YBx1f4uKF9FL1UL9zPsU6ledAlxFjzjkA",
    )


# -- what a check asks
def test_an_answer_is_good_for_its_own_question() -> None:
    answer = KEYS.check_answer("7", {"host": "x"})

    assert answer == "eyJob3N0IjoieCIsIm51bWJlciI6IjcifQ.nqd2aR7NEE0kPd3NlLIwdIB3KX2jQPq4P5G95e6h0Ag"
    assert KEYS.open_check_answer(answer, "7") == {"host": "x", "number": "7"}
    assert KEYS.open_check_answer(answer, "8") is None
    assert OTHER_KEYS.open_check_answer(answer, "7") is None
    assert KEYS.open_check_answer("nonsense", "7") is None


@pytest.mark.parametrize("hours", [0, 1, -1])
def test_a_clock_that_was_put_back_does_not_make_a_link_old(hours: int) -> None:
    """Nor does the clock of another node, which is a little ahead."""
    with time_machine.travel(NOW, tick=False) as clock:
        link = KEYS.stop_link(REFERENCE)
        clock.shift(timedelta(hours=-hours))
        opened = KEYS.open_stop_link(link, SECONDS)

    assert opened == (REFERENCE if hours >= 0 else None)
