"""What an admin should know before a decision on another address, because the form proves only the new
mailbox.

The result is a list of warnings (app/domain/email_warnings.py). An admin who approves has to acknowledge each
heavy one. The warnings are looked up again in the transaction that decides, so a warning that is new since
the page was opened counts too.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.corrections import OPEN_STATES, CorrectionState, IdentityCheck
from app.domain.email_address import USUAL_DOMAINS, EmailAddress
from app.domain.email_warnings import (
    EmailWarning,
    WarningKind,
    Weight,
    acknowledged_kinds,
    unacknowledged,
    warn,
)
from app.domain.identity import LOOKS_BACK, ChangeKind, ChangeState
from app.domain.indonesian_time import day_in, shown_date
from app.domain.person_name import Likeness, compare_names
from app.domain.phone_number import dialled
from app.flows.identity.identity_gate import need_second_among
from app.models.audit_event import Tag
from app.models.correction_attachment import CorrectionAttachment
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.taken_correction import TakenCorrection
from app.models.user import User
from app.security import audit
from app.security.authority import Authority

REMEMBERS = timedelta(days=90)  # what was asked for, rejected or stopped
MOST_SHOWN = 20
_PEOPLE_ASKED = 500  # of an instansi, for the domains that its people use
_FEWEST_OF_A_DOMAIN = 3  # below, one false address on record would make its domain a known one


@dataclass(frozen=True)
class ReviewedCorrection:
    """A request beside the record, with its warnings, the worst first."""

    correction: EmailCorrection
    person: User
    warnings: list[EmailWarning]
    changes: Sequence[IdentityChange]  # earlier ones of this account
    has_attachment: bool
    is_taken: bool  # somebody has the address already, so it cannot be approved
    needs_second: bool
    awaits_second: bool  # the first admin has approved
    is_under_way: bool  # another change of this account is not settled, so this one cannot be approved
    is_in_use: bool
    taken: TakenCorrection | None  # who has the request in hand
    questions: Sequence[CorrectionQuestion]  # what the desk has asked the person, the oldest first

    @property
    def awaits_answer(self) -> bool:
        return bool(self.questions) and self.questions[-1].answered_at is None

    @property
    def led_to(self) -> IdentityChange | None:
        """The last change that an approval of this request has led to."""
        return next((change for change in self.changes if change.correction_id == self.correction.id), None)

    @property
    def heavy(self) -> list[EmailWarning]:
        return [one for one in self.warnings if one.kind.weight is Weight.HEAVY]


@dataclass(frozen=True)
class WarningsNotAcknowledged:
    """Heavy warnings that the approval does not acknowledge."""

    warnings: Sequence[EmailWarning]


@dataclass(frozen=True)
class CheckImpossible:
    """The record lacks what this identity check needs."""

    check: IdentityCheck


def review(
    session: Session, authority: Authority, correction: EmailCorrection, now: datetime
) -> ReviewedCorrection:
    """Review one request."""
    return review_many(session, authority, [correction], now)[0]


def review_many(
    session: Session, authority: Authority, corrections: Sequence[EmailCorrection], now: datetime
) -> list[ReviewedCorrection]:
    """Review several requests together. Nothing is changed. About people outside the admin's reach, a warning
    says at most that they exist."""
    asked = [(_person_of(one), EmailAddress(one.new_email)) for one in corrections]
    known = _look_up(session, asked, now)
    need_second = need_second_among(session, [person for person, _ in asked], now)
    ids = [one.id for one in corrections]
    with_attachment = CorrectionAttachment.among(session, ids)
    in_hand, questions = TakenCorrection.among(session, ids, now), CorrectionQuestion.among(session, ids)
    return [
        ReviewedCorrection(
            one,
            person,
            warnings=_in_order(
                []
                if one.field.is_of_record
                else [
                    *_about_address(authority, known, person, address, one),
                    *_about_request(one, person, address),
                ]
            ),
            changes=known.changes[person.id][:MOST_SHOWN],
            has_attachment=one.id in with_attachment,
            is_taken=not one.field.is_of_record and known.owner_of(address, person) is not None,
            needs_second=person.id in need_second,
            awaits_second=any(
                change.correction_id == one.id for change in known.under_way(person, ChangeState.NEEDS_SECOND)
            ),
            is_under_way=bool(known.under_way(person, ChangeState.NEEDS_SECOND, ChangeState.SCHEDULED)),
            is_in_use=person.is_in_use,
            taken=in_hand.get(one.id),
            questions=questions.get(one.id, ()),
        )
        for one, (person, address) in zip(corrections, asked, strict=True)
    ]


def about_address(
    session: Session, authority: Authority, person: User, address: EmailAddress, now: datetime
) -> list[EmailWarning]:
    """The warnings about this address for this person, with or without a request."""
    return _in_order(_about_address(authority, _look_up(session, [(person, address)], now), person, address))


def check_approval(
    session: Session,
    person: User,
    warnings: list[EmailWarning],
    check: IdentityCheck,
    marks: frozenset[str],
    act: Act[Authority],
) -> WarningsNotAcknowledged | CheckImpossible | None:
    """Why an approval that rests on this check, and carries these marks, does not go through. Leaves a trace
    where warnings are not acknowledged."""
    if not check.is_possible(person.phone):
        return CheckImpossible(check)
    return check_acknowledged(session, person, warnings, marks, act)


def check_acknowledged(
    session: Session, person: User, warnings: list[EmailWarning], marks: frozenset[str], act: Act[Authority]
) -> WarningsNotAcknowledged | None:
    """The heavy warnings that these marks do not carry. Leaves a trace, because a warning tells an admin who
    tries addresses one after the other what others have asked for."""
    missing = unacknowledged(warnings, marks)
    if not missing:
        return None
    kinds = ",".join(one.kind.value for one in missing)
    audit.record(
        session, Tag.ADMIN_REFUSED, person, act, reason="warnings not acknowledged", warnings=kinds
    )  # fmt: skip
    return WarningsNotAcknowledged(missing)


def record_acknowledged(
    session: Session, change: IdentityChange, warnings: list[EmailWarning], act: Act[Authority]
) -> None:
    """Write down which heavy warnings the admin has acknowledged, for a decision without a request or for a
    confirmation by a second admin."""
    if kinds := acknowledged_kinds(warnings):
        audit.record(
            session, Tag.WARNINGS_ACKNOWLEDGED, change.user, act, change=change.id, acknowledged=kinds
        )  # fmt: skip


def others_beside(
    session: Session, authority: Authority, correction: EmailCorrection
) -> Sequence[EmailCorrection]:
    """Other requests for the same person or the same mailbox, within reach, the newest first."""
    of_person = select(EmailCorrection.id).where(EmailCorrection.user_id == correction.user_id)
    of_mailbox = select(EmailCorrection.id).where(EmailCorrection.new_mailbox == correction.new_mailbox)
    found = (
        select(EmailCorrection)
        .where(
            EmailCorrection.id.in_(of_person.union(of_mailbox)),
            EmailCorrection.id != correction.id,
            EmailCorrection.submitted_at.is_not(None),
            EmailCorrection.user_id.is_not(None),
            authority.within(EmailCorrection.instansi_id),
        )
        .order_by(EmailCorrection.id.desc())
        .limit(MOST_SHOWN)
    )
    return session.scalars(found).all()


@dataclass(frozen=True)
class _Known:
    """What the records say about some people and the addresses that are asked for, looked up together."""

    owners: Mapping[str, User]  # by the address on record
    # Mailbox -> the people and NIPs for which somebody asked for it
    asked_for: Mapping[str, frozenset[tuple[int | None, str]]]
    stopped_for: Mapping[str, frozenset[int]]  # mailbox -> the people who stopped a change to it
    rejected: Mapping[tuple[int, str], Sequence[EmailCorrection]]  # person and mailbox -> the newest first
    waiting: Mapping[int, Counter[str]]  # person -> open requests by mailbox
    changes: Mapping[int, Sequence[IdentityChange]]  # person -> the newest first
    new_phones: frozenset[int]  # people who lately asked for another phone number, and got it
    domains: Mapping[int, frozenset[str]]  # instansi -> what its people use
    since: datetime

    def owner_of(self, address: EmailAddress, person: User) -> User | None:
        """Somebody else who has this address on record."""
        owner = self.owners.get(address.key)
        return owner if owner and owner.id != person.id else None

    def under_way(self, person: User, *states: ChangeState) -> list[IdentityChange]:
        return [change for change in self.changes[person.id] if change.state in states]


def _look_up(session: Session, asked: Sequence[tuple[User, EmailAddress]], now: datetime) -> _Known:
    people, since = {person.id for person, _ in asked}, now - REMEMBERS
    mailboxes = {address.mailbox for _, address in asked}
    return _Known(
        owners=_owners(session, [spelling for _, address in asked for spelling in _spellings(address)]),
        asked_for=_asked_for(session, mailboxes, since),
        stopped_for=_stopped_for(session, mailboxes, since),
        rejected=_rejected(session, people, mailboxes, since),
        waiting=_waiting(session, people),
        changes=_changes(session, people),
        new_phones=EmailCorrection.phone_replaced_among(session, people, now - LOOKS_BACK),
        domains={
            instansi_id: _domains_of(session, instansi_id)
            for instansi_id in {person.instansi_id for person, _ in asked}
        },
        since=since,
    )


def _owners(session: Session, addresses: Collection[EmailAddress]) -> dict[str, User]:
    return {
        owner.email_key or "": owner
        for owner in session.scalars(select(User).where(User.registered_at(addresses)))
    }


def _spellings(address: EmailAddress) -> list[EmailAddress]:
    """The address, and simpler ones of the same mailbox."""
    local, domain = address.text.split("@")
    return [address, EmailAddress(f"{local.split('+')[0] or local}@{domain}"), EmailAddress(address.mailbox)]


def _asked_for(
    session: Session, mailboxes: Collection[str], since: datetime
) -> dict[str, frozenset[tuple[int | None, str]]]:
    """For whom each mailbox was asked for. Only forms that came in count, because they prove that the sender
    has the mailbox. Anybody can ask for a link."""
    found = (
        select(EmailCorrection.new_mailbox, EmailCorrection.user_id, EmailCorrection.nip)
        .where(
            EmailCorrection.is_of_email(),
            EmailCorrection.new_mailbox.in_(mailboxes),
            EmailCorrection.submitted_at > since,
        )
        .distinct()
    )
    offered = defaultdict(set)
    for mailbox, user_id, nip in session.execute(found):
        offered[mailbox].add((user_id, nip))
    return {mailbox: frozenset(whose) for mailbox, whose in offered.items()}


def _stopped_for(session: Session, mailboxes: Collection[str], since: datetime) -> dict[str, frozenset[int]]:
    found = (
        select(EmailCorrection.new_mailbox, IdentityChange.user_id)
        .join(IdentityChange, IdentityChange.correction_id == EmailCorrection.id)
        .where(EmailCorrection.is_of_email(), EmailCorrection.new_mailbox.in_(mailboxes))
        .where(IdentityChange.state == ChangeState.FROZEN, IdentityChange.ended_at > since)
        .distinct()
    )
    stopped = defaultdict(set)
    for mailbox, user_id in session.execute(found):
        stopped[mailbox].add(user_id)
    at_the_desk = select(IdentityChange.new_value, IdentityChange.user_id).where(
        IdentityChange.kind == ChangeKind.EMAIL,
        IdentityChange.state == ChangeState.FROZEN,
        IdentityChange.ended_at > since,
        func.lower(IdentityChange.new_value).in_(mailboxes),
    )
    for address, user_id in session.execute(at_the_desk):
        stopped[EmailAddress(address).mailbox].add(user_id)
    return {mailbox: frozenset(people) for mailbox, people in stopped.items()}


def _rejected(
    session: Session, people: Collection[int], mailboxes: Collection[str], since: datetime
) -> dict[tuple[int, str], list[EmailCorrection]]:
    found = (
        select(EmailCorrection)
        .where(
            EmailCorrection.is_of_email(),
            EmailCorrection.user_id.in_(people),
            EmailCorrection.new_mailbox.in_(mailboxes),
            EmailCorrection.state == CorrectionState.REJECTED,
            EmailCorrection.decided_at > since,
        )
        .order_by(EmailCorrection.decided_at.desc(), EmailCorrection.id.desc())
    )
    rejected = defaultdict(list)
    for one in session.scalars(found):
        rejected[one.user_id or 0, one.new_mailbox].append(one)
    return rejected


def _waiting(session: Session, people: Collection[int]) -> dict[int, Counter[str]]:
    found = (
        select(EmailCorrection.user_id, EmailCorrection.new_mailbox, func.count())
        .where(
            EmailCorrection.is_of_email(),
            EmailCorrection.user_id.in_(people),
            EmailCorrection.state.in_(OPEN_STATES),
        )
        .group_by(EmailCorrection.user_id, EmailCorrection.new_mailbox)
    )
    waiting: dict[int, Counter[str]] = defaultdict(Counter)
    for user_id, mailbox, count in session.execute(found):
        waiting[user_id or 0][mailbox] = count
    return waiting


def _changes(session: Session, people: Collection[int]) -> dict[int, list[IdentityChange]]:
    changes: dict[int, list[IdentityChange]] = {person: [] for person in people}
    found = (
        select(IdentityChange).where(IdentityChange.user_id.in_(people)).order_by(IdentityChange.id.desc())
    )
    for change in session.scalars(found):
        changes[change.user_id].append(change)
    return changes


def _domains_of(session: Session, instansi_id: int) -> frozenset[str]:
    """The domains that several people of an instansi have on record. It is enough to look at some of its
    people, because an instansi's own domain is on record for many."""
    some = select(User.email_key).where(User.instansi_id == instansi_id, User.email_key.is_not(None))
    used = Counter(
        key.split("@")[1] for key in session.scalars(some.order_by(User.nip).limit(_PEOPLE_ASKED)) if key
    )
    return frozenset(domain for domain, people in used.items() if people >= _FEWEST_OF_A_DOMAIN)


def _about_address(
    authority: Authority,
    known: _Known,
    person: User,
    address: EmailAddress,
    of: EmailCorrection | None = None,
) -> list[EmailWarning]:
    """`of` is the request that asks for this address, if there is one."""
    found = [*_about_mailbox(authority, known, person, address), *_about_spelling(known, person, address)]
    found += _about_the_past(known, person, address, of)
    if person.is_deactivated:
        found.append(warn(WarningKind.DEACTIVATED, address))
    if rivals := sum(
        count for mailbox, count in known.waiting[person.id].items() if mailbox != address.mailbox
    ):
        found.append(warn(WarningKind.RIVALS, address, count=rivals))
    if dialled(person.phone) is None:
        found.append(warn(WarningKind.NO_PHONE, address))
    elif person.id in known.new_phones:
        found.append(warn(WarningKind.NEW_PHONE, address))
    return found


def _about_mailbox(
    authority: Authority, known: _Known, person: User, address: EmailAddress
) -> list[EmailWarning]:
    found = []
    others = (known.owner_of(spelling, person) for spelling in _spellings(address)[1:])
    if owner := known.owner_of(address, person):
        found.append(warn(WarningKind.ADDRESS_TAKEN, address, owner=_named("oleh ", owner, authority)))
    elif owner := next(filter(None, others), None):
        found.append(warn(WarningKind.MAILBOX_OF_ANOTHER, address, owner=_named("", owner, authority)))
    if known.stopped_for.get(address.mailbox, frozenset()) - {person.id}:
        found.append(warn(WarningKind.STOPPED_ELSEWHERE, address))
    offered = known.asked_for.get(address.mailbox, frozenset())
    if nips := {nip for user_id, nip in offered if user_id != person.id and nip != person.nip}:
        found.append(warn(WarningKind.ASKED_FOR_OTHERS, address, count=len(nips)))
    return found


def _named(before: str, owner: User, authority: Authority) -> str:
    return f"{before}{owner.name}" if authority.covers(owner.instansi_id) else "akun lain"


def _about_spelling(known: _Known, person: User, address: EmailAddress) -> list[EmailWarning]:
    found = []
    on_record = {EmailAddress(person.email).domain} if person.email else set()
    if meant := address.likely_meant:
        found.append(warn(WarningKind.MISTYPED_DOMAIN, address, meant=meant))
    elif alike := address.resembles(USUAL_DOMAINS | known.domains[person.instansi_id] | on_record):
        found.append(warn(WarningKind.LOOKALIKE_DOMAIN, address, known=alike))
    if not address.text.isascii() or "xn--" in address.domain:
        found.append(warn(WarningKind.FOREIGN_LETTERS, address))
    return found


def _about_the_past(
    known: _Known, person: User, address: EmailAddress, of: EmailCorrection | None
) -> list[EmailWarning]:
    """Earlier changes that were stopped or cancelled, and earlier requests that were rejected."""
    found = []
    ended = [
        change
        for change in known.changes[person.id]
        if change.kind is ChangeKind.EMAIL
        and change.ended_at
        and (change.ended_at > known.since or (of and change.correction_id == of.id))
    ]
    for state, kind in (
        (ChangeState.FROZEN, WarningKind.STOPPED_BEFORE),
        (ChangeState.CANCELLED, WarningKind.ENDED_BEFORE),
    ):
        if last := next((change for change in ended if change.state is state and change.ended_at), None):
            found.append(
                warn(
                    kind,
                    address,
                    when=shown_date(day_in(person.instansi.zone, last.ended_at or known.since)),
                    because=last.ended_because or "",
                )
            )
    rejected = known.rejected.get((person.id, address.mailbox), ())
    if last_no := next((one for one in rejected if of is None or one.id != of.id), None):
        when = shown_date(day_in(person.instansi.zone, last_no.decided_at or known.since))
        found.append(warn(WarningKind.REJECTED_BEFORE, address, when=when, because=last_no.decision or ""))
    return found


def _about_request(correction: EmailCorrection, person: User, address: EmailAddress) -> list[EmailWarning]:
    """Compare what was written in the form with the record."""
    found = []
    if correction.nip != person.nip:
        found.append(warn(WarningKind.OTHER_NIP, address))
    match compare_names(correction.name, person.name):
        case Likeness.OTHER:
            found.append(warn(WarningKind.OTHER_NAME, address))
        case Likeness.IN_PART:
            found.append(warn(WarningKind.NAME_IN_PART, address))
    on_record, typed = dialled(person.phone), dialled(correction.phone)
    if on_record and typed and on_record != typed:
        found.append(warn(WarningKind.OTHER_PHONE, address))
    return found


def _in_order(warnings: list[EmailWarning]) -> list[EmailWarning]:
    kinds = list(WarningKind)
    return sorted(warnings, key=lambda one: kinds.index(one.kind))


def _person_of(correction: EmailCorrection) -> User:
    assert correction.user is not None, "a request without a person reaches no desk"
    return correction.user
