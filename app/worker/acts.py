"""The acts of the worker: because the time has come, or for somebody who asked earlier."""

from app.domain.act import Act
from app.domain.client import WORKER, worker_for
from app.domain.indonesian_time import now


def act() -> Act[None]:
    return Act(WORKER, now(), None)


def act_for(address: str) -> Act[None]:
    """An act for the person who asked from this address."""
    return Act(worker_for(address), now(), None)
