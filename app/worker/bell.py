"""Wakes a thread of the worker that rests."""

import threading


class Bell:
    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, seconds: float | None) -> bool:
        """Rest until somebody rings, or this time is over. Whether somebody rang."""
        was_rung = self._rung.wait(seconds)
        self._rung.clear()
        return was_rung
