"""A CPNS who waits wants to know how long it usually takes until their instansi decides."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.models.cpns_wait import CpnsWait
from app.models.user import User

LOOKS_BACK = timedelta(days=365)
LAST_DECISIONS = 25
FEWEST_DECISIONS = 5  # fewer say nothing about what is usual, and something about single people


@dataclass(frozen=True)
class UsualWait:
    """Half of the last `decisions` of one instansi came within `half_within`."""

    half_within: timedelta
    decisions: int


def usual_wait(session: Session, instansi_id: int, now: datetime) -> UsualWait | None:
    """None if the instansi has decided about too few people in the last year."""
    hours = CpnsWait.last_of(session, instansi_id, now - LOOKS_BACK, LAST_DECISIONS)
    if len(hours) < FEWEST_DECISIONS:
        return None
    return UsualWait(timedelta(hours=max(1, median(hours))), len(hours))


def note_wait(session: Session, person: User, act: Act[object]) -> None:
    """The instansi decides now, so this person's wait is over. Called before the account changes."""
    waited = act.at - person.activation_changed_at
    hours = max(0, int(waited.total_seconds() // 3600))
    CpnsWait.note(session, person.instansi_id, act.at, hours, act.at - LOOKS_BACK)
