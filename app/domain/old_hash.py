"""Password hashes of older systems: how they are written, and how the portal keeps one.

The portal does not keep the older system's hash as it is: its checksum is hashed once more, so that a stolen
table is as hard to open as any other row of it. Scheme, cost and salt stand in front, readable, because the
checksum must be made again when the owner logs in.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from enum import StrEnum

# Checksums and salts of bcrypt end in the middle of a letter: only the letters that bcrypt itself writes
# there are read.
_BCRYPT = re.compile(
    r"\$2[aby]\$(?P<cost>[0-9]{2})\$(?P<salt>[./A-Za-z0-9]{21}[.Oeu])(?P<checksum>[./A-Za-z0-9]{30}[.CGKOSWaeimquy26])"
)
_PBKDF2 = re.compile(
    r"\$pbkdf2-sha256\$(?P<cost>[0-9]{1,7})\$(?P<salt>[./A-Za-z0-9]{1,43})\$(?P<checksum>[./A-Za-z0-9]{43})"
)
_PBKDF2_OF_DJANGO = re.compile(
    r"pbkdf2_sha256\$(?P<cost>[0-9]{1,7})\$(?P<salt>[!-#%-~]{1,32})\$(?P<checksum>[A-Za-z0-9+/]{43}=)"
)
_SHA512_CRYPT = re.compile(
    r"\$6\$(rounds=(?P<cost>[0-9]{1,7})\$)?(?P<salt>[./A-Za-z0-9]{0,16})\$(?P<checksum>[./A-Za-z0-9]{86})"
)
_ROUNDS_UNLESS_SAID = 5000  # of sha512_crypt, if the hash does not say
_KEPT = re.compile(r"\$old\$(?P<scheme>[a-z0-9_]+)\$(?P<cost>\d+)\$(?P<salt>[^$]*)(?P<hash>\$argon2id\$.+)")


class Scheme(StrEnum):
    BCRYPT = "bcrypt"
    PBKDF2_SHA256 = "pbkdf2_sha256"
    SHA512_CRYPT = "sha512_crypt"


# Every login of everybody takes as long as the most expensive hash that is here, see
# app/security/old_schemes.py. These costs keep that within a third of a second.
_COSTS = {
    Scheme.BCRYPT: range(4, 12 + 1),
    Scheme.PBKDF2_SHA256: range(1, 1_200_000 + 1),
    Scheme.SHA512_CRYPT: range(1000, 700_000 + 1),
}


@dataclass(frozen=True)
class Recipe:
    """How a checksum is made from a password."""

    scheme: Scheme
    cost: int
    salt: str  # as bcrypt and sha512_crypt write it; of pbkdf2 in base64

    @property
    def kind(self) -> str:
        """Recipes of one kind take a different time only because of their cost."""
        return f"{self.scheme}_{len(self.salt)}" if self.scheme is Scheme.SHA512_CRYPT else self.scheme


@dataclass(frozen=True)
class OldHash:
    """A hash as an older system kept it."""

    recipe: Recipe
    checksum: str

    def kept_as(self, hash_of_checksum: str) -> str:
        recipe = self.recipe
        return f"$old${recipe.scheme}${recipe.cost}${recipe.salt}{hash_of_checksum}"


@dataclass(frozen=True)
class TooDear:
    """With this hash, every login would take too long."""


@dataclass(frozen=True)
class KeptHash:
    """The same hash as the portal keeps it: `hash` is over the checksum."""

    recipe: Recipe
    hash: str


def read_old_hash(text: str) -> OldHash | TooDear | None:
    """None if the scheme is not known here."""
    read = _read_bcrypt(text) or _read_pbkdf2(text) or _read_sha512_crypt(text)
    if read is None:
        return None
    costs = _COSTS[read.recipe.scheme]
    if read.recipe.cost >= costs.stop:
        return TooDear()
    return read if read.recipe.cost in costs else None


def read_kept_hash(text: str) -> KeptHash | None:
    """None for the portal's own hashes."""
    found = _KEPT.fullmatch(text)
    return (
        KeptHash(Recipe(Scheme(found["scheme"]), int(found["cost"]), found["salt"]), found["hash"])
        if found
        else None
    )


def _read_bcrypt(text: str) -> OldHash | None:
    found = _BCRYPT.fullmatch(text)
    return (
        OldHash(Recipe(Scheme.BCRYPT, int(found["cost"]), found["salt"]), found["checksum"])
        if found
        else None
    )


def _read_pbkdf2(text: str) -> OldHash | None:
    """A hash as passlib or Django writes it."""
    try:
        if found := _PBKDF2.fullmatch(text):
            salt, checksum = (
                _decoded(found["salt"].replace(".", "+")),
                _decoded(found["checksum"].replace(".", "+")),
            )
        elif found := _PBKDF2_OF_DJANGO.fullmatch(text):
            salt, checksum = found["salt"].encode(), _decoded(found["checksum"].rstrip("="))
        else:
            return None
    except NotBase64:
        return None
    if len(salt) > 32 or len(checksum) != 32:
        return None
    recipe = Recipe(Scheme.PBKDF2_SHA256, int(found["cost"]), b64encode(salt).decode())
    return OldHash(recipe, b64encode(checksum).decode())


def _read_sha512_crypt(text: str) -> OldHash | None:
    found = _SHA512_CRYPT.fullmatch(text)
    if found is None:
        return None
    cost = int(found["cost"]) if found["cost"] else _ROUNDS_UNLESS_SAID
    return OldHash(Recipe(Scheme.SHA512_CRYPT, cost, found["salt"]), found["checksum"])


def _decoded(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
