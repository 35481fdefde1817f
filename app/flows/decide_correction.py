"""An admin answers somebody's wish for another address: takes it in hand, approves it, or rejects it with a reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.corrections import CorrectionState, IdentityCheck, read_ticket
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import today_in_jakarta
from app.flows.change_email import Decision, Refusal, change_email
from app.mail import letters
from app.models.audit_event import Tag
from app.models.email_change import EmailChange
from app.models.email_correction import EmailCorrection
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class AlreadyDecided:
    """Somebody was faster; the request says what was decided."""

    correction: EmailCorrection


@dataclass(frozen=True)
class Grounds:
    """On what an approval rests. `seen` is the account's version that was on the screen."""

    identity_check: IdentityCheck
    note: str
    seen: int


def within_reach(session: Session, authority: Authority, correction_id: int) -> EmailCorrection | OutOfReach:
    """A request to look at; one whose NIP nobody has reaches nobody."""
    correction = EmailCorrection.with_id(session, correction_id)
    if correction is None or correction.user is None or correction.submitted_at is None:
        return OutOfReach()
    return correction if authority.covers(correction.user.instansi_id) else OutOfReach()


def with_ticket(session: Session, authority: Authority, typed: str) -> EmailCorrection | OutOfReach:
    """The request with this ticket number, however it was typed."""
    correction = EmailCorrection.with_ticket(session, read_ticket(typed))
    return within_reach(session, authority, correction.id) if correction else OutOfReach()


def open_correction(
    session: Session, authority: Authority, correction_id: int, client: Client, now: datetime
) -> EmailCorrection | OutOfReach:
    """Look at a request, with what it hides in the list. The first look takes it in hand, and the person hears of it."""
    seen = within_reach(session, authority, correction_id)
    if isinstance(seen, OutOfReach):
        return seen
    person = User.with_id(session, seen.user_id or 0, lock=True)
    correction = EmailCorrection.with_id(session, correction_id, lock=True)
    if person is None or correction is None or not authority.covers(person.instansi_id):
        return OutOfReach()
    if correction.state is CorrectionState.NEW and person.id != authority.admin.id:
        correction.take_in_hand(authority.admin.id, now)
        letters.correction_in_hand(session, correction, client, now)
    audit.record(session, Tag.CORRECTION_OPENED, person, client, now, actor=authority.admin, ticket=correction.ticket)
    return correction


def approve(
    session: Session, authority: Authority, correction_id: int, grounds: Grounds, delay: timedelta, client: Client, now: datetime
) -> EmailChange | AlreadyDecided | Refusal:
    """Put the asked-for address on record, now or after the delay, or hand it on to a second admin."""
    found = _locked(session, authority, correction_id, now)
    if not isinstance(found, EmailCorrection):
        return found
    decision = Decision(EmailAddress(found.new_email), grounds.identity_check, grounds.note, grounds.seen)
    outcome = change_email(session, authority, found.user_id or 0, decision, delay, client, now, found)
    if isinstance(outcome, EmailChange):
        audit.record(
            session, Tag.CORRECTION_APPROVED, outcome.user, client, now, actor=authority.admin,
            ticket=found.ticket, check=grounds.identity_check,
        )  # fmt: skip
    return outcome


def reject(
    session: Session, authority: Authority, correction_id: int, reason: str, client: Client, now: datetime
) -> EmailCorrection | AlreadyDecided | OutOfReach | NotToTouch:
    """Answer no; the person is told the reason in the admin's words."""
    found = _locked(session, authority, correction_id, now)
    if not isinstance(found, EmailCorrection):
        return found
    found.decide(CorrectionState.REJECTED, reason, authority.admin.id, now)
    audit.record(session, Tag.CORRECTION_REJECTED, found.user, client, now, actor=authority.admin, ticket=found.ticket)
    letters.correction_rejected(session, found, client, now)
    return found


def report_many(
    session: Session,
    authority: Authority,
    words: str,
    done: Sequence[EmailCorrection | EmailChange],
    client: Client,
    now: datetime,
) -> None:
    """Several at once are told to the centre, and to the trail of each desk."""
    if len(done) > 1:
        counts = Counter(one.instansi_id for one in done if one.instansi_id is not None)
        concerned = {desk: count for desk, count in authority.parts(counts).items() if count}
        audit.record_parts(session, Tag.BULK_ACT, concerned, client, now, actor=authority.admin, what=words)
        letters.bulk_act(session, authority.admin, words, len(done), client, now)


def _locked(
    session: Session, authority: Authority, correction_id: int, now: datetime
) -> EmailCorrection | AlreadyDecided | OutOfReach | NotToTouch:
    """The open request, with its person locked first: whoever else decides waits here and is told what was decided."""
    seen = within_reach(session, authority, correction_id)
    if isinstance(seen, OutOfReach):
        return seen
    person = authority.person_to_act_on(session, seen.user_id or 0, today_in_jakarta(now))
    if not isinstance(person, User):
        return person
    correction = EmailCorrection.with_id(session, correction_id, lock=True)
    if correction is None:
        return OutOfReach()
    if not correction.state.is_open or EmailChange.awaits_second_for(session, correction.id):
        return AlreadyDecided(correction)
    return correction
