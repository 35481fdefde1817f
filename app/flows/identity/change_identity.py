"""A decision to change what identifies a person, from the first admin's decision until it takes effect, is
cancelled or is stopped."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.corrections import CorrectionState, IdentityCheck
from app.domain.identity import ChangeKind, ChangeState, Course
from app.domain.indonesian_time import shown_moment, today_in_jakarta
from app.domain.nip import Nip
from app.domain.reset_secret import new_reference
from app.flows.identity.identity_gate import (
    course_after_second,
    course_of,
    hearers,
    is_protected,
    objection_to_cancel,
    objection_to_second,
    possible_second_admins,
)
from app.flows.identity.put_on_record import TakenByAnother, end_mandate, give_back_address, put_on_record
from app.mail import letters
from app.models.admin_mandate import AdminMandate
from app.models.audit_event import Tag
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.mandate_handover import MandateHandover
from app.models.outbox_mail import OutboxMail
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach

PUT_OFF_FOR = timedelta(hours=1)  # a change whose letters have not left
_NO_LONGER_ADMIN = "Admin yang memutuskan tidak bertugas lagi ketika masa tunggunya habis."


@dataclass(frozen=True)
class UnderWay:
    """An earlier decision about this person is not settled yet."""

    change: IdentityChange


@dataclass(frozen=True)
class NotThatState:
    """The change is not in the state that this act needs; somebody was faster."""

    change: IdentityChange


@dataclass(frozen=True)
class ProposedChange:
    """What is to change, and why. `needs_second` if the act itself needs two admins, for every person."""

    kind: ChangeKind
    old_value: str | None
    new_value: str
    reason: str
    identity_check: IdentityCheck | None = None
    correction: EmailCorrection | None = None
    mandate: AdminMandate | None = None
    needs_second: bool = False


def begin_change(
    session: Session, person: User, proposed: ProposedChange, delay: timedelta, act: Act[audit.Actor]
) -> IdentityChange | UnderWay | TakenByAnother:
    """Take a decision through the gate. The state of the returned change says which course it takes. The
    person is locked.

    If `act.by` is None, the operator decides. The operator's decision needs no second admin and does not
    wait. All hearers are told even so.
    """
    by = audit.actor_of(act)
    if earlier := IdentityChange.under_way_for(session, person.id):
        return UnderWay(earlier)
    course = (
        Course.AT_ONCE
        if by is None
        else course_of(
            session,
            person,
            proposed.kind,
            delay,
            act.at,
            proposed.new_value or None if proposed.kind is ChangeKind.EMAIL else None,
        )
    )
    if proposed.needs_second and by is not None:
        course = Course.WITH_SECOND
    change = IdentityChange(
        reference=new_reference(),
        kind=proposed.kind,
        user=person,
        instansi_id=person.instansi_id,
        correction_id=proposed.correction.id if proposed.correction else None,
        mandate=proposed.mandate,
        old_value=proposed.old_value,
        new_value=proposed.new_value,
        state=ChangeState.NEEDS_SECOND,
        identity_check=proposed.identity_check,
        reason=proposed.reason,
        decided_by=by,
        decided_at=act.at,
        told=[],
    )
    session.add(change)
    session.flush()
    if by is not None:
        letters.act_on_holder(session, by, person, f"memutuskan perubahan {proposed.kind.label}", act)
    if course is Course.WITH_SECOND:
        _ask_for_second(session, change, person, act)
    elif not isinstance(taken := _go_on(session, change, person, course, delay, act), IdentityChange):
        session.delete(change)
        return taken
    is_told_by_its_act = (
        proposed.kind not in (ChangeKind.EMAIL, ChangeKind.NIP)
        or proposed.identity_check is IdentityCheck.BY_FILE
    )
    if by is not None and (change.is_under_way or not is_told_by_its_act):
        _record_decision(session, change, act)
    return change


def same_under_way(
    session: Session, by: User, person: User, kind: ChangeKind, new_value: str
) -> IdentityChange | None:
    """The same decision of the same admin, if it is still under way: the form was sent twice."""
    earlier = IdentityChange.under_way_for(session, person.id)
    is_same = earlier is not None and (earlier.kind, earlier.new_value, earlier.decided_by_id) == (
        kind,
        new_value,
        by.id,
    )
    return earlier if is_same else None


def confirm_change(
    session: Session, change_id: int, delay: timedelta, act: Act[Authority]
) -> IdentityChange | OutOfReach | NotToTouch | NotThatState | TakenByAnother:
    """The second admin agrees. This also settles earlier changes that the owner has stopped."""
    found = _locked(session, change_id, act)
    if not isinstance(found, tuple):
        return found
    change, person = found
    if change.state is not ChangeState.NEEDS_SECOND:
        return NotThatState(change)
    if objection := objection_to_second(session, act.by, change, act.at):
        return objection
    if change.mandate is not None and (because := _why_no_mandate(change.mandate, person, act.at)):
        _end(session, change, person, because, act)
        return NotThatState(change)
    change.confirmed_by_id = act.by.admin.id
    gone_on = _go_on(session, change, person, course_after_second(person, change.kind, delay), delay, act)
    if not isinstance(gone_on, IdentityChange):
        return gone_on
    for contesting in IdentityChange.contesting(session, person.id):
        contesting.settle(act.by.admin.id, act.at)
    audit.record(
        session, Tag.CHANGE_CONFIRMED, person, act, change=change.id, kind=change.kind,
        look_again=change.look_again_because
    )  # fmt: skip
    letters.act_on_holder(session, act.by.admin, person, f"mengonfirmasi perubahan {change.kind.label}", act)
    return change


def cancel_change(
    session: Session, change_id: int, because: str, seen: str | None, act: Act[Authority]
) -> IdentityChange | OutOfReach | NotToTouch | NotThatState:
    """An admin cancels a decision before it takes effect, or a second admin finds that the owner was right to
    stop the change. `seen` is the state that was on the screen."""
    found = _locked(session, change_id, act)
    if not isinstance(found, tuple):
        return found
    change, person = found
    if seen is not None and seen != change.state:
        return NotThatState(change)
    if change.is_contesting:
        return _settled_for_owner(session, change, person, because, act)
    if not change.is_under_way:
        return NotThatState(change)
    if objection := objection_to_cancel(act.by, change):
        return objection
    _end(session, change, person, because, act)
    letters.act_on_holder(session, act.by.admin, person, f"membatalkan perubahan {change.kind.label}", act)
    return change


def cancel_under_way(session: Session, person: User, because: str, act: Act[audit.Actor]) -> None:
    """Cancel the decision that is under way, because the account has changed since. Its request goes back
    into the queue."""
    if change := IdentityChange.under_way_for(session, person.id):
        _end(session, change, person, because, act)


def take_effect(session: Session, change_id: int, act: Act[None]) -> IdentityChange | None:
    """The waiting time of a change is over. The change takes effect if the account is still as it was. None
    if the change was stopped meanwhile."""
    waiting = IdentityChange.with_id(session, change_id)
    person = User.with_id(session, waiting.user_id, lock=True) if waiting else None
    change = IdentityChange.with_id(session, change_id, lock=True)
    if change is None or person is None or change.state is not ChangeState.SCHEDULED:
        return None
    if person.instansi_id != change.instansi_id or change.value_on_record != change.old_value:
        _end(session, change, person, "Data pegawai berubah selama masa tunggu.", act)
    elif OutboxMail.is_any_unsent_about(session, change.id):
        change.effective_at = act.at + PUT_OFF_FOR  # nobody has been able to stop what nobody has heard of
    elif not _still_has_authority(session, change, person, act.at):
        change.ask_recheck(_NO_LONGER_ADMIN)
        _ask_for_second(session, change, person, act)
    elif change.confirmed_by_id is None and is_protected(session, person, act.at):
        _end(session, change, person, "Akun ini sekarang memerlukan persetujuan dua admin.", act)
    else:
        change.told = hearers(session, person, _address_to_come(change))
        if not isinstance(put_on_record(session, change, person, act), IdentityChange):
            _end(
                session,
                change,
                person,
                f"{change.kind.heading} baru sudah dipakai akun lain selama masa tunggu.",
                act,
            )
    return change


def reopen_correction_of(session: Session, change: IdentityChange, person: User) -> EmailCorrection | None:
    """The decision does not hold, so its request waits again, at the desk of the person's present instansi.
    This does not happen if the request has led to another decision since."""
    if change.correction_id is None:
        return None
    latest = IdentityChange.latest_of_correction(session, change.correction_id)
    if latest is not None and latest.id != change.id:
        return None
    correction = EmailCorrection.with_id(session, change.correction_id, lock=True)
    if correction is None or correction.state is CorrectionState.REJECTED:
        return None
    correction.reopen()
    correction.instansi_id = person.instansi_id
    return correction


def _record_decision(session: Session, change: IdentityChange, act: Act[audit.Actor]) -> None:
    """Record the decision in an event of its own, beside the event of the change itself. The caller leaves
    the decision out if a file has decided, or if an instansi, a category or a mandate changes at once: then
    the event of the change says the same."""
    event = audit.record(
        session, Tag.CHANGE_DECIDED, change.user, act, change=change.id, check=change.identity_check,
        ticket=change.correction.ticket if change.correction else None,
        kind=change.kind, reason=change.reason
    )  # fmt: skip
    event.add(audit.before_and_after(session, change.kind.column, change.old_value, change.new_value))


def _go_on(
    session: Session, change: IdentityChange, person: User, course: Course, delay: timedelta, act: Act[object]
) -> IdentityChange | TakenByAnother:
    """Nobody else has to agree, so the change takes effect now or after the delay."""
    change.told = hearers(session, person, _address_to_come(change))
    if course is Course.AT_ONCE:
        put = put_on_record(session, change, person, act)
        if not isinstance(put, IdentityChange):
            change.state, change.effective_at = ChangeState.NEEDS_SECOND, None
            change.confirmed_by_id = None
            return put
    correction = (
        EmailCorrection.with_id(session, change.correction_id, lock=True) if change.correction_id else None
    )
    if correction:
        correction.decide(CorrectionState.APPROVED, None, change.decided_by_id, act.at)
    if course is Course.AFTER_WAIT:
        _schedule(session, change, person, act.at + delay, act)
        if correction:
            letters.correction_approved(session, correction, change, act)
    return change


def _schedule(
    session: Session, change: IdentityChange, person: User, effective_at: datetime, act: Act[object]
) -> None:
    change.state, change.effective_at = ChangeState.SCHEDULED, effective_at
    if change.kind is ChangeKind.EMAIL:
        letters.email_will_change(session, person, change, act)
        return
    when, office = shown_moment(effective_at), letters.office_of(session, change.decided_by, act.at)
    what = f"NIP akun Anda akan diubah oleh {office} menjadi {Nip(change.new_value).grouped} mulai {when}."
    others = f"NIP akun itu akan diubah oleh {office} mulai {when}."
    letters.identity_changed(session, person, change, what, others, act)


def _ask_for_second(session: Session, change: IdentityChange, person: User, act: Act[object]) -> None:
    seconds = possible_second_admins(session, change, act.at)
    who = letters.office_of(session, change.decided_by, act.at)
    handover = MandateHandover.to(session, change.mandate_id)
    instead_of = f", menggantikan {handover.former.user.name}" if handover else ""
    what = (
        f"{who[0].upper()}{who[1:]} memutuskan perubahan {change.kind.label} untuk {person.name} "
        f"({person.shown_nip.masked}){instead_of}. Perubahan ini baru berlaku setelah dikonfirmasi admin "
        "kedua. Periksa sendiri sebelum mengonfirmasi."
    )
    letters.to_desk(session, seconds, what, page_of(change), act)


def _settled_for_owner(
    session: Session, change: IdentityChange, person: User, because: str, act: Act[Authority]
) -> IdentityChange | NotToTouch:
    """The owner was right to stop the change. If the account has no address now, the earlier address is put
    on record again."""
    if objection := objection_to_second(session, act.by, change, act.at):
        return objection
    contesting = IdentityChange.contesting(session, person.id)
    first = contesting[0]
    is_back = give_back_address(session, first, person)
    for one in contesting:
        one.settle(act.by.admin.id, act.at)
        what = (
            f"Perubahan {one.kind.label} yang dihentikan sudah diperiksa admin lain dan tidak jadi berlaku."
        )
        letters.change_came_to_nothing(session, person, one, what, because, act)
        _put_back(session, one, person, because, act)
    event = audit.record(
        session, Tag.CONTEST_SETTLED, person, act, change=change.id, reason=because, address_is_back=is_back
    )  # fmt: skip
    if is_back:
        event.add(audit.before_and_after(session, "email", None, person.email))
    return change


def _put_back(
    session: Session, stopped: IdentityChange, person: User, because: str, act: Act[Authority]
) -> None:
    """Put the old instansi or category back, because a second admin has found the change wrong. Stopping such
    a change leaves the new value on record."""
    stays = stopped.kind in (ChangeKind.INSTANSI, ChangeKind.CATEGORY) and stopped.effective_at is not None
    if not stays or stopped.old_value is None or stopped.value_on_record != stopped.new_value:
        return
    back = IdentityChange(
        reference=new_reference(),
        kind=stopped.kind,
        user=person,
        instansi_id=person.instansi_id,
        old_value=stopped.new_value,
        new_value=stopped.old_value,
        state=ChangeState.DONE,
        reason=because,
        decided_by=act.by.admin,
        decided_at=act.at,
        told=hearers(session, person),
    )
    session.add(back)
    session.flush()
    put_on_record(session, back, person, act)


def _end(session: Session, change: IdentityChange, person: User, because: str, act: Act[audit.Actor]) -> None:
    change.end(ChangeState.CANCELLED, because, act.at)
    what = f"Perubahan {change.kind.label} yang pernah diberitahukan kepada Anda tidak jadi berlaku."
    letters.change_came_to_nothing(session, person, change, what, because, act)
    if change.mandate is not None and change.mandate.revoked_at is None:
        end_mandate(session, change.mandate, because, act)
    reopen_correction_of(session, change, person)
    audit.record(
        session, Tag.CHANGE_CANCELLED, person, act, change=change.id, kind=change.kind, because=because
    )


def _locked(
    session: Session, change_id: int, act: Act[Authority]
) -> tuple[IdentityChange, User] | OutOfReach | NotToTouch:
    """The change and its person, both locked: first the person, then the change. With the person, also the
    one whose mandate is handed over."""
    seen = IdentityChange.with_id(session, change_id)
    if seen is None:
        return OutOfReach()
    if isinstance(act.by.person(session, seen.user_id), OutOfReach):
        return OutOfReach()
    if handover := MandateHandover.to(session, seen.mandate_id):
        for person_id in sorted({seen.user_id, handover.former.user_id}):
            User.with_id(session, person_id, lock=True)
    person = act.by.person_to_act_on(session, seen.user_id, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    change = IdentityChange.with_id(session, change_id, lock=True)
    return (change, person) if change else OutOfReach()


def _why_no_mandate(mandate: AdminMandate, person: User, now: datetime) -> str | None:
    """Why the mandate would help nobody any more, in a sentence for the person."""
    if mandate.ends_on < today_in_jakarta(now):
        return "Hari terakhir mandat itu sudah lewat."
    return None if person.may_enter else "Akun ini tidak dapat dipakai untuk masuk."


def _still_has_authority(session: Session, change: IdentityChange, person: User, now: datetime) -> bool:
    """Whether all admins who have decided may still decide. An admin who was dismissed at this moment may
    not."""
    deciders = [
        User.with_id(session, by) for by in (change.decided_by_id, change.confirmed_by_id) if by is not None
    ]
    for admin in deciders:
        authority = Authority.in_office(session, admin, today_in_jakarta(now))
        if authority is None or not authority.covers(person.instansi_id):
            return False
    return True


def _address_to_come(change: IdentityChange) -> str | None:
    return change.new_value or None if change.kind is ChangeKind.EMAIL else None


def page_of(change: IdentityChange) -> str:
    """The page on which the desk looks at a change."""
    return f"/admin/perbaikan-email/perubahan/{change.id}"
