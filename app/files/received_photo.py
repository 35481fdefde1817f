"""Somebody outside sent a photo. A separate process draws it anew, before anybody sees it and before it is
kept."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import BoundedSemaphore, Event, Timer

from app.domain.attachment import (
    BROKEN_PICTURE,
    CUT_PICTURE,
    LONGEST_ATTACHMENT,
    REDRAWN_AS,
    Attachment,
    NotAnAttachment,
    Photo,
    is_redrawn,
)

# For a place; with a longer wait, a queue of photos would block every thread of the server
SECONDS_TO_WAIT = 4.0
# By the clock; the limit of the process itself comes first, unless the machine is too busy to run it
_MOST_SECONDS = 60.0
NOTHING_TO_SEE = 3  # exit code of redraw_photo.py, which is not imported here, because it loads Pillow
_HOME = Path(__file__).parent
_places = BoundedSemaphore((os.cpu_count() or 1) + 1)


@dataclass(frozen=True)
class NoPlace:
    """All places for photos stayed taken for SECONDS_TO_WAIT, or the machine was too busy for this one. That
    says nothing about the photo; it is right to send it again later."""


def redrawn(photo: Photo) -> Attachment | NotAnAttachment | NoPlace:
    """The same picture without anything that the camera wrote. Never call this inside a transaction: it takes
    longer than a lock may."""
    if not _places.acquire(timeout=SECONDS_TO_WAIT):
        return NoPlace()
    try:
        jpeg, exit_code = _drawn_by_another_process(photo.content)
    finally:
        _places.release()
    if exit_code is None:
        return NoPlace()
    if exit_code == NOTHING_TO_SEE:
        return CUT_PICTURE
    if exit_code != 0 or len(jpeg) > LONGEST_ATTACHMENT or not is_redrawn(jpeg):
        return BROKEN_PICTURE
    return Attachment(REDRAWN_AS, jpeg)


def _drawn_by_another_process(content: bytes) -> tuple[bytes, int | None]:
    """What the process writes, and how it ended; None if the clock stopped it. Its environment has no setting
    or key of the portal."""
    command = [sys.executable, "-I", str(_HOME / "redraw_photo.py")]
    with TemporaryFile() as file:  # the file has no name, so that nothing of it stays after this process
        file.write(content)
        file.seek(0)
        process = subprocess.Popen(
            command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd=_HOME
        )
        with process:
            assert process.stdout is not None
            is_late = Event()

            def stop() -> None:
                is_late.set()
                process.kill()

            clock = Timer(_MOST_SECONDS, stop)
            clock.start()
            try:
                jpeg = process.stdout.read(LONGEST_ATTACHMENT + 1)
                process.stdout.close()  # this ends a process that still writes
                process.wait()
            finally:
                process.kill()
                clock.cancel()
        return jpeg, None if is_late.is_set() else process.returncode
