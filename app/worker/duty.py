"""What the worker does again and again."""

import logging
from collections.abc import Callable
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger("portal.worker")

SECONDS_BETWEEN_LOOKS = 0.3
SECONDS_AFTER_A_FAULT = 3.0


class Duty:
    """Something that the worker does again and again. When it fails, the failure is logged and the duty is
    tried again soon; the other duties are not affected."""

    def __init__(self, name: str, act: Callable[[], bool], rest: float = 0.0) -> None:
        """`act` returns whether there is more to do at once; if not, the duty rests for `rest` seconds."""
        self._name, self._act, self._rest = name, act, rest
        self._due_at = monotonic()

    def do_if_due(self) -> None:
        if monotonic() < self._due_at:
            return
        try:
            pause = 0.0 if self._act() else self._rest
        except Exception as fault:  # the failure loses no mail of the outbox
            kind = "database" if isinstance(fault, SQLAlchemyError) else "accident"
            log.error(kind, exc_info=fault, extra={"fields": {"duty": self._name}})
            pause = SECONDS_AFTER_A_FAULT
        self._due_at = monotonic() + pause
