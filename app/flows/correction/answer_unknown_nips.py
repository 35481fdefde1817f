"""The portal itself answers the requests in nobody's queue, so that they look the same from outside as those
that somebody reads.

A request for a NIP that nobody has is taken in hand and then rejected, with the words that admins use when
the data do not match. A request whose person exists is never answered here. It joins the queue of the desk
when the person has been imported meanwhile, or when it had to wait because too many requests came for one
NIP. The requests that had to wait join the queue in turns, by where they came from.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.client import line_of, mask_address
from app.domain.corrections import DATA_DO_NOT_MATCH, CorrectionState
from app.domain.email_address import EmailAddress
from app.mail import letters
from app.models.audit_event import Tag
from app.models.correction_attachment import CorrectionAttachment
from app.models.email_correction import EmailCorrection, Sender
from app.models.user import User
from app.security import audit

# Requests in the queue of the desk; below this number, requests that had to wait may join it
MOST_OF_ONE_PERSON = 5
# The first request from a network that has none in the queue joins it even so: twenty false requests from one
# sender do not keep the owner out.
MOST_NETWORKS_OF_ONE_PERSON = 40
_MOST_LOOKED_AT = 20_000  # requests that wait for one person; three small columns of each are read
_MOST_AT_ONCE = 200
_LONGEST_IN_HAND = timedelta(hours=2)


def answer_unknown_nips(session: Session, act: Act[None]) -> int:
    """Answer the requests that are due, and hand those whose person now exists to the desk. Returns how many
    were answered."""
    with_room = EmailCorrection.waiting_people(session, MOST_OF_ONE_PERSON, _MOST_AT_ONCE)
    with_many = EmailCorrection.waiting_people(
        session, MOST_NETWORKS_OF_ONE_PERSON, _MOST_AT_ONCE, fewest=MOST_OF_ONE_PERSON
    )
    for person_id in (*with_room, *with_many):
        _hand_to_desk(session, person_id)
    answered = 0
    for correction in EmailCorrection.of_nobody(session, act.at + _LONGEST_IN_HAND, _MOST_AT_ONCE):
        if correction.answer_at is not None and correction.answer_at <= act.at:
            _reject(session, correction, act)
            answered += 1
        elif correction.state is CorrectionState.NEW and _hour_in_hand(correction) <= act.at:
            correction.take_in_hand(None, act.at)
            letters.correction_in_hand(session, correction, act)
    return answered


def _hand_to_desk(session: Session, person_id: int) -> None:
    """Hand over as many requests as there is room for. If another act has locked the person just now, the
    next round does it: nothing waits here."""
    free = select(User).where(User.id == person_id).with_for_update(of=User, skip_locked=True)
    person = session.scalars(free.execution_options(populate_existing=True)).one_or_none()
    if person is None:
        return
    waiting = EmailCorrection.waiting_for(session, person.shown_nip, _MOST_LOOKED_AT)
    whose_turn = by_turns(waiting, EmailCorrection.in_queue_about(session, person_id))
    for correction in EmailCorrection.to_hand_over(session, [one.correction_id for one in whose_turn]):
        correction.user_id, correction.instansi_id = person.id, person.instansi_id
    session.flush()


def by_turns(waiting: Sequence[Sender], in_queue: Sequence[Sender]) -> list[Sender]:
    """Which waiting requests join the queue. The next one is always the one whose line has the fewest
    requests in the queue, then the same for network, mailbox and mail domain. Only if all these are equal
    does the order of `waiting` decide. A sender of many requests waits behind a sender of one."""
    there, left, chosen = Counter[tuple[str, str]](), list(waiting), list[Sender]()
    for sender in in_queue:
        there.update(_in_common(sender))
    while left and len(in_queue) + len(chosen) < MOST_NETWORKS_OF_ONE_PERSON:
        sender = min(left, key=lambda one: [there[kind] for kind in _in_common(one)])
        _, network, *_ = _in_common(sender)
        if len(in_queue) + len(chosen) >= MOST_OF_ONE_PERSON and there[network]:
            left = [one for one in left if not there[_in_common(one)[1]]]
            continue
        left.remove(sender)
        chosen.append(sender)
        there.update(_in_common(sender))
    return chosen


def _in_common(sender: Sender) -> tuple[tuple[str, str], ...]:
    """What a request has in common with others of the same sender."""
    mailbox = EmailAddress(sender.new_email).mailbox
    return (
        ("line", line_of(sender.client_address)),
        ("network", mask_address(sender.client_address)),
        ("mailbox", mailbox),
        ("domain", mailbox.partition("@")[2]),
    )


def _reject(session: Session, correction: EmailCorrection, act: Act[None]) -> None:
    correction.decide(CorrectionState.REJECTED, DATA_DO_NOT_MATCH, None, act.at)
    # Nobody will look at the file
    session.execute(delete(CorrectionAttachment).where(CorrectionAttachment.correction_id == correction.id))
    audit.record(session, Tag.CORRECTION_REJECTED, None, act, ticket=correction.ticket)
    letters.correction_rejected(session, correction, act)


def _hour_in_hand(correction: EmailCorrection) -> datetime:
    """When the request is taken in hand: ten minutes to two hours before the answer. It is computed from the
    minute and second of the answer, which nobody is told. If it were computed from anything on the ticket,
    the ticket's owner could tell an answer of the portal from one of the desk."""
    answer_at = correction.answer_at or correction.promised_by
    seconds_of_the_hour = answer_at.minute * 60 + answer_at.second
    return answer_at - timedelta(minutes=10 + seconds_of_the_hour * 7 % 110)
