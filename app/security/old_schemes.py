"""The work of older schemes, so that a hash that was imported from one can be verified, and the time of it
tells nothing.

A try at an account with such a hash takes longer: bcrypt of cost 12 ten times as long as argon2id here. So,
for as long as there is any, everybody's try takes as long: of each kind that is there the dearest is spent,
on the own salt as far as the own cost goes and on nothing for the rest; for everybody else, and for NIPs of
nobody, on a stand-in.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping

import bcrypt
from passlib.hash import sha512_crypt

from app.domain.old_hash import Recipe, Scheme

_LONGEST_OF_BCRYPT = 72  # bytes; what comes after was left out by the systems that made the hashes
_LEAST_ROUNDS = 1000  # of sha512_crypt


def checksum(password: str, own: Recipe | None, costs: Mapping[str, int]) -> str:
    """The checksum by the `own` recipe, at the price of the dearest of every kind. `costs` is that price, by
    kind."""
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
            # Which the scheme does not know; `passwords` refuses it afterwards
            without_nul = password.replace("\0", " ")
            return str(sha512_crypt.using(salt=recipe.salt, rounds=recipe.cost).hash(without_nul)).rpartition(
                "$"
            )[2]


def _spend(recipe: Recipe, dearest: int, password: str) -> None:
    """What is left to the dearest of the kind."""
    match recipe.scheme:
        case Scheme.BCRYPT:  # 2^c + 2^c + 2^(c+1) + ... + 2^(d-1) = 2^d
            for cost in range(recipe.cost, dearest):
                _made(Recipe(Scheme.BCRYPT, cost, recipe.salt), password)
        case Scheme.PBKDF2_SHA256:
            if dearest > recipe.cost:
                _made(Recipe(recipe.scheme, dearest - recipe.cost, recipe.salt), password)
        case Scheme.SHA512_CRYPT:  # which has a least number of rounds: that much more for everybody
            _made(Recipe(recipe.scheme, dearest - recipe.cost + _LEAST_ROUNDS, recipe.salt), password)
