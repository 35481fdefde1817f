"""A line of the log that is too long is cut between words, and addresses keep their ends."""

import pytest

from app.domain.masks import KEPT_OF_HEAD, KEPT_OF_TAIL, Masks, cut

LONGEST = KEPT_OF_HEAD + KEPT_OF_TAIL


def test_a_text_of_the_longest_length_is_whole() -> None:
    text = "one two " * (LONGEST // 8)

    assert len(text) == LONGEST
    assert cut(text) == text


@pytest.mark.parametrize("beside", ["", "12-3 "])
def test_words_and_digits_at_the_cut_go_whole(beside: str) -> None:
    head, tail = "x" * 3_800 + " kept", "tail " + "z" * 7_800
    text = f"{head} {beside}{'b' * 300} middle {'e' * 300} {beside}{tail}"

    assert cut(text) == f"{head} [... {len(text)} ...] {tail}"


def test_a_text_without_blanks_is_cut_where_it_is() -> None:
    assert cut("x" * 20_000) == f"{'x' * KEPT_OF_HEAD} [... 20000 ...] {'x' * KEPT_OF_TAIL}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("to budi@contoh.go.id", "to b***@c***.id"),
        ("to budi@contoh.go.id.", "to b***@c***.id"),
        ("to budi@-contoh.go.id-", "to b***@c***.id"),
        ("to budi@Xcontoh.go.id", "to b***@X***.id"),
        ("to budi@localhost", "to b***@l***"),
        ("to budi@localhost.", "to b***@l***"),
    ],
)
def test_an_address_keeps_its_first_letters_and_its_end(written: str, said: str) -> None:
    assert Masks().masked(written) == said


def test_paths_are_shown_unless_a_secret_follows() -> None:
    masks = Masks(["/konfirmasi/"])

    assert masks.masked("GET /bantuan/x and /KONFIRMASI/abc?x") == "GET /bantuan/x and /KONFIRMASI/***?x"
    assert Masks().masked("GET /bantuan/x") == "GET /bantuan/x"
