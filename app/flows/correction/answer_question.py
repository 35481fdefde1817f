"""Somebody answers a question of the desk on the page of their ticket. The link in the mail opens that page,
so whoever answers has the mailbox that was proven. The request then waits again at its old place."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.attachment import Attachment
from app.domain.nip import Nip
from app.flows.correction.request_correction import count_file, keep_file
from app.models.audit_event import Tag
from app.models.correction_attachment import CorrectionAttachment
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.user import User
from app.security import audit


@dataclass(frozen=True)
class IsDecided:
    """The desk has decided meanwhile, so an answer changes nothing."""


@dataclass(frozen=True)
class AwaitsSecond:
    """One admin has approved, and a second one looks at the request: an answer comes too late."""


@dataclass(frozen=True)
class NothingIsAsked:
    """No question is open: it was answered in another tab, or never asked."""


@dataclass(frozen=True)
class NotItsOwner:
    """The request was sent from an account, and its owner is not logged in here."""


NotAnswered = IsDecided | AwaitsSecond | NothingIsAsked | NotItsOwner


def answer_question(
    session: Session, reference: str, words: str, file: Attachment | None, act: Act[User | None]
) -> EmailCorrection | NotAnswered | None:
    """Take the answer. Without a place for the file, the answer stays, and its sender is told so. None if
    there is no such request."""
    seen = EmailCorrection.with_reference(session, reference)
    if seen is None:
        return None
    if seen.user_id:
        User.with_id(session, seen.user_id, lock=True)
    correction = EmailCorrection.with_reference(session, reference, lock=True)
    if correction is None:
        return None
    if not may_answer(correction, act.by):
        return NotItsOwner()
    if correction.state.is_decided:
        return IsDecided()
    if IdentityChange.awaits_second_for(session, correction.id):
        return AwaitsSecond()
    question = CorrectionQuestion.open_of(session, correction.id)
    if question is None:
        return NothingIsAsked()
    question.take_answer(words, act.at)
    if file and CorrectionAttachment.of(session, correction.id) is None:
        correction.file_not_kept = not count_file(session, Nip(correction.nip), act)
        if not correction.file_not_kept:
            keep_file(session, correction, file, act.at)
    audit.record(
        session, Tag.CORRECTION_QUESTION_ANSWERED, correction.user, act, ticket=correction.ticket
    )  # fmt: skip
    return correction


def may_answer(correction: EmailCorrection, visitor: User | None) -> bool:
    """Whether the link is enough. A correction of the record says more to its owner than its link does:
    whoever reads an old mailbox of theirs must not answer for them."""
    return not correction.field.is_of_record or (visitor is not None and visitor.id == correction.user_id)
