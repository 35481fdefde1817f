"""NIPs that were numbers of 64 bits once: a whole file shows it, one NIP does not."""

from decimal import Decimal

import pytest

from app.domain.rounded_nips import NipsOfFile, may_be_rounded

TRUE = [f"1985031220100120{number}" for number in range(11, 96, 4)]
# As most programs write such a number out, and as JavaScript does
EXACT = [str(198503122010012000 + 32 * number) for number in range(1, 9)]
SHORTEST = [str(int(Decimal(repr(float(nip))))) for nip in EXACT]
IN_ZEROS = [f"19850312201001{number}000" for number in range(1, 9)]


def seen(*nips: str) -> NipsOfFile:
    file = NipsOfFile()
    file.look_at(",".join(nips))
    return file


def test_true_nips_are_not_rounded() -> None:
    assert not seen(*TRUE).are_rounded
    assert not any(may_be_rounded(nip) for nip in TRUE)


@pytest.mark.parametrize("rounded", [EXACT, SHORTEST, IN_ZEROS], ids=["exact", "shortest", "in zeros"])
def test_five_rounded_nips_prove_it_if_they_are_half_of_all(rounded: list[str]) -> None:
    assert not seen(*rounded[:4]).are_rounded
    assert seen(*rounded[:5]).are_rounded
    assert seen(*rounded[:5], *TRUE[:5]).are_rounded
    assert not seen(*rounded[:5], *TRUE[:6]).are_rounded


def test_the_two_ways_to_round_are_counted_apart() -> None:
    assert not seen(*EXACT[:3], *SHORTEST[:2]).are_rounded


def test_a_nip_in_zeros_counts_for_both_ways() -> None:
    not_exact = [nip for nip in IN_ZEROS if int(float(nip)) != int(nip)]

    assert seen(*EXACT[:3], *not_exact[:2]).are_rounded
    assert seen(*SHORTEST[:3], *not_exact[:2]).are_rounded


def test_a_true_nip_may_end_in_one_zero() -> None:
    ends_in_zero = [f"1985031220100120{number}" for number in (10, 20, 40, 50, 70, 80, 90)]
    true = [nip for nip in ends_in_zero if nip not in (*EXACT, *SHORTEST)]

    assert len(true) >= 5
    assert not seen(*true).are_rounded
    assert not any(may_be_rounded(nip) for nip in true)


def test_a_file_may_be_looked_at_in_pieces_and_as_bytes() -> None:
    file = NipsOfFile()
    for nip in EXACT[:5]:
        assert not file.are_rounded
        file.look_at(nip.encode())

    assert file.are_rounded


def test_longer_numbers_are_no_nips() -> None:
    assert not seen(*(f"{nip}0" for nip in EXACT)).are_rounded
    assert not may_be_rounded(f"1{EXACT[0]}")


@pytest.mark.parametrize("nip", [*EXACT, *SHORTEST])
def test_a_cell_may_be_rounded_in_either_way(nip: str) -> None:
    assert may_be_rounded(f" {nip} ")
    assert may_be_rounded(f"{TRUE[0]} {nip}")


@pytest.mark.parametrize("nip", IN_ZEROS)
def test_a_nip_without_its_sequence_number_is_recognised_by_itself(nip: str) -> None:
    assert not may_be_rounded(nip)
