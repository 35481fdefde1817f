"""What an act has done that the operator's figures count, noted in its session and counted once it is
committed: a flow knows nothing of figures, and what is rolled back is not counted."""

from enum import Enum, auto

from sqlalchemy.orm import Session

_NOTED = "noted"


class Noted(Enum):
    EVENT = auto()  # one row of the trail, by its tag
    LIMIT = auto()  # a limit had no room
    LETTER = auto()  # a mail was posted, by its letter
    HELD_LETTER = auto()  # the same, and a limit keeps it back


Note = tuple[Noted, str, int]  # what, which one, how many


def note(session: Session, what: Noted, which: str, how_many: int = 1) -> None:
    session.info.setdefault(_NOTED, []).append((what, which, how_many))


def take_notes(session: Session) -> list[Note]:
    """What was noted since this was last asked."""
    notes: list[Note] = session.info.pop(_NOTED, [])
    return notes
