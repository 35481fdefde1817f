"""Salts of older systems, as they were written."""

import pytest

from app.domain.old_hash import OldHash, Recipe, Scheme, read_old_hash

CHECKSUM = "A" * 43


@pytest.mark.parametrize(
    ("written", "kept"),
    [("AAA.", "AAA+"), ("..//", "++//"), ("A.A", "A+A="), ("A" * 43, "A" * 43 + "=")],
)
def test_a_salt_of_passlib_has_dots_for_plus_and_up_to_32_bytes(written: str, kept: str) -> None:
    read = read_old_hash(f"$pbkdf2-sha256$1000${written}${CHECKSUM}")

    assert read == OldHash(Recipe(Scheme.PBKDF2_SHA256, 1000, kept), f"{CHECKSUM}=")


@pytest.mark.parametrize("checksum", ["." + CHECKSUM[1:], CHECKSUM[:-2] + "/A"])
def test_a_checksum_of_passlib_has_dots_for_plus(checksum: str) -> None:
    read = read_old_hash(f"$pbkdf2-sha256$1000$AAAA${checksum}")

    assert isinstance(read, OldHash)
    assert read.checksum == checksum.replace(".", "+") + "="


def test_a_salt_of_django_is_text_of_up_to_32_letters() -> None:
    read = read_old_hash(f"pbkdf2_sha256$1000${'s' * 32}${CHECKSUM}=")

    assert read == OldHash(
        Recipe(Scheme.PBKDF2_SHA256, 1000, "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M="), f"{CHECKSUM}="
    )
    assert read_old_hash(f"pbkdf2_sha256$1000${'s' * 33}${CHECKSUM}=") is None


def test_a_salt_that_is_no_base64_is_not_read() -> None:
    assert read_old_hash(f"$pbkdf2-sha256$1000$A${CHECKSUM}") is None
