"""Where the limits per client address are counted: in Redis, and in this process while Redis is away.

Flask-Limiter's own way to do without Redis meets an error only while it asks whether there is room. An error
when a try is counted, or of a second thread at the same moment, would end in the page about a fault.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from time import monotonic, time
from typing import TypeVar, cast

from limits.storage import MemoryStorage, MovingWindowSupport, Storage, storage_from_string

log = logging.getLogger("portal")

SCHEME, SCHEME_OF_MEMORY = "redis-or-memory", "memory-of-this-process"
SECONDS_FOR_AN_ANSWER = 0.3
SECONDS_BETWEEN_TRIES = 2.0  # of which one request waits for an answer, and the others do not
SECONDS_BETWEEN_SWEEPS = 60.0
_TRIED = "tried"  # a counter of nobody

T = TypeVar("T")


def redis_at(uri: str, seconds: float) -> Storage:
    """The counters in Redis. Each question waits for so many seconds at most, and is asked once."""
    from redis.backoff import NoBackoff  # here, because most portals start without Redis
    from redis.retry import Retry

    patience = {"socket_connect_timeout": seconds, "socket_timeout": seconds}
    return cast(Storage, storage_from_string(uri, **patience, retry=Retry(NoBackoff(), 0)))  # type: ignore[arg-type]


class OwnMemory(MemoryStorage):
    """Counters in this process.

    Their base starts a thread at almost each count. It looks at the counts of all addresses, and keeps their
    names for good: so the more addresses a flood comes from, the dearer each request of everybody was. Here
    whoever counts first in a minute forgets what is old, names too. Nothing old is ever believed, so a limit
    is the same in between.
    """

    STORAGE_SCHEME = [SCHEME_OF_MEMORY]  # noqa: RUF012 (declared so by its base)

    def __init__(self, uri: str | None = None, *, wrap_exceptions: bool = False, **_others: str) -> None:
        """Flask-Limiter may hand over the options of counters that another app had before."""
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self.timer = _NoTimer(0, self._sweep)
        # One for all, because a lock of its own would be forgotten with a name while others wait for it
        lock = threading.RLock()
        self.locks = defaultdict(lambda: lock)
        self._swept_at = monotonic()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        if monotonic() > self._swept_at + SECONDS_BETWEEN_SWEEPS:
            self._swept_at = monotonic()
            self._sweep()
        return super().acquire_entry(key, limit, expiry, amount)

    def _sweep(self) -> None:
        for key in list(self.events):
            with self.locks[key]:  # for a moment only: those who count come in between
                lasting = [entry for entry in self.events.get(key, []) if entry.expiry >= time()]
                if lasting:
                    self.events[key] = lasting
                else:
                    self.clear(key)


class _NoTimer(threading.Timer):
    """Stands where the base looks for its thread, so that it starts none."""

    def is_alive(self) -> bool:
        return True


class RedisOrMemory(Storage, MovingWindowSupport):
    """Counters that are always there. After an error they are kept in memory, and Redis is tried again from
    time to time."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 (declared so by its base)

    def __init__(self, uri: str, *, redis: str, wrap_exceptions: bool = False) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._redis = redis_at(redis, SECONDS_FOR_AN_ANSWER)
        faults = self._redis.base_exceptions
        self._faults: tuple[type[Exception], ...] = (
            *(faults if isinstance(faults, tuple) else (faults,)),
            OSError,
        )
        self._memory = OwnMemory()
        self._noting = threading.Lock()
        self._is_away = False
        self._ask_again_at = 0.0

    def is_away(self) -> bool:
        """Whether Redis does not answer now."""
        self.acquire_entry(_TRIED, 1, 1)
        return self._is_away

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return self._asked(lambda there: _windows(there).acquire_entry(key, limit, expiry, amount))

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        return self._asked(lambda there: _windows(there).get_moving_window(key, limit, expiry))

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self._asked(lambda there: there.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        return self._asked(lambda there: there.get(key))

    def get_expiry(self, key: str) -> float:
        return self._asked(lambda there: there.get_expiry(key))

    def clear(self, key: str) -> None:
        self._asked(lambda there: there.clear(key))

    def reset(self) -> int | None:
        return self._asked(lambda there: there.reset())

    def check(self) -> bool:
        return not self.is_away()

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return self._redis.base_exceptions

    def _asked(self, ask: Callable[[Storage], T]) -> T:
        if self._may_answer():
            try:
                answer = ask(self._redis)
            except self._faults as fault:
                self._note_away(fault)
            else:
                self._note_there()
                return answer
        return ask(self._memory)

    def _may_answer(self) -> bool:
        with self._noting:
            if monotonic() < self._ask_again_at:
                return False
            if self._is_away:
                self._ask_again_at = monotonic() + SECONDS_BETWEEN_TRIES
            return True

    def _note_away(self, fault: Exception) -> None:
        with self._noting:
            if not self._is_away:
                fields = {"fault": type(fault).__name__}
                log.error(
                    "Redis does not answer, client addresses are counted in memory", extra={"fields": fields}
                )
            self._is_away, self._ask_again_at = True, monotonic() + SECONDS_BETWEEN_TRIES

    def _note_there(self) -> None:
        with self._noting:
            if self._is_away:
                log.warning("Redis answers again, and counts client addresses")
            self._is_away, self._ask_again_at = False, 0.0


def _windows(storage: Storage) -> MovingWindowSupport:
    return cast(MovingWindowSupport, storage)
