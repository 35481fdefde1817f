"""Somebody outside sent a photo. A process of its own draws it anew, before anybody sees it and before it is
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
    Attachment,
    NotAnAttachment,
    Photo,
    is_redrawn,
)
from app.files.redraw_photo import NOTHING_TO_SEE

SECONDS_TO_WAIT = 4.0  # for a place; longer, and a queue of photos would hold every thread of the server
_MOST_SECONDS = (
    60.0  # by the clock; the limit of the process itself comes first, unless the machine has no time for it
)
_HOME = Path(__file__).parent
_places = BoundedSemaphore((os.cpu_count() or 1) + 1)


@dataclass(frozen=True)
class NoPlace:
    """All places for photos stayed taken for SECONDS_TO_WAIT, or the machine had no time for this one. That
    says nothing about the photo; sending it again later is right."""


def redrawn(photo: Photo) -> Attachment | NotAnAttachment | NoPlace:
    """The same picture without a word of what the camera wrote. Never inside a transaction: it takes longer
    than a lock may."""
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
    return Attachment("image/jpeg", jpeg)


def _drawn_by_another_process(content: bytes) -> tuple[bytes, int | None]:
    """What it writes, and how it ended; None where it was stopped by the clock. No setting or key of the
    portal is in its environment."""
    command = [sys.executable, "-I", str(_HOME / "redraw_photo.py")]
    with TemporaryFile() as file:  # without a name, so that nothing of it outlives this process
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
                process.stdout.close()  # one that would write on ends here
                process.wait()
            finally:
                process.kill()
                clock.cancel()
        return jpeg, None if is_late.is_set() else process.returncode
