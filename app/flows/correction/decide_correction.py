"""An admin answers somebody's request for another address. The admin takes it in hand, and approves it or
rejects it with a reason."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.corrections import CorrectionState, IdentityCheck, read_ticket
from app.domain.email_address import EmailAddress
from app.domain.email_warnings import acknowledged_kinds
from app.domain.indonesian_time import today_in_jakarta
from app.domain.pusat_reports import ReportKind
from app.flows.correction.change_email import EmailDecision, Refusal, change_email
from app.flows.correction.review_correction import (
    CheckImpossible,
    ReviewedCorrection,
    WarningsNotAcknowledged,
    check_approval,
    review,
    review_many,
)
from app.mail import letters
from app.mail.report_to_pusat import report_to_pusat
from app.models.audit_event import Tag
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.taken_correction import TakenCorrection
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class AlreadyDecided:
    """There is an answer already, and it is a different one. `change` is what an approval has led to. If `by`
    is None, the portal has answered."""

    correction: EmailCorrection
    change: IdentityChange | None
    by: User | None


@dataclass(frozen=True)
class SameAnswer:
    """The same admin has sent the same answer before: a double click."""

    correction: EmailCorrection


@dataclass(frozen=True)
class NotOpened:
    """Nobody at the desk has looked at the request on its own page."""


@dataclass(frozen=True)
class InHandOfAnother:
    """A colleague has the request in hand, and is perhaps talking to the person just now."""

    taken: TakenCorrection


@dataclass(frozen=True)
class WaitsForPerson:
    """The desk has asked the person something, and there is no answer yet."""


@dataclass(frozen=True)
class OnlyAlone:
    """The request is not about an email. Each of these is looked at and decided on its own page."""


@dataclass(frozen=True)
class TwoOfOnePerson:
    """Two of the chosen requests are for one person, and at most one of them is right."""


@dataclass(frozen=True)
class Grounds:
    """The reasons for an approval. `seen` is the version of the account that was on the screen,
    `acknowledged` the marks of the warnings that the admin has ticked as checked."""

    identity_check: IdentityCheck
    note: str
    seen: int
    acknowledged: frozenset[str]


NotApproved = SameAnswer | AlreadyDecided | Refusal | CheckImpossible | WarningsNotAcknowledged
BusyElsewhere = InHandOfAnother | WaitsForPerson
NotByMany = NotOpened | OnlyAlone | TwoOfOnePerson | BusyElsewhere
NotRejected = SameAnswer | AlreadyDecided | OutOfReach | NotToTouch


def within_reach(session: Session, authority: Authority, correction_id: int) -> EmailCorrection | OutOfReach:
    """A request that this admin may look at. A request whose NIP nobody has is outside every admin's
    reach."""
    correction = EmailCorrection.with_id(session, correction_id)
    if correction is None or correction.user is None or correction.submitted_at is None:
        return OutOfReach()
    return correction if authority.covers(correction.user.instansi_id) else OutOfReach()


def with_ticket(session: Session, authority: Authority, typed: str) -> EmailCorrection | OutOfReach:
    """The request with this ticket number. It does not matter how the number was typed."""
    correction = EmailCorrection.with_ticket(session, read_ticket(typed))
    return within_reach(session, authority, correction.id) if correction else OutOfReach()


def open_correction(
    session: Session, correction_id: int, act: Act[Authority]
) -> EmailCorrection | OutOfReach:
    """Look at a request, with the details that the list hides. The look of an admin who may decide takes it
    in hand, unless a colleague has it. The first time, the person is told so."""
    seen = within_reach(session, act.by, correction_id)
    if isinstance(seen, OutOfReach):
        return seen
    person = User.with_id(session, seen.user_id or 0, lock=True)
    correction = EmailCorrection.with_id(session, correction_id, lock=True)
    if person is None or correction is None or not act.by.covers(person.instansi_id):
        return OutOfReach()
    may_decide = act.by.objection(session, person, today_in_jakarta(act.at)) is None
    if correction.state.is_open and may_decide:
        _take_in_hand(session, correction, act)
    audit.record(session, Tag.CORRECTION_OPENED, person, act, ticket=correction.ticket)
    return correction


def _take_in_hand(session: Session, correction: EmailCorrection, act: Act[Authority]) -> None:
    is_new = correction.state is CorrectionState.NEW
    if not correction.was_opened:
        correction.take_in_hand(act.by.admin.id, act.at)
        if is_new:  # else the portal itself has told the person, while the request was in nobody's queue
            letters.correction_in_hand(session, correction, act)
    waits_for_others = CorrectionQuestion.open_of(session, correction.id) or IdentityChange.awaits_second_for(
        session, correction.id
    )
    if not waits_for_others and TakenCorrection.of(session, correction.id, act.at) is None:
        TakenCorrection.take(session, correction.id, act.by.admin.id, act.at)


def approve(
    session: Session, correction_id: int, grounds: Grounds, delay: timedelta, act: Act[Authority]
) -> IdentityChange | NotApproved:
    """Put the requested address on record, now or after the delay, or hand the decision on to a second
    admin."""
    found = lock_to_decide(session, correction_id, act)
    if isinstance(found, AlreadyDecided):
        return _said_again(found, is_the_same=_has_approved(act.by, found, grounds))
    if not isinstance(found, EmailCorrection):
        return found
    if found.field.is_of_record:
        return OutOfReach()  # app/flows/people/decide_record_correction.py decides about these
    reviewed = review(session, act.by, found, act.at)
    if why := check_approval(
        session, reviewed.person, reviewed.warnings, grounds.identity_check, grounds.acknowledged, act
    ):
        return why
    return _approve_reviewed(session, reviewed, grounds, delay, act)


def approve_many(
    session: Session, grounds: Mapping[int, Grounds], delay: timedelta, act: Act[Authority]
) -> list[tuple[EmailCorrection, IdentityChange | NotApproved | NotByMany]]:
    """Approve several requests, named by their ids. Those that somebody has to look at one by one stay as
    they are."""
    chosen = chosen_within_reach(session, act.by, grounds)
    locked = {one.id: lock_to_decide(session, one.id, act) for one in chosen}
    reviewed = {
        one.correction.id: one
        for one in review_many(
            session, act.by, [one for one in locked.values() if isinstance(one, EmailCorrection)], act.at
        )
    }
    of_person = Counter(one.person.id for one in reviewed.values())
    outcomes: list[tuple[EmailCorrection, IdentityChange | NotApproved | NotByMany]] = []
    for one in chosen:
        found, reason = locked[one.id], grounds[one.id]
        if isinstance(found, AlreadyDecided):
            outcomes.append((one, _said_again(found, is_the_same=_has_approved(act.by, found, reason))))
        elif not isinstance(found, EmailCorrection):
            outcomes.append((one, found))
        elif why := needs_a_look(reviewed[one.id], act.by):
            outcomes.append((one, why))
        elif of_person[reviewed[one.id].person.id] > 1:
            outcomes.append((one, TwoOfOnePerson()))
        elif not reason.identity_check.is_possible(reviewed[one.id].person.phone):
            outcomes.append((one, CheckImpossible(reason.identity_check)))
        else:
            outcomes.append((one, _approve_reviewed(session, reviewed[one.id], reason, delay, act)))
    return outcomes


def needs_a_look(
    reviewed: ReviewedCorrection, authority: Authority
) -> NotOpened | BusyElsewhere | OnlyAlone | WarningsNotAcknowledged | None:
    """Why a request cannot be approved together with others: somebody has to look at it alone and acknowledge
    its warnings."""
    if not reviewed.correction.was_opened:
        return NotOpened()
    if busy := _busy_elsewhere(reviewed.taken, authority, awaits_answer=reviewed.awaits_answer):
        return busy
    if reviewed.correction.field.is_of_record:
        return OnlyAlone()
    return WarningsNotAcknowledged(reviewed.heavy) if reviewed.heavy else None


def reject(
    session: Session, correction_id: int, reason: str, act: Act[Authority]
) -> EmailCorrection | NotRejected:
    """Reject a request. The person reads the reason in the admin's words."""
    found = lock_to_decide(session, correction_id, act)
    if isinstance(found, AlreadyDecided):
        return _said_again(found, is_the_same=_has_rejected(act.by, found, reason))
    if not isinstance(found, EmailCorrection):
        return found
    found.decide(CorrectionState.REJECTED, reason, act.by.admin.id, act.at)
    CorrectionQuestion.close_of(session, found.id, act.at)
    audit.record(session, Tag.CORRECTION_REJECTED, found.user, act, ticket=found.ticket)
    letters.correction_rejected(session, found, act)
    return found


def reject_many(
    session: Session, ids: Collection[int], reason: str, act: Act[Authority]
) -> list[tuple[EmailCorrection, EmailCorrection | NotRejected | NotOpened | BusyElsewhere]]:
    """Reject several requests, if somebody has looked at them. Warnings do not prevent this: they are reasons
    to reject."""
    outcomes: list[tuple[EmailCorrection, EmailCorrection | NotRejected | NotOpened | BusyElsewhere]] = []
    for one in chosen_within_reach(session, act.by, ids):
        why = _not_to_reject_unseen(session, one, act)
        outcomes.append((one, why or reject(session, one.id, reason, act)))
    return outcomes


def _not_to_reject_unseen(
    session: Session, correction: EmailCorrection, act: Act[Authority]
) -> NotOpened | BusyElsewhere | None:
    if not correction.state.is_open or correction.user_id == act.by.admin.id:
        return None
    if not correction.was_opened:
        return NotOpened()
    return _busy_elsewhere(
        TakenCorrection.of(session, correction.id, act.at),
        act.by,
        awaits_answer=CorrectionQuestion.open_of(session, correction.id) is not None,
    )


def _busy_elsewhere(
    taken: TakenCorrection | None, authority: Authority, *, awaits_answer: bool
) -> BusyElsewhere | None:
    if awaits_answer:
        return WaitsForPerson()
    return InHandOfAnother(taken) if taken and taken.taken_by_id != authority.admin.id else None


def chosen_within_reach(
    session: Session, authority: Authority, ids: Collection[int]
) -> list[EmailCorrection]:
    """The requests among those ids that this admin may see, in the order in which people are locked. Nothing
    is said about the others."""
    found = EmailCorrection.with_ids(session, ids)
    return [
        one
        for one in found
        if one.user is not None and one.submitted_at and authority.covers(one.user.instansi_id)
    ]


def report_many(
    session: Session, words: str, done: Sequence[EmailCorrection | IdentityChange], act: Act[Authority]
) -> None:
    """Tell pusat about several decisions at once, and write them into the trail of each desk."""
    if len(done) > 1:
        counts = Counter(one.instansi_id for one in done if one.instansi_id is not None)
        concerned = {desk: count for desk, count in act.by.parts(counts).items() if count}
        audit.record_parts(session, Tag.BULK_ACT, concerned, act, what=words)
        report_to_pusat(session, ReportKind.CORRECTIONS, act.by.admin, words, len(done), act)


def _approve_reviewed(
    session: Session, reviewed: ReviewedCorrection, grounds: Grounds, delay: timedelta, act: Act[Authority]
) -> IdentityChange | Refusal:
    correction = reviewed.correction
    decision = EmailDecision(
        EmailAddress(correction.new_email), grounds.identity_check, grounds.note, grounds.seen
    )
    outcome = change_email(session, reviewed.person.id, decision, delay, act, correction)
    if isinstance(outcome, IdentityChange):
        CorrectionQuestion.close_of(session, correction.id, act.at)
        audit.record(
            session, Tag.CORRECTION_APPROVED, outcome.user, act, ticket=correction.ticket,
            check=grounds.identity_check,
            acknowledged=acknowledged_kinds(reviewed.warnings)
        )  # fmt: skip
    return outcome


def lock_to_decide(
    session: Session, correction_id: int, act: Act[Authority]
) -> EmailCorrection | AlreadyDecided | OutOfReach | NotToTouch:
    """The open request, with its person locked first. Anybody else who decides waits here and then learns
    what was decided."""
    seen = within_reach(session, act.by, correction_id)
    if isinstance(seen, OutOfReach):
        return seen
    person = act.by.person_to_act_on(session, seen.user_id or 0, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    correction = EmailCorrection.with_id(session, correction_id, lock=True)
    if correction is None:
        return OutOfReach()
    return decided_already(session, correction) or correction


def decided_already(session: Session, correction: EmailCorrection) -> AlreadyDecided | None:
    """What was decided about a request, even if it waits for a second admin. Its row is locked."""
    if correction.state.is_open and not IdentityChange.awaits_second_for(session, correction.id):
        return None
    change = IdentityChange.latest_of_correction(session, correction.id)
    return AlreadyDecided(
        correction, change, correction.decided_by or (change.decided_by if change else None)
    )


def _said_again(found: AlreadyDecided, *, is_the_same: bool) -> AlreadyDecided | SameAnswer:
    """A second answer changes nothing. If it differs from the first one, its admin has to learn that."""
    return SameAnswer(found.correction) if is_the_same else found


def _has_approved(authority: Authority, found: AlreadyDecided, grounds: Grounds) -> bool:
    change = found.change
    return (
        change is not None
        and found.correction.state is not CorrectionState.REJECTED
        and change.decided_by_id == authority.admin.id
        and (change.identity_check, change.reason) == (grounds.identity_check, grounds.note)
    )


def _has_rejected(authority: Authority, found: AlreadyDecided, reason: str) -> bool:
    correction = found.correction
    is_rejected = correction.state is CorrectionState.REJECTED
    return is_rejected and (correction.decided_by_id, correction.decision) == (authority.admin.id, reason)
