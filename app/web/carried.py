"""What one page of the flow leaves for the next one in this browser, for half an hour: the NIP that was
typed, and that a password has just been set.

Nothing of this is in an address, so no log and no history holds it. It follows from what was typed alone, and
says nothing about whether there is an account.
"""

from dataclasses import dataclass
from time import time

from flask import session

from app.domain.nip import Nip

_SECONDS = 30 * 60
_NIP, _JUST_SET = "nip", "just_set"


@dataclass(frozen=True)
class JustSet:
    """A password was set in this browser. `waits`: the account does not open yet."""

    waits: bool


def carry_nip(nip: Nip) -> None:
    session[_NIP] = {"nip": nip.digits, "until": _end()}


def carried_nip() -> str:
    """The NIP that was last typed here; empty if there is none."""
    kept = session.get(_NIP)
    return str(kept["nip"]) if kept and time() < kept["until"] else ""


def drop_nip() -> None:
    """Another person goes on in this browser."""
    session.pop(_NIP, None)


def note_just_set(*, waits: bool) -> None:
    session[_JUST_SET] = {"waits": waits, "until": _end()}


def just_set() -> JustSet | None:
    kept = session.get(_JUST_SET)
    return JustSet(kept["waits"]) if kept and time() < kept["until"] else None


def forget_just_set() -> None:
    session.pop(_JUST_SET, None)


def _end() -> int:
    return int(time()) + _SECONDS
