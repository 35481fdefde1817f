"""An admin cannot decide yet, and asks the person who sent the request. The question goes to the mailbox that
was proven, and the answer is written on the page of the ticket.

A question tells its reader that somebody has this NIP, because the portal itself asks none about a NIP that
nobody has. So it may go only to somebody who has written the whole name on record into the form: such a
person knew that already. An owner who was logged in may always be asked.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.corrections import MOST_QUESTIONS
from app.domain.person_name import is_whole_name
from app.flows.correction.decide_correction import AlreadyDecided, lock_to_decide
from app.mail import letters
from app.models.audit_event import Tag
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.models.taken_correction import TakenCorrection
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class QuestionIsOpen:
    """An earlier question still waits for its answer."""


@dataclass(frozen=True)
class EnoughQuestions:
    """The person has been asked as often as anybody may be asked by mail."""


@dataclass(frozen=True)
class NameDoesNotMatch:
    """A question would tell a stranger that somebody has this NIP."""


NotAsked = QuestionIsOpen | EnoughQuestions | NameDoesNotMatch | AlreadyDecided | OutOfReach | NotToTouch


def ask_back(
    session: Session, correction_id: int, question: str, act: Act[Authority]
) -> CorrectionQuestion | NotAsked:
    """Ask the person. Until there is an answer, the request is in nobody's hand and in no admin's way."""
    correction = lock_to_decide(session, correction_id, act)
    if not isinstance(correction, EmailCorrection):
        return correction
    asked = CorrectionQuestion.of(session, correction.id)
    if asked and asked[-1].answered_at is None:
        is_sent_twice = (asked[-1].asked_by_id, asked[-1].question) == (act.by.admin.id, question)
        return asked[-1] if is_sent_twice else QuestionIsOpen()
    if why := why_not_to_ask(correction, len(asked)):
        return why
    sent = CorrectionQuestion(
        correction_id=correction.id, asked_by_id=act.by.admin.id, asked_at=act.at, question=question
    )
    session.add(sent)
    TakenCorrection.give_back(session, correction.id)
    audit.record(session, Tag.CORRECTION_QUESTION_SENT, correction.user, act, ticket=correction.ticket)
    letters.correction_question(session, correction, act)
    return sent


def why_not_to_ask(correction: EmailCorrection, asked: int) -> EnoughQuestions | NameDoesNotMatch | None:
    """Why nobody may ask about this request, after so many questions."""
    if asked >= MOST_QUESTIONS:
        return EnoughQuestions()
    if correction.field.is_of_record or correction.user is None:
        return None
    return None if is_whole_name(correction.name, correction.user.name) else NameDoesNotMatch()
