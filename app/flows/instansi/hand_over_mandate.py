"""An admin leaves, and somebody else takes their place: in one step the successor's mandate begins and the
former one ends.

Pusat does this for everybody. An admin of an instansi may only propose a successor, from their own staff
and for their own mandate. Nobody alone decides about their own mandate, and a mandate over all instansi needs
two admins: the former one then goes on until the second admin has confirmed.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.flows.identity.change_identity import UnderWay
from app.flows.instansi.grant_mandate import (
    ONESELF,
    AlreadyOver,
    Appointment,
    MayNotEnter,
    TooLong,
    UnknownPerson,
    appoint,
    check_last_day,
    objection_to_account,
)
from app.models.admin_mandate import AdminMandate
from app.models.identity_change import IdentityChange
from app.models.mandate_handover import MandateHandover
from app.models.user import User
from app.security.authority import Authority, NotToTouch, OutOfReach

LONGEST_TOGETHER = timedelta(days=30)  # both may hold the mandate, so that one shows the other the work
MOST_PROPOSALS_A_DAY = 3  # each is told to all of pusat
_ONLY_OWN = NotToTouch("Anda hanya dapat mengusulkan pengganti untuk mandat Anda sendiri. Minta admin pusat.")
_NO_LONGER = NotToTouch("Mandat Anda baru saja berakhir atau dicabut.")


@dataclass(frozen=True)
class Successor:
    """Who takes the place, by which SK and until when. `former_until` is the last day of the former mandate;
    None if it ends as soon as the new one holds."""

    nip: Nip
    sk_number: str
    until: date
    former_until: date | None


@dataclass(frozen=True)
class SamePerson:
    """The successor is the one who holds the mandate. A longer one is granted, not handed over."""


@dataclass(frozen=True)
class NotInForce:
    """The mandate is over, or does not hold yet; somebody may have been faster."""


@dataclass(frozen=True)
class HandoverWaits:
    """It is already to be handed over, and a second admin has not answered yet."""


@dataclass(frozen=True)
class NotThatDay:
    """The last day of the former mandate is in the past, or too far away."""


@dataclass(frozen=True)
class TooManyProposals:
    pass


HandoverRefused = (
    OutOfReach
    | NotToTouch
    | UnknownPerson
    | MayNotEnter
    | AlreadyOver
    | TooLong
    | SamePerson
    | NotInForce
    | HandoverWaits
    | NotThatDay
    | TooManyProposals
    | UnderWay
)


def hand_over_mandate(
    session: Session, mandate_id: int, successor: Successor, act: Act[Authority]
) -> AdminMandate | HandoverRefused:
    """Returns the successor's mandate. It `awaits_second` if the former one goes on for now."""
    today = today_in_jakarta(act.at)
    former = mandate_within_reach(session, mandate_id, act.by)
    if not isinstance(former, AdminMandate):
        return former
    if objection := check_last_day(successor.until, today, is_by_page=True):
        return objection
    if successor.former_until and not today <= successor.former_until <= today + LONGEST_TOGETHER:
        return NotThatDay()
    person = User.with_nip(session, successor.nip)
    if person is None or not act.by.covers(person.instansi_id):
        return UnknownPerson()
    if person.id in (former.user_id, act.by.admin.id):
        return SamePerson() if person.id == former.user_id else ONESELF
    if (by := _locked(session, {former.user_id, person.id}, act.by.admin, today)) is None:
        return _NO_LONGER
    session.refresh(former)
    if before := _same_before(session, former, person, successor):
        return before
    if refusal := _refusal(session, former, person, by, today):
        return refusal
    wanted = Appointment(
        former.instansi,
        successor.sk_number,
        successor.until,
        needs_second=former.instansi is None or not by.is_pusat or former.user_id == by.admin.id,
        instead_of=(former, successor.former_until),
    )
    return appoint(session, person, wanted, act)


def mandate_within_reach(
    session: Session, mandate_id: int, by: Authority
) -> AdminMandate | OutOfReach | NotToTouch:
    """A mandate that this admin may hand over, or propose a successor for."""
    mandate = session.get(AdminMandate, mandate_id)
    if mandate is None or not by.covers(mandate.instansi_id):
        return OutOfReach()
    return mandate if by.is_pusat or mandate.user_id == by.admin.id else _ONLY_OWN


def _locked(session: Session, people: set[int], admin: User, today: date) -> Authority | None:
    """What the admin may do, read again when all people are locked, in the order that holds everywhere."""
    locked = {one: User.with_id(session, one, lock=True) for one in sorted(people | {admin.id})}
    return Authority.in_office(session, locked[admin.id], today)


def _same_before(
    session: Session, former: AdminMandate, person: User, successor: Successor
) -> AdminMandate | None:
    """The form was sent twice."""
    for handover in MandateHandover.all_from(session, former.id):
        mandate = handover.mandate
        is_same = (mandate.user_id, mandate.sk_number, mandate.ends_on) == (
            person.id,
            successor.sk_number,
            successor.until,
        )
        if is_same and mandate.revoked_at is None:
            return mandate
    return None


def _refusal(
    session: Session, former: AdminMandate, person: User, by: Authority, today: date
) -> NotInForce | HandoverWaits | TooManyProposals | MayNotEnter | UnderWay | NotToTouch | None:
    if not former.is_in_force(today):
        return NotInForce()
    if not by.covers(former.instansi_id) or not by.covers(person.instansi_id):
        return _NO_LONGER
    if MandateHandover.waiting_from(session, former):
        return HandoverWaits()
    if not by.is_pusat and MandateHandover.count_from(session, former, today) >= MOST_PROPOSALS_A_DAY:
        return TooManyProposals()
    if may_not := objection_to_account(person):
        return may_not
    earlier = IdentityChange.under_way_for(session, person.id)
    return UnderWay(earlier) if earlier else None
