"""The door for what anybody can do again and again at no cost: refusals, and the opening of a link.

Of all events on one line, with one tag, about one thing, the first becomes a row of the trail at once. Those
that follow within the minute are counted and left out, and the next row says how many they were. Otherwise a
flood of requests would become a flood of rows that are kept and sealed for ever. The counts are in the memory
of each process: otherwise each request of the flood would have to ask the database.

An owner of a site of IPv6 (48 bits) has 65,536 lines. The first rows of such a site within the minute are
those of its lines. After those, there is one row for all of them, whatever it is about.

A row is about what was typed (a NIP, say), never about what the table holds: whether a row is written must
not depend on whether such an account exists.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from app.domain.act import Act
from app.domain.client import line_of, mask_address, site_of
from app.models.audit_event import Tag

log = logging.getLogger("portal.trail")

A_MINUTE = timedelta(minutes=1)
MOST_KEPT = 10_000  # only the latest; the oldest is forgotten, and its next event is a row again
ROWS_OF_A_SITE = 60  # with one tag within the minute: several times what one guesser's limits allow


@dataclass
class _Written:
    at: datetime
    left_out: int = 0


@dataclass
class _Counted:
    since: datetime
    rows: int = 0


class OnceAMinute:
    """What has become a row in the last minute."""

    def __init__(self) -> None:
        self._written: OrderedDict[tuple[str, Tag, str], _Written] = OrderedDict()
        self._of_sites: OrderedDict[tuple[str, Tag], _Counted] = OrderedDict()
        self._lock = Lock()

    def let_through(self, tag: Tag, about: str, act: Act[object]) -> int | None:
        """How many events were left out before this one, if this one becomes a row; None if this one is left
        out too. This counts it."""
        line, site = line_of(act.client.address), site_of(act.client.address)
        with self._lock:
            key = (site, tag, "") if self._has_had_its_rows(site, tag, act.at) else (line, tag, about)
            latest = self._written.get(key)
            if latest is None or not _is_within_the_minute(latest.at, act.at):
                if line != site:
                    self._count_row(site, tag, act.at)
                self._written[key] = _Written(act.at)
                self._written.move_to_end(key)
                if len(self._written) > MOST_KEPT:
                    self._written.popitem(last=False)
                return latest.left_out if latest else 0
            latest.left_out += 1
        log.info(
            "left out of the trail",
            extra={"fields": {"tag": tag.value, "line": mask_address(act.client.address)}},
        )
        return None

    def _has_had_its_rows(self, site: str, tag: Tag, now: datetime) -> bool:
        counted = self._of_sites.get((site, tag))
        return (
            counted is not None
            and _is_within_the_minute(counted.since, now)
            and counted.rows >= ROWS_OF_A_SITE
        )

    def _count_row(self, site: str, tag: Tag, now: datetime) -> None:
        counted = self._of_sites.get((site, tag))
        if counted is None or not _is_within_the_minute(counted.since, now):
            counted = self._of_sites[site, tag] = _Counted(now)
            self._of_sites.move_to_end((site, tag))
            if len(self._of_sites) > MOST_KEPT:
                self._of_sites.popitem(last=False)
        counted.rows += 1


def _is_within_the_minute(moment: datetime, now: datetime) -> bool:
    return timedelta() <= now - moment < A_MINUTE
