"""The instansi puts another address on record.

For an account that was never used the change holds at once. For one in use it takes effect after a day, and the old
address and every session hear of it and can stop it: what an admin was made to believe is not yet lost. Holders of a
mandate and high officials need the word of a second admin. Password and factors stay as they are.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.categories import Activation, Category
from app.domain.client import Client
from app.domain.corrections import ChangeState, CorrectionState, IdentityCheck
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import today_in_jakarta
from app.domain.reset_secret import new_reference
from app.flows.request_reset import new_request_by_desk
from app.mail import letters
from app.models.admin_mandate import AdminMandate
from app.models.audit_event import Tag
from app.models.email_change import EmailChange
from app.models.email_correction import EmailCorrection
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach

BY_THE_PORTAL = Client("-", "worker", "-")


@dataclass(frozen=True)
class AddressTaken:
    """Somebody has this address already. `owner` is named only to an admin who may see that person."""

    owner: User | None


@dataclass(frozen=True)
class SameAddress:
    """It is the one on record."""


@dataclass(frozen=True)
class UnderWay:
    """An earlier decision about this person is not settled yet."""

    change: EmailChange


@dataclass(frozen=True)
class Outdated:
    """The account has changed since the admin looked at it."""


@dataclass(frozen=True)
class NotThatState:
    """The change is not in the state that this act needs; somebody was faster."""

    change: EmailChange


Refusal = OutOfReach | NotToTouch | AddressTaken | SameAddress | UnderWay | Outdated


@dataclass(frozen=True)
class Decision:
    """What an admin has decided, and on what grounds. `seen` is the account's version that was on the screen."""

    address: EmailAddress
    identity_check: IdentityCheck
    reason: str
    seen: int


def change_email(
    session: Session,
    authority: Authority,
    person_id: int,
    decision: Decision,
    delay: timedelta,
    client: Client,
    now: datetime,
    correction: EmailCorrection | None = None,
) -> EmailChange | Refusal:
    """Decide on a new address, by the person's request or without one. The outcome's state says what follows."""
    person = authority.person_to_act_on(session, person_id, today_in_jakarta(now))
    if not isinstance(person, User):
        return person
    if person.credential_version != decision.seen:
        return Outdated()
    if person.has_email(decision.address):
        return SameAddress()
    if earlier := EmailChange.under_way_for(session, person.id):
        return UnderWay(earlier)
    if User.taken_addresses(session, [decision.address]):
        # Who tries addresses one after the other learns which are taken, and leaves this trace.
        audit.record(session, Tag.ADMIN_REFUSED, person, client, now, actor=authority.admin, reason="address taken")
        return AddressTaken(owner_within(session, authority, decision.address))

    change = EmailChange(
        reference=new_reference(),
        user=person,
        instansi_id=person.instansi_id,
        correction_id=correction.id if correction else None,
        old_email=person.email,
        new_email=decision.address.text,
        state=ChangeState.NEEDS_SECOND,
        identity_check=decision.identity_check,
        reason=decision.reason,
        decided_by=authority.admin,
        decided_at=now,
    )
    session.add(change)
    session.flush()
    if not needs_second_admin(session, person, now):
        settled = _settled(session, change, person, delay, client, now)
        if isinstance(settled, AddressTaken):
            session.delete(change)
            return settled
    audit.record(
        session, Tag.EMAIL_CHANGE_DECIDED, person, client, now, actor=authority.admin,
        change=change.id, check=decision.identity_check, ticket=correction.ticket if correction else None,
    )  # fmt: skip
    return change


def confirm_change(
    session: Session, authority: Authority, change_id: int, delay: timedelta, client: Client, now: datetime
) -> EmailChange | OutOfReach | NotToTouch | NotThatState | AddressTaken:
    """The second admin agrees. Neither the first one nor the person may be the second."""
    found = _locked(session, authority, change_id, now)
    if not isinstance(found, tuple):
        return found
    change, person = found
    if change.state is not ChangeState.NEEDS_SECOND:
        return NotThatState(change)
    if change.decided_by_id == authority.admin.id:
        return NotToTouch("Perubahan ini Anda sendiri yang memutuskan. Admin lain harus mengonfirmasinya.")
    settled = _settled(session, change, person, delay, client, now)
    if isinstance(settled, EmailChange):
        change.confirmed_by_id = authority.admin.id
        audit.record(session, Tag.EMAIL_CHANGE_CONFIRMED, person, client, now, actor=authority.admin, change=change.id)
    return settled


def cancel_change(
    session: Session, authority: Authority, change_id: int, because: str, client: Client, now: datetime
) -> EmailChange | OutOfReach | NotToTouch | NotThatState:
    """An admin takes a decision back before it holds, or closes one that its owner has frozen."""
    found = _locked(session, authority, change_id, now)
    if not isinstance(found, tuple):
        return found
    change, person = found
    if change.state in (ChangeState.DONE, ChangeState.CANCELLED):
        return NotThatState(change)
    _end(session, change, person, because, authority.admin, client, now)
    return change


def cancel_under_way(session: Session, person: User, because: str, actor: User | None, client: Client, now: datetime) -> None:
    """The account has changed in a way that the decision did not know of; its request goes back into the queue."""
    if change := EmailChange.under_way_for(session, person.id):
        _end(session, change, person, because, actor, client, now)


def take_effect(session: Session, change_id: int, client: Client, now: datetime) -> EmailChange | None:
    """The waiting time of a change is over: it holds, if the account is still as it was. None when it was stopped meanwhile."""
    waiting = EmailChange.with_id(session, change_id)
    person = User.with_id(session, waiting.user_id, lock=True) if waiting else None
    change = EmailChange.with_id(session, change_id, lock=True)
    if change is None or person is None or change.state is not ChangeState.SCHEDULED:
        return None
    if person.instansi_id != change.instansi_id or (person.email or "") != (change.old_email or ""):
        _end(session, change, person, "Data pegawai berubah selama masa tunggu.", None, client, now)
    elif change.confirmed_by_id is None and needs_second_admin(session, person, now):
        _end(session, change, person, "Akun ini sekarang memerlukan persetujuan dua admin.", None, client, now)
    elif isinstance(_put_on_record(session, change, person, client, now), AddressTaken):
        _end(session, change, person, "Alamat baru sudah dipakai akun lain selama masa tunggu.", None, client, now)
    return change


def note_change_by_file(session: Session, person: User, old_email: str, actor: User, batch_id: int, now: datetime) -> EmailChange:
    """An admin's file has just replaced the address. Whoever reads the old mailbox can stop it like any other change."""
    change = EmailChange(
        reference=new_reference(),
        user=person,
        instansi_id=person.instansi_id,
        old_email=old_email,
        new_email=person.email or "",
        state=ChangeState.DONE,
        identity_check=IdentityCheck.BY_FILE,
        reason=f"Impor nomor {batch_id}",
        decided_by_id=actor.id,
        decided_at=now,
        effective_at=now,
    )
    session.add(change)
    session.flush()
    return change


def needs_second_admin(session: Session, person: User, now: datetime) -> bool:
    """Accounts that open more than their own data."""
    return person.category is Category.PPT_NON_ASN or AdminMandate.holds_for(session, person.id, today_in_jakarta(now))


def is_in_use(person: User) -> bool:
    """Somebody has been inside, so somebody could lose something."""
    was_open = person.activation is Activation.DEACTIVATED and person.password_hash is not None
    return person.activation is Activation.ACTIVE or person.last_login_at is not None or was_open


def owner_within(session: Session, authority: Authority, address: EmailAddress) -> User | None:
    """Whose address it is, if this admin may know."""
    return session.scalars(select(User).where(User.registered_at([address]), authority.within(User.instansi_id))).one_or_none()


def _settled(
    session: Session, change: EmailChange, person: User, delay: timedelta, client: Client, now: datetime
) -> EmailChange | AddressTaken:
    """Nobody else has to agree: it holds now, or after the delay."""
    holds_at_once = not is_in_use(person) or not delay
    if holds_at_once and isinstance(taken := _put_on_record(session, change, person, client, now), AddressTaken):
        return taken
    correction = EmailCorrection.with_id(session, change.correction_id, lock=True) if change.correction_id else None
    if correction:
        correction.decide(CorrectionState.APPROVED, None, change.decided_by_id, now)
    if holds_at_once:
        return change
    change.state = ChangeState.SCHEDULED
    change.effective_at = now + delay
    if person.email:
        letters.email_will_change(session, person, change, client, now)
    if correction:
        letters.correction_approved(session, correction, change, client, now)
    return change


def _put_on_record(
    session: Session, change: EmailChange, person: User, client: Client, now: datetime
) -> EmailChange | AddressTaken:
    """The new address holds; every token and session of the old one is dead, and a token to the new one is on its way."""
    try:
        with session.begin_nested():
            person.set_email(EmailAddress(change.new_email))
    except IntegrityError:  # somebody else has taken it since the look-up
        session.refresh(person)
        return AddressTaken(None)
    person.mail_failed_at = None
    change.state = ChangeState.DONE
    change.effective_at = now
    audit.record(session, Tag.EMAIL_CHANGED, person, client, now, actor=change.decided_by, change=change.id)
    if change.old_email:
        letters.email_changed(session, person, change.old_email, client, now, change)
    request = new_request_by_desk(session, person, client, now)
    letters.answer_to_reset_request(session, request, client, now, held=False, change=change)
    return change


def _end(
    session: Session, change: EmailChange, person: User, because: str, actor: User | None, client: Client, now: datetime
) -> None:
    change.end(ChangeState.CANCELLED, because, now)
    reopen_request_of(session, change, person)
    audit.record(session, Tag.EMAIL_CHANGE_CANCELLED, person, client, now, actor=actor, change=change.id, because=because)


def reopen_request_of(session: Session, change: EmailChange, person: User) -> EmailCorrection | None:
    """What was decided on does not hold, so whoever asked waits again, at the desk where the person belongs now. Not where
    the request has led to another decision since."""
    if change.correction_id is None:
        return None
    latest = EmailChange.latest_of_request(session, change.correction_id)
    if latest is not None and latest.id != change.id:
        return None
    correction = EmailCorrection.with_id(session, change.correction_id, lock=True)
    if correction is None or correction.state is CorrectionState.REJECTED:
        return None
    correction.reopen()
    correction.instansi_id = person.instansi_id
    return correction


def _locked(
    session: Session, authority: Authority, change_id: int, now: datetime
) -> tuple[EmailChange, User] | OutOfReach | NotToTouch:
    """The change and its person, both locked, in this order: person first."""
    seen = EmailChange.with_id(session, change_id)
    if seen is None:
        return OutOfReach()
    person = authority.person_to_act_on(session, seen.user_id, today_in_jakarta(now))
    if not isinstance(person, User):
        return person
    change = EmailChange.with_id(session, change_id, lock=True)
    return (change, person) if change else OutOfReach()
