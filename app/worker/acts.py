"""What the worker does by itself: because its time has come, or for somebody who has asked for it before."""

from app.domain.act import Act
from app.domain.client import WORKER, worker_for
from app.domain.indonesian_time import now


def act() -> Act[None]:
    return Act(WORKER, now(), None)


def act_for(address: str) -> Act[None]:
    """For who has asked from this address."""
    return Act(worker_for(address), now(), None)
