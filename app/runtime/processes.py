"""Several processes that serve one address: copies of one process, which only keeps them running."""

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence

log = logging.getLogger("portal")

SECONDS_BEFORE_THE_NEXT = 1  # so that what cannot start does not take the whole machine

Start = Callable[[], int]


def keep_running(starts: Sequence[tuple[str, Start]], seconds_to_finish: float) -> None:
    """Start a process with each of these functions, which return its id, and replace each that ends. At
    SystemExit end them all, and return when they have ended, or were killed after `seconds_to_finish`."""
    running: dict[int, tuple[str, Start]] = {}
    try:
        for name, start in starts:
            running[start()] = name, start
        while True:
            ended, _ = os.wait()
            name, start = running.pop(ended)
            log.error("%s ended, starting another", name)
            time.sleep(SECONDS_BEFORE_THE_NEXT)
            running[start()] = name, start
    finally:
        _end(set(running), seconds_to_finish)


def copies_of(serve: Callable[[], None]) -> Start:
    """A function that lets a copy of this process `serve`. A copy has only the thread that asks for it, so
    this process must have no other. The copy ends when this process has ended, in whatever way."""
    gc.freeze()  # what is here now is shared by all copies, as long as nobody writes to it
    reading_end, writing_end = os.pipe()  # nothing is written; it closes with this process

    def start() -> int:
        if copy := os.fork():
            return copy
        try:
            os.close(writing_end)
            threading.Thread(target=_leave_when_closed, args=(reading_end,), daemon=True).start()
            serve()
            os._exit(0)
        except SystemExit:
            os._exit(0)
        except BaseException as fault:
            log.critical("accident", exc_info=fault)
        finally:
            os._exit(1)  # what the original process would do after this is not for its copies

    return start


def program(command: list[str]) -> Start:
    """A function that starts a program. Its standard input closes when this process has ended, in whatever
    way."""
    reading_end, _writing_end = os.pipe()

    def start() -> int:
        as_its_input = (os.POSIX_SPAWN_DUP2, reading_end, 0)
        return os.posix_spawn(command[0], command, os.environ, file_actions=[as_its_input])

    return start


def _leave_when_closed(pipe: int) -> None:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _end(running: set[int], seconds_to_finish: float) -> None:
    for process in running:
        os.kill(process, signal.SIGTERM)
    last_moment = time.monotonic() + seconds_to_finish
    while running and time.monotonic() < last_moment:
        ended, _ = os.waitpid(-1, os.WNOHANG)
        running.discard(ended)
        time.sleep(0 if ended else 0.05)
    for process in running:
        os.kill(process, signal.SIGKILL)
