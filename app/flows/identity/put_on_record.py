"""What identifies a person is written here and nowhere else, after the gate
(app/flows/identity/identity_gate.py) has let it through.

Each change of it ends what was given to the person as known before: sessions, tokens, and what else hangs on
it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Activation, Category, initial_activation
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.domain.staff_file import StaffRow
from app.flows.identity.recheck_decisions import recheck_decisions_of
from app.flows.reset.request_reset import new_request_by_desk
from app.mail import letters
from app.models.admin_mandate import AdminMandate
from app.models.audit_event import Tag
from app.models.email_correction import EmailCorrection
from app.models.former_nip import FormerNip
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi
from app.models.user import User
from app.security import audit


@dataclass(frozen=True)
class AddressTaken:
    """Somebody has this address already. `owner` is named only to an admin who may see that person."""

    owner: User | None


@dataclass(frozen=True)
class NipTaken:
    """Somebody has this NIP, or had it once; who, and where, is not said."""


TakenByAnother = AddressTaken | NipTaken

NO_ADDRESS = (
    ""  # what a change to no address at all is to: a file brought one where there was none, and is taken back
)


def put_on_record(
    session: Session, change: IdentityChange, person: User, act: Act[object]
) -> IdentityChange | TakenByAnother:
    """The change holds from now on, and all who must hear of it are told. The person is locked."""
    change.state, change.effective_at = ChangeState.DONE, act.at
    decision = act.done_by(change.decided_by)
    match change.kind:
        case ChangeKind.EMAIL if change.new_value == NO_ADDRESS:
            _put_no_email(session, change, person, decision)
        case ChangeKind.EMAIL:
            return _put_email(session, change, person, decision)
        case ChangeKind.NIP:
            return _put_nip(session, change, person, decision)
        case ChangeKind.INSTANSI:
            _put_instansi(session, change, person, decision)
        case ChangeKind.CATEGORY:
            _put_category(session, change, person, decision)
        case ChangeKind.MANDATE:
            _put_mandate(session, change, person, decision)
    return change


def new_person(row: StaffRow, instansi: Instansi, now: datetime) -> User:
    """Somebody whom a file brings. The session does not know the row yet."""
    person = User(
        nip=row.nip.digits,
        name=row.name,
        phone=row.phone,
        category=row.category,
        instansi_id=instansi.id,
        work_unit=row.work_unit,
        activation=initial_activation(row.category),
        activation_changed_at=now,
    )
    person.set_email(row.email)
    if row.password_hash:
        person.set_password(row.password_hash, now)
    return person


def remove_person(session: Session, person: User) -> None:
    """Somebody whom a file brought and who never was anybody's account. The trail keeps what it says about
    the row; the NIP and the address are free again, as if the file had never been."""
    session.flush()
    session.execute(delete(User).where(User.id == person.id).execution_options(synchronize_session=False))
    session.expunge(person)


def change_category(
    session: Session,
    person: User,
    category: Category,
    act: Act[audit.Actor],
    *,
    cpns_open_by_themselves: bool,
) -> None:
    """A CPNS who became something else is opened where the setting says so, and told. Who has not begun to
    use an account and turns out to be a CPNS waits like every CPNS; whoever is active stays active."""
    person.category = category
    if person.activation is Activation.WAITING_APPROVAL and category is not Category.CPNS:
        if cpns_open_by_themselves:
            person.change_activation(Activation.NOT_ACTIVATED, act.at)
            person.activation_reason = None
            audit.record(session, Tag.CPNS_OPENED_BY_CATEGORY, person, act, category=category)
            letters.cpns_approved(session, person, act)
    elif person.activation is Activation.NOT_ACTIVATED and category is Category.CPNS:
        person.change_activation(Activation.WAITING_APPROVAL, act.at)


def end_mandate(session: Session, mandate: AdminMandate, because: str, act: Act[audit.Actor]) -> None:
    """The right is over. What its holder has decided and is not in effect waits for another look; the centre
    hears of it."""
    mandate.revoke(act.at)
    _end_decision_about(session, mandate, because, act.at)
    audit.record(
        session, Tag.MANDATE_REVOKED, mandate.user, act, role=mandate.role,
        instansi=mandate.instansi.code if mandate.instansi else None,
        sk=mandate.sk_number, reason=because
    )  # fmt: skip
    if mandate.awaits_second:
        what = (
            f"Penunjukan {mandate.user.name} ({mandate.scope}, SK {mandate.sk_number}) tidak jadi: {because}"
        )
        letters.to_pusat(session, what, "/admin/mandat", act)
        return
    letters.mandate_revoked(session, mandate.user, mandate, because, act)
    what = (
        f"Mandat {mandate.scope} milik {mandate.user.name} (SK {mandate.sk_number}) dicabut oleh "
        f"{_name_of(audit.actor_of(act))}: {because}"
    )
    letters.to_pusat(session, what, "/admin/mandat", act)
    recheck_decisions_of(session, mandate.user, "Mandat admin yang memutuskan sudah dicabut.", act)


def take_away(session: Session, change: IdentityChange, person: User, act: Act[object]) -> None:
    """The owner has stopped a change that was in effect: whoever came in by it is out. What it replaced is
    not simply put back where nobody knows which of the two is right."""
    match change.kind:
        case ChangeKind.EMAIL:
            since = change.effective_at
            if (
                person.password_changed_at is not None
                and since is not None
                and person.password_changed_at >= since
            ):
                person.remove_password()
            person.set_email(None)
        case ChangeKind.NIP if change.old_value is not None:
            if User.with_nip(session, Nip(change.old_value)) is None:
                _renumber(session, person, Nip(change.old_value), act.at)
            person.end_all_access()
        case ChangeKind.MANDATE if change.mandate is not None and change.mandate.revoked_at is None:
            end_mandate(session, change.mandate, "Dihentikan oleh pemilik akun.", act.done_by(None))
        case _:
            person.end_all_access()


def give_back_address(session: Session, change: IdentityChange, person: User) -> bool:
    """A second admin finds that the owner was right to stop a change: the address from before is on record
    again."""
    if change.kind is not ChangeKind.EMAIL or person.email is not None or change.old_value is None:
        return False
    try:
        with session.begin_nested():
            person.set_email(EmailAddress(change.old_value))
    except IntegrityError:  # it belongs to somebody else by now
        session.refresh(person)
        return False
    return True


def _put_email(
    session: Session, change: IdentityChange, person: User, act: Act[User | None]
) -> IdentityChange | AddressTaken:
    """Every token and session of the old address is dead, and a token to the new one is on its way."""
    try:
        with session.begin_nested():
            person.set_email(EmailAddress(change.new_value))
    except IntegrityError:  # somebody else has taken it since the look-up
        session.refresh(person)
        return AddressTaken(None)
    person.mail_failed_at = None
    _record(session, Tag.EMAIL_CHANGED, change, person, act)
    letters.email_changed(session, person, change, act)
    request = new_request_by_desk(session, person, act)
    letters.answer_to_reset_request(session, request, act, held=False, change=change)
    return change


def _put_no_email(session: Session, change: IdentityChange, person: User, act: Act[User | None]) -> None:
    """As before somebody put the first address on record. Whoever reads that mailbox hears of it, and its
    tokens are dead."""
    person.set_email(None)
    _record(session, Tag.EMAIL_CHANGED, change, person, act)
    what = (
        f"Alamat email ini tidak terdaftar lagi untuk akun itu: {_office(session, change, act.at)} "
        "mengembalikan data yang lama."
    )
    letters.identity_changed(session, person, change, what, what, act)


def _put_nip(
    session: Session, change: IdentityChange, person: User, act: Act[User | None]
) -> IdentityChange | NipTaken:
    new = Nip(change.new_value)
    by_pusat = change.decided_by_id is None or AdminMandate.is_of_pusat(
        session, change.decided_by_id, today_in_jakarta(act.at)
    )
    if User.with_nip(session, new) is not None or (
        FormerNip.is_reserved(session, new, person.id) and not by_pusat
    ):
        return NipTaken()
    try:
        with session.begin_nested():
            _renumber(session, person, new, act.at)
    except IntegrityError:
        session.refresh(person)
        return NipTaken()
    _record(session, Tag.NIP_CHANGED, change, person, act)
    what = (
        f"NIP akun Anda sekarang {new.grouped}. Pakai NIP ini untuk masuk; NIP yang lama tidak berlaku lagi."
    )
    letters.identity_changed(session, person, change, what, "NIP akun itu diubah.", act)
    return change


def _renumber(session: Session, person: User, new: Nip, now: datetime) -> None:
    session.add(FormerNip(nip=person.nip, user_id=person.id, given_up_at=now))
    person.renumber(new)
    session.flush()


def _put_instansi(session: Session, change: IdentityChange, person: User, act: Act[User | None]) -> None:
    """The right over the old instansi ends with the same commit; requests go to the new desk. Both desks keep
    a row of it."""
    target = Instansi.with_code(session, change.new_value)
    assert target is not None, "instansi are never removed"
    source = person.instansi
    _record(session, Tag.MOVED, change, person, act, to=target.code)
    for mandate in _mandates_elsewhere(session, person, target):
        end_mandate(session, mandate, "pindah instansi", act)
    recheck_decisions_of(session, person, "Admin yang memutuskan sudah pindah instansi.", act)
    person.move_to(target)
    session.flush()
    for kind in (EmailCorrection, IdentityChange):
        session.execute(update(kind).where(kind.user_id == person.id).values(instansi_id=target.id))
    session.refresh(change, ["instansi_id"])
    _record(session, Tag.MOVED, change, person, act, came_from=source.code)
    what = (
        f"Akun Anda dipindahkan oleh {_office(session, change, act.at)} dari {source.name} ke {target.name}."
    )
    letters.identity_changed(session, person, change, what, what, act)


def _put_category(session: Session, change: IdentityChange, person: User, act: Act[User | None]) -> None:
    """Out of, or into, a category whose accounts are guarded. It opens nobody's account."""
    change_category(session, person, Category(change.new_value), act, cpns_open_by_themselves=False)
    person.end_all_access()
    _record(session, Tag.CATEGORY_CHANGED, change, person, act)
    before = Category(change.old_value or "").label
    what = (
        f"Kategori akun Anda diubah oleh {_office(session, change, act.at)} dari {before} menjadi "
        f"{person.category.label}."
    )
    letters.identity_changed(session, person, change, what, what, act)


def _put_mandate(session: Session, change: IdentityChange, person: User, act: Act[User | None]) -> None:
    mandate = change.mandate
    assert mandate is not None, "the kind says so"
    for replaced in AdminMandate.held_over(session, person.id, mandate.instansi_id, today_in_jakarta(act.at)):
        replaced.revoke(act.at)
        audit.record(
            session, Tag.MANDATE_REVOKED, person, act, role=replaced.role,
            instansi=mandate.instansi.code if mandate.instansi else None, sk=replaced.sk_number,
            reason=f"diganti dengan SK {mandate.sk_number}"
        )  # fmt: skip
    mandate.awaits_second, mandate.confirmed_by_id = False, change.confirmed_by_id
    mandate.starts_on = today_in_jakarta(act.at)
    audit.record(
        session, Tag.MANDATE_GRANTED, person, act, role=mandate.role,
        instansi=mandate.instansi.code if mandate.instansi else None, sk=mandate.sk_number,
        until=mandate.ends_on.isoformat()
    )  # fmt: skip
    letters.mandate_granted(session, person, change, mandate, act)
    what = (
        f"Mandat {mandate.scope} diberikan kepada {person.name} (SK {mandate.sk_number}) oleh "
        f"{_name_of(change.decided_by)}."
    )
    letters.to_pusat(session, what, "/admin/mandat", act)


def _record(
    session: Session, tag: Tag, change: IdentityChange, person: User, act: Act[User | None], **facts: str
) -> None:
    column = change.kind.column
    event = audit.record(session, tag, person, act, change=change.id, reason=change.reason)
    event.add({**audit.before_and_after(session, column, change.old_value, change.new_value), **facts})


def _end_decision_about(session: Session, mandate: AdminMandate, because: str, now: datetime) -> None:
    decided = select(IdentityChange).where(IdentityChange.mandate_id == mandate.id)
    for change in session.scalars(decided):
        if change.is_under_way:
            change.end(ChangeState.CANCELLED, because, now)


def _mandates_elsewhere(session: Session, person: User, target: Instansi) -> list[AdminMandate]:
    """Those over an instansi, the target apart; one over all instansi is not bound to where its holder
    sits."""
    held = select(AdminMandate).where(
        AdminMandate.user_id == person.id,
        AdminMandate.instansi_id.is_not(None),
        AdminMandate.instansi_id != target.id,
        AdminMandate.revoked_at.is_(None),
    )
    return list(session.scalars(held))


def _office(session: Session, change: IdentityChange, now: datetime) -> str:
    return letters.office_of(session, change.decided_by, now)


def _name_of(actor: User | None) -> str:
    return actor.name if actor else "operator portal"
