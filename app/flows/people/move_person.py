"""Mutasi: a person moves to another instansi. The rights of the old instansi's admins over this person end
with the same commit."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.identity import ChangeKind
from app.domain.indonesian_time import today_in_jakarta
from app.domain.pusat_reports import ReportKind
from app.flows.identity.change_identity import ProposedChange, begin_change, cancel_under_way, same_under_way
from app.mail.report_to_pusat import report_to_pusat
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi, UnknownInstansi
from app.models.user import User
from app.security.authority import Authority, NotToTouch, OutOfReach

MOVED = "memindahkan pegawai ke instansi lain"  # to pusat


@dataclass(frozen=True)
class Moved:
    """`change` says whether the move is in effect or waits for a second admin."""

    person: User
    to: Instansi
    change: IdentityChange
    is_new: bool = True  # otherwise this admin has decided the same before, and it still waits


@dataclass(frozen=True)
class AlreadyThere:
    pass


def move_person(
    session: Session, person_id: int, code: str, reason: str, act: Act[Authority]
) -> Moved | AlreadyThere | UnknownInstansi | OutOfReach | NotToTouch:
    """Hand the person over, with everything that is open about them. A change under way is cancelled, because
    the desk that decided it has no say any more. Pusat counts it: a large act cannot hide as many small
    ones."""
    person = act.by.person_to_act_on(session, person_id, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    outcome = move_to(session, person, code, reason, act)
    if isinstance(outcome, Moved) and outcome.is_new:
        report_to_pusat(session, ReportKind.MOVES, act.by.admin, MOVED, 1, act)
    return outcome


def move_to(
    session: Session, person: User, code: str, reason: str, act: Act[Authority]
) -> Moved | AlreadyThere | UnknownInstansi:
    """The same for a person whom `Authority.person_to_act_on` has given. Here pusat counts nothing."""
    target = Instansi.with_code(session, code)
    if target is None:
        return UnknownInstansi(code)
    if target.id == person.instansi_id:
        return AlreadyThere()

    if same := same_under_way(session, act.by.admin, person, ChangeKind.INSTANSI, target.code):
        return Moved(person, target, same, is_new=False)
    cancel_under_way(session, person, "Pegawai pindah instansi.", act)
    proposed = ProposedChange(ChangeKind.INSTANSI, person.instansi.code, target.code, reason)
    change = begin_change(session, person, proposed, timedelta(), act)
    assert isinstance(change, IdentityChange), "nothing is under way, and no address or NIP is taken"
    return Moved(person, target, change)
