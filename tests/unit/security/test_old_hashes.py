"""Hashes of older systems: which ones are read, what is kept of them, and that every try costs the same."""

import hashlib
import hmac
from base64 import b64encode
from collections import Counter
from collections.abc import Callable

import bcrypt
import pytest
from passlib.hash import pbkdf2_sha256, sha512_crypt

from app.domain.old_hash import OldHash, Recipe, Scheme, TooDear, read_kept_hash, read_old_hash
from app.security import old_schemes, passwords

PASSWORD = "Kopi-Tubruk-2021"
LONG = "Kopi-Tubruk-" * 10  # longer than the 72 bytes of bcrypt


def of_bcrypt(password: str, cost: int = 4, prefix: str = "2b") -> str:
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(cost)).decode().replace("$2b$", f"${prefix}$")


def of_django(password: str, rounds: int = 1000, salt: str = "kFqz41Lw0pRn8sYb2mXcVd") -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), rounds)
    return f"pbkdf2_sha256${rounds}${salt}${b64encode(digest).decode()}"


SPELLINGS: dict[str, Callable[[str], str]] = {
    "bcrypt 2a": lambda password: of_bcrypt(password, prefix="2a"),
    "bcrypt 2b": of_bcrypt,
    "bcrypt 2y": lambda password: of_bcrypt(password, prefix="2y"),
    "pbkdf2 of passlib": lambda password: str(pbkdf2_sha256.using(rounds=1000).hash(password)),
    "pbkdf2 of passlib, short salt": lambda password: str(
        pbkdf2_sha256.using(rounds=1000, salt_size=7).hash(password)
    ),
    "pbkdf2 of django": of_django,
    "sha512_crypt": lambda password: str(sha512_crypt.using(rounds=5000).hash(password)),
    "sha512_crypt, rounds": lambda password: str(sha512_crypt.using(rounds=1234).hash(password)),
    "sha512_crypt, short salt": lambda password: str(
        sha512_crypt.using(rounds=1000, salt_size=8).hash(password)
    ),
}


@pytest.mark.parametrize("password", [PASSWORD, LONG, "Kopi Tübrük 2021"])
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_an_old_hash_opens_to_its_password_and_becomes_the_portals_own(
    spelling: Callable[[str], str], password: str
) -> None:
    old = spelling(password)
    assert passwords.may_be_imported(old)

    kept = passwords.as_kept(old)

    read = read_old_hash(old)
    assert isinstance(read, OldHash)
    assert read.checksum not in kept
    assert old not in kept
    assert len(kept) <= 200
    is_right, better = passwords.verified(password, kept, {})
    assert is_right
    assert better is not None
    assert better.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verified(password, better, {}) == (True, None)
    assert passwords.verified(f"{password[:-1]}x"[-60:], kept, {}) == (False, None)
    assert passwords.verified("", kept, {}) == (False, None)


def test_what_bcrypt_never_saw_is_not_asked_for() -> None:
    kept = passwords.as_kept(of_bcrypt(LONG[:72]))

    assert passwords.verified(LONG, kept, {})[0]


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_password_with_nul_or_too_long_is_wrong_and_no_accident(spelling: Callable[[str], str]) -> None:
    kept = passwords.as_kept(spelling("Kopi Tubruk"))

    assert passwords.verified("Kopi\0Tubruk", kept, {}) == (False, None)
    assert passwords.verified("x" * 200, kept, {}) == (False, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rahasia",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$2x$12$" + "a" * 21 + "." + "a" * 31,
        "$2b$12$" + "a" * 53,  # bcrypt never ends a salt like this
        "$2b$03$" + "a" * 21 + "." + "a" * 31,
        "$2b$12$" + "a" * 21 + "." + "a" * 30,
        "bcrypt$$2b$12$" + "a" * 21 + "." + "a" * 31,
        "bcrypt_sha256$$2b$12$" + "a" * 21 + "." + "a" * 31,
        "pbkdf2_sha256$0$salt$" + "A" * 43 + "=",
        "pbkdf2_sha256$1000$$" + "A" * 43 + "=",
        "pbkdf2_sha256$١٠٠٠$salt$" + "A" * 43 + "=",
        "pbkdf2_sha1$1000$salt$" + "A" * 43 + "=",
        "$pbkdf2-sha512$1000$AAAA$" + "A" * 43,
        "$5$rounds=5000$salt$" + "a" * 43,
        "$6$rounds=999$salt$" + "a" * 86,
        "$6$salt$" + "a" * 85,
        "$6$" + "s" * 17 + "$" + "a" * 86,
        "$old$bcrypt$04$" + "." * 22 + "$argon2id$v=19$m=19456,t=2,p=1$" + "A" * 22 + "$" + "B" * 43,
    ],
)
def test_what_is_no_hash_of_a_known_scheme_is_not_read(text: str) -> None:
    assert read_old_hash(text) is None
    assert not passwords.may_be_imported(text)


@pytest.mark.parametrize(
    "text",
    [
        "$2b$13$" + "a" * 21 + "." + "a" * 31,
        "$2b$31$" + "a" * 21 + "." + "a" * 31,
        "pbkdf2_sha256$1200001$salt$" + "A" * 43 + "=",
        "$pbkdf2-sha256$9999999$AAAA$" + "A" * 43,
        "$6$rounds=700001$salt$" + "a" * 86,
    ],
)
def test_a_hash_for_which_everybody_would_wait_is_refused(text: str) -> None:
    assert read_old_hash(text) == TooDear()
    assert not passwords.may_be_imported(text)


def test_a_kept_hash_is_read_again_and_the_portals_own_is_none() -> None:
    kept = passwords.as_kept(of_bcrypt(PASSWORD, 5))

    read = read_kept_hash(kept)

    assert read is not None
    assert (read.recipe.kind, read.recipe.cost) == ("bcrypt", 5)
    assert read_kept_hash(passwords.hashed(PASSWORD)) is None


COSTS = {"bcrypt": 7, "pbkdf2_sha256": 5000, "sha512_crypt_16": 9000, "sha512_crypt_8": 2000}


@pytest.mark.parametrize(
    "own",
    [
        None,
        Recipe(Scheme.BCRYPT, 4, "." * 22),
        Recipe(Scheme.BCRYPT, 7, "." * 22),
        Recipe(Scheme.PBKDF2_SHA256, 1000, "AAAA"),
        Recipe(Scheme.PBKDF2_SHA256, 5000, "AAAA"),
        Recipe(Scheme.SHA512_CRYPT, 8999, "." * 16),
        Recipe(Scheme.SHA512_CRYPT, 2000, "." * 8),
    ],
)
def test_everybodys_try_costs_as_much_as_the_dearest_of_every_kind(
    own: Recipe | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: Counter[str] = Counter()
    made = old_schemes._made

    def count(recipe: Recipe, password: str) -> str:
        spent[recipe.kind] += 2**recipe.cost if recipe.scheme is Scheme.BCRYPT else recipe.cost
        return made(recipe, password)

    monkeypatch.setattr(old_schemes, "_made", count)

    checksum = old_schemes.checksum(PASSWORD, own, COSTS)

    assert spent == {
        "bcrypt": 2**7,
        "pbkdf2_sha256": 5000,
        "sha512_crypt_16": 9000 + 1000,
        "sha512_crypt_8": 2000 + 1000,
    }
    assert (checksum == "") == (own is None)
    assert own is None or hmac.compare_digest(checksum, made(own, PASSWORD))


def test_without_imported_hashes_nobody_pays_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> str:
        raise AssertionError

    monkeypatch.setattr(old_schemes, "_made", never)

    assert passwords.verified(PASSWORD, None, {}) == (False, None)
