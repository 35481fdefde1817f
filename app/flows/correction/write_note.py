"""An admin writes down something about a request for the colleagues at the desk: who called, what is still to
come. The person who asked never reads it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.corrections import MOST_NOTES
from app.flows.correction.decide_correction import AlreadyDecided, lock_to_decide
from app.models.audit_event import Tag
from app.models.correction_note import CorrectionNote
from app.models.email_correction import EmailCorrection
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class EnoughNotes:
    """Nobody reads through more."""


def write_note(
    session: Session, correction_id: int, words: str, act: Act[Authority]
) -> CorrectionNote | EnoughNotes | AlreadyDecided | OutOfReach | NotToTouch:
    """Add a note to a request that is still open. The same note sent twice is one."""
    found = lock_to_decide(session, correction_id, act)
    match found:
        case EmailCorrection():
            correction = found
        case AlreadyDecided(correction) if correction.state.is_open:
            pass  # a second admin is still to decide, and reads it
        case _:
            return found
    notes = CorrectionNote.of(session, correction.id)
    if notes and (notes[-1].written_by_id, notes[-1].words) == (act.by.admin.id, words):
        return notes[-1]
    if len(notes) >= MOST_NOTES:
        return EnoughNotes()
    note = CorrectionNote(
        correction_id=correction.id, written_by_id=act.by.admin.id, written_at=act.at, words=words
    )
    session.add(note)
    audit.record(session, Tag.CORRECTION_NOTED, correction.user, act, ticket=correction.ticket)
    return note
