"""What a process looks up again and again to show how it is doing: its lanes, its hashes, its connections to
the database, and what it costs the machine."""

import logging
import os
import resource
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time

from flask import Flask
from sqlalchemy import Engine

from app.runtime import measures
from app.runtime.db import CountingPool
from app.runtime.lanes import Lane
from app.security.passwords import hash_counts

log = logging.getLogger("portal")

SECONDS_BETWEEN_LOOKS = 2.0
_LOOKS_AT_LANES = 5  # before the next look at the process, which changes all the time, if only by looking


def look(app: Flask, part: str) -> None:
    """Show how this process is doing now. `part` is what it is: web or worker."""
    look_at_work(app, part)
    look_at_process(part)


def look_at_work(app: Flask, part: str) -> None:
    show_lanes(app.extensions.get("lanes", ()))
    show_connections(app.extensions["engine"], part)
    if part == measures.WEB:
        for outcome in measures.HASH_OUTCOMES:
            measures.show(measures.HASHES, getattr(hash_counts, outcome), outcome)
        measures.show(measures.HASHES_WAITING, hash_counts.waiting)


def show_lanes(lanes: Iterable[Lane]) -> None:
    for lane in lanes:
        measures.show(measures.LANE_WAITING, len(lane), lane.name)
        measures.show(measures.LANE_IN_WORK, lane.in_work, lane.name)
        measures.show(measures.LANE_REFUSED, lane.refused, lane.name)


def show_connections(engine: Engine, part: str) -> None:
    if isinstance(pool := engine.pool, CountingPool):
        measures.show(measures.CONNECTIONS_IN_USE, pool.checkedout(), part)
        measures.show(measures.CONNECTIONS, pool.checkedin() + pool.checkedout(), part)
        measures.show(measures.CONNECTION_WAITS, pool.waits, part)


def look_at_process(part: str) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    measures.show(measures.CPU_SECONDS, round(usage.ru_utime + usage.ru_stime, 2), part)
    measures.show(measures.PROCESSES, 1, part)
    of_self = Path("/proc/self")
    if of_self.exists():  # on Linux
        pages = int((of_self / "statm").read_text().split()[1])
        measures.show(measures.RESIDENT_BYTES, pages * resource.getpagesize(), part)
        measures.show(measures.OPEN_FILES, len(os.listdir(of_self / "fd")), part)  # noqa: PTH208 (quicker)


def note_start(part: str) -> None:
    measures.show(measures.STARTED_AT, round(time(), 1), part)


@contextmanager
def shown(app: Flask, part: str) -> Iterator[None]:
    """Show how this process is doing, to the others too, for as long as the block lasts."""
    is_over = threading.Event()
    note_start(part)

    def look_again_and_again() -> None:
        looks, can_write = 0, True
        while not is_over.wait(SECONDS_BETWEEN_LOOKS):
            try:
                look_at_work(app, part)
                if looks % (_LOOKS_AT_LANES + 1) == 0:
                    look_at_process(part)
                could_write, can_write = can_write, measures.write()
                if could_write and not can_write:
                    log.warning("the counts of this process cannot be written")
            except Exception as fault:  # the next look may succeed
                log.error("accident", exc_info=fault)
            looks += 1

    thread = threading.Thread(target=look_again_and_again, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(SECONDS_BETWEEN_LOOKS)
        look(app, part)
        measures.write()
