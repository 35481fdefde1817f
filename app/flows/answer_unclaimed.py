"""The portal itself looks after the requests in nobody's queue, so that they move as those move that somebody reads.

A request for a NIP that nobody has is taken in hand and then rejected, with the words that admins use when the data do
not match. A request whose person exists is never answered here: it joins the queue of the desk, be it that the person
was imported meanwhile, or that it had to wait because too many came for one NIP.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.corrections import DATA_DO_NOT_MATCH, CorrectionState
from app.mail import letters
from app.models.audit_event import Tag
from app.models.correction_attachment import CorrectionAttachment
from app.models.email_correction import EmailCorrection
from app.models.user import User
from app.security import audit

MOST_OF_ONE_PERSON = 5  # in the queue of the desk, before those that had to wait may join it
_MOST_AT_ONCE = 200
_LONGEST_IN_HAND = timedelta(hours=2)
_PORTAL = Client("-", "worker", "-")


def answer_unclaimed(session: Session, now: datetime) -> int:
    """Answer what is due, and hand to the desk what has become somebody's. Returns how many were answered."""
    for person_id in EmailCorrection.waiting_people(session, MOST_OF_ONE_PERSON, _MOST_AT_ONCE):
        _hand_to_desk(session, person_id)
    answered = 0
    for correction in EmailCorrection.of_nobody(session, now + _LONGEST_IN_HAND, _MOST_AT_ONCE):
        if correction.answer_at is not None and correction.answer_at <= now:
            _reject(session, correction, now)
            answered += 1
        elif correction.state is CorrectionState.NEW and _hour_in_hand(correction) <= now:
            correction.take_in_hand(None, now)
            letters.correction_in_hand(session, correction, _PORTAL, now)
    return answered


def _hand_to_desk(session: Session, person_id: int) -> None:
    """Where there is room. Somebody whom another act holds just now gets them at the next round: nobody waits here."""
    free = select(User).where(User.id == person_id).with_for_update(of=User, skip_locked=True)
    person = session.scalars(free.execution_options(populate_existing=True)).one_or_none()
    room = MOST_OF_ONE_PERSON - EmailCorrection.count_open_of(session, person_id)
    if person is None or room <= 0:
        return
    for correction in EmailCorrection.waiting_for(session, person.shown_nip, room):
        correction.user_id, correction.instansi_id = person.id, person.instansi_id
    session.flush()


def _reject(session: Session, correction: EmailCorrection, now: datetime) -> None:
    correction.decide(CorrectionState.REJECTED, DATA_DO_NOT_MATCH, None, now)
    session.execute(delete(CorrectionAttachment).where(CorrectionAttachment.correction_id == correction.id))  # nobody looks
    audit.record(session, Tag.CORRECTION_REJECTED, None, _PORTAL, now, ticket=correction.ticket)
    letters.correction_rejected(session, correction, _PORTAL, now)


def _hour_in_hand(correction: EmailCorrection) -> datetime:
    """Ten minutes to two hours before the answer. It hangs on the second of the answer, which nobody is told: from anything
    on the ticket, its owner could tell an answer of the portal from one of the desk."""
    answer_at = correction.answer_at or correction.promised_by
    seconds_of_the_hour = answer_at.minute * 60 + answer_at.second
    return answer_at - timedelta(minutes=10 + seconds_of_the_hour * 7 % 110)
