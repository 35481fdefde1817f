"""What the worker does again and again."""

import logging
from collections.abc import Callable
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from app.runtime import measures

log = logging.getLogger("portal.worker")

SECONDS_AFTER_A_FAULT = 3.0


class Duty:
    """Something that the worker does again and again. When it fails, the failure is logged and the duty is
    tried again soon; the other duties are not affected."""

    def __init__(
        self, name: str, act: Callable[[], bool], rest: float, *, gap: float | None = None, pause: float = 0.0
    ) -> None:
        """`act` returns whether there is more to do; then it is done again after `pause` seconds. Otherwise
        the duty rests for `rest` seconds. A duty with a `gap` can be called before, but not before so many
        seconds."""
        self._name, self._act, self._rest, self._gap, self._pause = name, act, rest, gap, pause
        self._is_called = False
        self._due_at = self._due_if_called = monotonic()

    def call(self) -> None:
        """Somebody has written to the database, so there may be something to do."""
        self._is_called = True

    @property
    def seconds_left(self) -> float:
        due_at = self._due_if_called if self._is_called and self._gap is not None else self._due_at
        return max(0.0, due_at - monotonic())

    def do_if_due(self) -> None:
        if self.seconds_left > 0:
            return
        self._is_called = False
        try:
            has_more = self._act()
            rest, gap = (self._pause, self._pause) if has_more else (self._rest, self._gap or 0.0)
        except Exception as fault:  # the failure loses no mail of the outbox
            measures.count(measures.DUTY_FAULTS, self._name)
            kind = "database" if isinstance(fault, SQLAlchemyError) else "accident"
            log.error(kind, exc_info=fault, extra={"fields": {"duty": self._name}})
            rest = gap = SECONDS_AFTER_A_FAULT
        self._due_at, self._due_if_called = monotonic() + rest, monotonic() + gap
