"""The work of older schemes, so that a hash that was imported from one can be verified, and the time of it
tells nothing.

A try at an account with such a hash takes longer: bcrypt of cost 12 takes ten times as long as argon2id here.
So while there is any such hash, everybody's try takes as long. For each kind, the cost of the most expensive
hash is spent. An account with such a hash spends its own cost on its own salt, and the rest on nothing.
Everybody else, and a NIP that nobody has, spends all of it on a stand-in.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping

import bcrypt
from passlib.hash import sha512_crypt

from app.domain.old_hash import Recipe, Scheme

_LONGEST_OF_BCRYPT = 72  # bytes; the systems that made the hashes left out the rest
_LEAST_ROUNDS = 1000  # of sha512_crypt


def checksum(password: str, own: Recipe | None, costs: Mapping[str, int]) -> str:
    """The checksum by the `own` recipe, at the cost of the most expensive hash of every kind. `costs` holds
    that cost by kind."""
    made = ""
    for kind in sorted({*costs, own.kind} if own else costs):
        recipe = own if own and own.kind == kind else _stand_in(kind, costs[kind])
        result = _made(recipe, password)
        _spend(recipe, max(costs.get(kind, 0), recipe.cost), password)
        if recipe is own:
            made = result
    return made


def _stand_in(kind: str, cost: int) -> Recipe:
    if kind == Scheme.BCRYPT:
        return Recipe(Scheme.BCRYPT, cost, "." * 22)
    if kind == Scheme.PBKDF2_SHA256:
        return Recipe(Scheme.PBKDF2_SHA256, cost, b64encode(bytes(16)).decode())
    return Recipe(Scheme.SHA512_CRYPT, cost, "." * int(kind.rpartition("_")[2]))


def _made(recipe: Recipe, password: str) -> str:
    match recipe.scheme:
        case Scheme.BCRYPT:
            secret = password.encode()[:_LONGEST_OF_BCRYPT]
            return bcrypt.hashpw(secret, f"$2b${recipe.cost:02}${recipe.salt}".encode()).decode()[-31:]
        case Scheme.PBKDF2_SHA256:
            digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(recipe.salt), recipe.cost)
            return b64encode(digest).decode()
        case Scheme.SHA512_CRYPT:
            # The scheme does not know NUL; `passwords` refuses it afterwards
            without_nul = password.replace("\0", " ")
            return str(sha512_crypt.using(salt=recipe.salt, rounds=recipe.cost).hash(without_nul)).rpartition(
                "$"
            )[2]


def _spend(recipe: Recipe, dearest: int, password: str) -> None:
    """Spends the rest up to the most expensive hash of the kind."""
    match recipe.scheme:
        case Scheme.BCRYPT:  # 2^c + 2^c + 2^(c+1) + ... + 2^(d-1) = 2^d
            for cost in range(recipe.cost, dearest):
                _made(Recipe(Scheme.BCRYPT, cost, recipe.salt), password)
        case Scheme.PBKDF2_SHA256:
            if dearest > recipe.cost:
                _made(Recipe(recipe.scheme, dearest - recipe.cost, recipe.salt), password)
        # The scheme has a least number of rounds, which everybody spends in addition
        case Scheme.SHA512_CRYPT:
            _made(Recipe(recipe.scheme, dearest - recipe.cost + _LEAST_ROUNDS, recipe.salt), password)
