"""Password hashes: argon2id through libpass, and never more at once than the machine can bear.

They are made by a few threads that do nothing else. A thread that has made a hash keeps its 19 MiB for the
next one, because to fetch that memory anew costs half as much as the hash itself. So the memory of a process
grows with the number of these threads, and not with the number of those that answer requests.
"""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from time import monotonic
from typing import TypeVar

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

SECONDS_TO_WAIT = 2.0  # for the beginning of a hash; people who wait longer send the form again
_cores = os.cpu_count() or 1
T = TypeVar("T")


class HashCounts:
    """What has become of the hashes that this process was asked for, for the operator's figures."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.asked = self.made = self.late = self.left = 0

    @property
    def waiting(self) -> int:
        return self.asked - self.made - self.late - self.left

    def note(self, *, asked: int = 0, made: int = 0, late: int = 0, left: int = 0) -> None:
        with self._lock:
            self.asked += asked
            self.made += made
            self.late += late
            self.left += left


hash_counts = HashCounts()


class Busy(Exception):
    """The hash could not begin in time, or nobody waits for it any more. Nothing was tried; it is right to
    ask again later."""


@dataclass(frozen=True)
class HashWait:
    """Who waits for a hash: until when (as `time.monotonic` counts), and whether they have left meanwhile."""

    until: float = field(default_factory=lambda: monotonic() + SECONDS_TO_WAIT)
    has_left: Callable[[], bool] = lambda: False

    @property
    def is_late(self) -> bool:
        return monotonic() > self.until


def hashed(password: str, wait: HashWait | None = None) -> str:
    """A hash of a new password; raises Busy. Never call this inside a transaction: it takes longer than a
    lock may."""
    return _when_a_thread_is_free(lambda: str(_context.hash(password)), wait or HashWait())


def verified(
    password: str, password_hash: str | None, old_costs: Mapping[str, int], wait: HashWait | None = None
) -> tuple[bool, str | None]:
    """Whether the password is right, and a better hash if the old one is outdated. Raises Busy.

    Without a hash (no such person, no password yet) the same work is done and the answer is no. `old_costs`
    holds the costs of the imported hashes of older schemes: that much is spent on every try of everybody.
    """
    return _when_a_thread_is_free(lambda: _verified(password, password_hash, old_costs), wait or HashWait())


def _verified(
    password: str, password_hash: str | None, old_costs: Mapping[str, int]
) -> tuple[bool, str | None]:
    kept = read_kept_hash(password_hash) if password_hash else None
    may_be_right = (
        password_hash is not None and len(password) <= LONGEST_PASSWORD and not (kept and "\0" in password)
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


def share_the_cores(processes: int) -> None:
    """So many processes make hashes on this machine. Say it before the first hash."""
    global _cores
    _cores = max(1, (os.cpu_count() or 1) // processes)
    _threads.cache_clear()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_cores, "hash")


os.register_at_fork(after_in_child=_threads.cache_clear)  # no thread lives on in a copy of the process


def _when_a_thread_is_free(work: Callable[[], T], wait: HashWait) -> T:
    """What `work` returns, done by one of the threads for hashes as soon as one is free."""

    def begin() -> T:
        if wait.is_late:
            hash_counts.note(late=1)
            raise Busy
        if wait.has_left():
            hash_counts.note(left=1)
            raise Busy
        hash_counts.note(made=1)
        return work()

    hash_counts.note(asked=1)
    waiting = _threads().submit(begin)
    try:
        return waiting.result(wait.until - monotonic())
    except TimeoutError:
        if waiting.cancel():
            hash_counts.note(late=1)
            raise Busy from None
        return waiting.result()  # it has begun
