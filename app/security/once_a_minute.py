"""The door for what anybody can do again and again at no cost: refusals, and the opening of a link.

Of what comes over one line, under one tag, about one thing, the first becomes a row of the trail at once. What follows
within the minute is counted and left out, and the next row says how many those were. Else a flood of requests would be a
flood of rows that are kept and sealed for ever. Counted in the memory of each process: a database that had to be asked
would be what the flood floods.

What a row is about is what was typed (a NIP, say), never what the table holds: whether a row is written must not depend
on whether there is such an account.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from app.domain.client import Client, line_of, mask_address
from app.models.audit_event import Tag

log = logging.getLogger("portal.trail")

A_MINUTE = timedelta(minutes=1)
MOST_KEPT = 10_000  # of the latest; the oldest is forgotten, and its next one is a row


@dataclass
class _Written:
    at: datetime
    left_out: int = 0


class OnceAMinute:
    """What has become a row in the last minute."""

    def __init__(self) -> None:
        self._written: OrderedDict[tuple[str, Tag, str], _Written] = OrderedDict()
        self._lock = Lock()

    def let_through(self, tag: Tag, about: str, client: Client, now: datetime) -> int | None:
        """How many were left out before this one, if it is to be a row; None if it is left out itself. Counts."""
        key = (line_of(client.address), tag, about)
        with self._lock:
            latest = self._written.get(key)
            if latest is None or not timedelta() <= now - latest.at < A_MINUTE:
                self._written[key] = _Written(now)
                self._written.move_to_end(key)
                if len(self._written) > MOST_KEPT:
                    self._written.popitem(last=False)
                return latest.left_out if latest else 0
            latest.left_out += 1
        log.info("left out of the trail", extra={"fields": {"tag": tag.value, "line": mask_address(client.address)}})
        return None
