"""Password hashes: argon2id through libpass, and never more at once than the machine can bear."""

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from passlib.context import CryptContext
from passlib.hash import argon2

from app.domain.old_hash import OldHash, read_kept_hash, read_old_hash
from app.domain.password_policy import LONGEST_PASSWORD
from app.security import old_schemes

# OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane; 20-25 ms on the machines of this
# project.
_ARGON2 = {
    "argon2__type": "ID",
    "argon2__memory_cost": 19456,
    "argon2__time_cost": 2,
    "argon2__parallelism": 1,
}
_context = CryptContext(schemes=["argon2"], **_ARGON2)
# A salt of 16 bytes and a digest of 32
_SAME_KIND = re.compile(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}")

SECONDS_TO_WAIT = 2.0  # with a longer wait, a queue of logins would block every thread of the server
_slots = BoundedSemaphore((os.cpu_count() or 1) + 1)


class Busy(Exception):
    """All places for hashing stayed taken for SECONDS_TO_WAIT. Nothing was tried; it is right to ask again
    later."""


def hashed(password: str) -> str:
    """A hash of a new password; raises Busy. Never call this inside a transaction: it takes longer than a
    lock may."""
    with _a_slot():
        return str(_context.hash(password))


def verified(
    password: str, password_hash: str | None, old_costs: Mapping[str, int]
) -> tuple[bool, str | None]:
    """Whether the password is right, and a better hash if the old one is outdated. Raises Busy.

    Without a hash (no such person, no password yet) the same work is done and the answer is no. `old_costs`
    holds the costs of the imported hashes of older schemes: that much is spent on every try of everybody.
    """
    with _a_slot():
        kept = read_kept_hash(password_hash) if password_hash else None
        may_be_right = (
            password_hash is not None
            and len(password) <= LONGEST_PASSWORD
            and not (kept and "\0" in password)
        )
        typed = password[:LONGEST_PASSWORD]
        checksum = old_schemes.checksum(typed, kept.recipe if kept else None, old_costs)
        own_hash = kept.hash if kept else password_hash or _of_nobody()
        is_right, better_hash = _context.verify_and_update(checksum if kept else typed, own_hash)
        if not is_right or not may_be_right:
            return False, None
        return True, str(_context.hash(password)) if kept else better_hash


@cache
def _of_nobody() -> str:
    """A hash that is used when there is none; it is made from something that nobody types."""
    return str(_context.hash(secrets.token_hex(32)))


def may_be_imported(password_hash: str) -> bool:
    """Whether a hash from elsewhere can be verified here: one of an older scheme, or argon2id with exactly
    the parameters of this portal. Other parameters of argon2id would take a different time and so tell that
    the account exists."""
    if isinstance(read_old_hash(password_hash), OldHash):
        return True
    if not _SAME_KIND.fullmatch(password_hash):
        return False
    try:
        argon2.verify("", password_hash)  # this finds letters that are no whole bytes
    except ValueError:
        return False
    return True


def as_kept(password_hash: str) -> str:
    """An imported hash as the portal keeps it: a hash of an older scheme is hashed once more. Raises Busy; as
    slow as `hashed`."""
    old = read_old_hash(password_hash)
    return old.kept_as(hashed(old.checksum)) if isinstance(old, OldHash) else password_hash


@contextmanager
def _a_slot() -> Iterator[None]:
    if not _slots.acquire(timeout=SECONDS_TO_WAIT):
        raise Busy
    try:
        yield
    finally:
        _slots.release()
