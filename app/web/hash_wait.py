"""Waiting for a hash: which views make one each time, and how long the sender of a request waits.

The time counts from the moment when the request was here.
"""

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from flask import request

from app.runtime.lanes import ARRIVED_AT, HAS_LEFT
from app.security.passwords import SECONDS_TO_WAIT, HashWait

View = TypeVar("View", bound=Callable[..., object])


def hashes_password(view: View) -> View:
    """Mark a view whose POST makes a hash each time. Such requests wait for each other, and no other request
    waits for them."""
    view.hashes_password = True  # type: ignore[attr-defined]
    return view


def hash_wait() -> HashWait:
    """The wait of whoever sent this request. If the server says nothing, it begins now and nobody leaves."""
    arrived_at: float = request.environ.get(ARRIVED_AT) or monotonic()
    return HashWait(arrived_at + SECONDS_TO_WAIT, request.environ.get(HAS_LEFT, lambda: False))
