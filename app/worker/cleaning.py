"""The worker cleans in small steps, each in a transaction of its own, so that others wait only a moment."""

import logging
from datetime import timedelta

from app.domain.act import Act
from app.flows.housekeeping import Chore, chores
from app.runtime.db import unit_of_work
from app.runtime.portal import portal

log = logging.getLogger("portal.worker")


class ChoresFailed(Exception):
    """These chores failed, and the others are done; the log holds the causes."""


def all_chores() -> dict[str, Chore]:
    """All chores by name, as this portal's settings ask for them."""
    settings = portal().settings
    return chores(
        timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_absolute_hours)
    )


def one_step(chore: Chore, act: Act[None]) -> int:
    with unit_of_work() as session:
        return chore(session, act)


def clean_up(act: Act[None]) -> dict[str, int]:
    """Do every chore, step after step, until nothing of it is left. Returns how many rows each has dealt
    with. Raises ChoresFailed."""
    dealt_with, failed = {}, []
    for name, chore in all_chores().items():
        dealt_with[name] = 0
        try:
            while step := one_step(chore, act):
                dealt_with[name] += step
        except Exception as fault:
            log.error("chore", exc_info=fault, extra={"fields": {"chore": name}})
            failed.append(name)
    if failed:
        raise ChoresFailed(", ".join(failed))
    return dealt_with
