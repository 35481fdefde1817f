"""What one connection has in hand: the mails that were claimed together, and how those already tried ended.

Two threads use it: the one that carries the mails, and the keeper, which looks after them while a server is
slow.
"""

import threading
from collections import deque
from collections.abc import Sequence
from time import monotonic

from app.domain.indonesian_time import now
from app.mail.outbox import Try
from app.mail.outcomes import Delivery, HandedOver
from app.models.outbox_mail import OutboxMail
from app.worker.bell import Bell

FIRST_AT_ONCE, MOST_AT_ONCE = 8, 64  # mails that are claimed in one transaction
SECONDS_AT_ONCE = 0.5  # then mails that were not tried go back: what was posted meanwhile may be more urgent


class Hand:
    def __init__(self, busy: Bell) -> None:
        """The bell calls the keeper."""
        self.busy = busy
        self.lock = threading.RLock()
        self.tries: list[Try] = []
        self.untried: deque[OutboxMail] = deque()
        self.current: OutboxMail | None = None
        self.room = FIRST_AT_ONCE  # how many mails to claim next
        self._claimed_at = self._begun_at = self._leased_at = monotonic()

    @property
    def is_empty(self) -> bool:
        return self.current is None and not self.tries and not self.untried

    def take(self, mails: Sequence[OutboxMail]) -> None:
        with self.lock:
            self.untried.extend(mails)
            self._claimed_at = self._leased_at = monotonic()
        if mails:
            self.busy.ring()

    def next(self) -> OutboxMail | None:
        """The next mail to try. None after a mail that was not taken, because what is known by then decides
        who is next; and when the time is over."""
        with self.lock:
            is_over = bool(self.tries) and (
                not isinstance(self.tries[-1].delivery, HandedOver)
                or monotonic() - self._claimed_at > SECONDS_AT_ONCE
            )
            if is_over or not self.untried:
                return None
            self.current, self._begun_at = self.untried.popleft(), monotonic()
            return self.current

    def note(self, delivery: Delivery) -> None:
        """How the current try ended."""
        with self.lock:
            assert self.current is not None
            self.tries.append(Try(self.current, delivery, now()))
            self.current = None

    def put_down(self) -> None:
        """Everything but the current mail is settled. The room grows while the server is quick, so that few
        mails go back."""
        taken = sum(isinstance(one.delivery, HandedOver) for one in self.tries)
        self.room = min(MOST_AT_ONCE, max(1, 2 * taken))
        self.tries.clear()
        self.untried.clear()

    def is_held_up(self, seconds: float) -> bool:
        """Whether one mail takes longer than this."""
        with self.lock:
            return self.current is not None and monotonic() - self._begun_at > seconds

    @property
    def lease_age(self) -> float:
        return monotonic() - self._leased_at

    def lease_is_new(self) -> None:
        self._leased_at = monotonic()
