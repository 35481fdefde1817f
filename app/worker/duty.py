"""What the worker does again and again."""

import logging
from collections.abc import Callable
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger("portal.worker")

SECONDS_BETWEEN_LOOKS = 0.3
SECONDS_AFTER_A_FAULT = 3.0


class Duty:
    """Something that the worker does again and again. When it fails, that is logged and it is tried again
    soon; the other duties do not hear of it."""

    def __init__(self, name: str, act: Callable[[], bool], rest: float = 0.0) -> None:
        """`act` says whether there is more to do at once; if not, it has `rest` seconds of time."""
        self._name, self._act, self._rest = name, act, rest
        self._due_at = monotonic()

    def do_if_due(self) -> None:
        if monotonic() < self._due_at:
            return
        try:
            pause = 0.0 if self._act() else self._rest
        except Exception as fault:  # nothing that was posted is lost by it
            kind = "database" if isinstance(fault, SQLAlchemyError) else "accident"
            log.error(kind, exc_info=fault, extra={"fields": {"duty": self._name}})
            pause = SECONDS_AFTER_A_FAULT
        self._due_at = monotonic() + pause
