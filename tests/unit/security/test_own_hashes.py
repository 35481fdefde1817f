"""The portal's own hashes, at their borders."""

import pytest

from app.domain.password_policy import LONGEST_PASSWORD
from app.security import passwords

LONGEST = "x" * LONGEST_PASSWORD


def test_the_longest_password_opens_and_a_longer_one_does_not() -> None:
    own = passwords.hashed(LONGEST)

    assert passwords.verified(LONGEST, own, {}) == (True, None)
    assert passwords.verified(f"{LONGEST}x", own, {}) == (False, None)
    assert passwords.verified(LONGEST[:-1], own, {}) == (False, None)


def test_an_own_hash_is_kept_as_it_is() -> None:
    own = passwords.hashed("Kuda-Laut7")

    assert passwords.as_kept(own) == own


@pytest.mark.parametrize("last", "BCD")
def test_a_hash_whose_letters_are_no_whole_bytes_is_not_imported(last: str) -> None:
    own = passwords.hashed("Kuda-Laut7")

    assert not passwords.may_be_imported(own[:-1] + last)
    assert passwords.may_be_imported(own[:-1] + "A")
