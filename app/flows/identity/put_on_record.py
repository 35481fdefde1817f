"""This module alone writes what identifies a person, after the gate (app/flows/identity/identity_gate.py) has
let the change through.

Each such change ends what was given to the person under the old values: sessions, tokens, and whatever else
depends on these values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Activation, Category, initial_activation
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import shown_date, today_in_jakarta
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
from app.models.mandate_handover import MandateHandover
from app.models.many_rows import insert_many
from app.models.user import User
from app.security import audit


@dataclass(frozen=True)
class AddressTaken:
    """Somebody has this address already. `owner` is set only for an admin who may see that person."""

    owner: User | None


@dataclass(frozen=True)
class NipTaken:
    """Somebody has this NIP, or had it once. It is not said who that is, and where."""


class AddedPerson(NamedTuple):
    """A person whom a file has just brought."""

    id: int
    instansi_id: int
    name: str


TakenByAnother = AddressTaken | NipTaken

_OF_A_PASSWORD = ("password_hash", "old_scheme", "old_cost", "password_changed_at", "browser_mark")
_NO_PASSWORD = (None,) * len(_OF_A_PASSWORD)
_OF_A_NEW_PERSON = (
    "id",
    "nip",
    "name",
    "email",
    "email_key",
    "phone",
    "category",
    "instansi_id",
    "work_unit",
    "activation",
    "activation_changed_at",
    "has_old_words",
    "credential_version",
    *_OF_A_PASSWORD,
)

_REVOKED = "Mandat admin yang memutuskan sudah dicabut."
_UNTIL_THEN = "Sampai hari itu Anda tetap bekerja seperti biasa. Selesaikan yang sedang Anda kerjakan."
NO_ADDRESS = (
    ""  # what a change to no address at all is to: a file brought one where there was none, and is taken back
)


def put_on_record(
    session: Session, change: IdentityChange, person: User, act: Act[object]
) -> IdentityChange | TakenByAnother:
    """The change takes effect now, and all hearers are told. The person is locked."""
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


def numbered(
    session: Session, rows: Sequence[StaffRow], instansi: Mapping[str, Instansi]
) -> list[AddedPerson]:
    """The people whom a file is about to bring, in the order of its rows."""
    desks = {code: one.id for code, one in instansi.items()}
    return [
        AddedPerson(user_id, desks[row.instansi_code], row.name)
        for user_id, row in zip(User.next_ids(session, len(rows)), rows, strict=True)
    ]


def add_people(
    session: Session, people: Sequence[AddedPerson], rows: Sequence[StaffRow], now: datetime
) -> None:
    """Write the people of these rows, who are `numbered`."""
    values = [
        (
            person.id,
            row.nip.digits,
            row.name,
            *((row.email.text, row.email.key) if row.email else (None, None)),
            row.phone,
            row.category,
            person.instansi_id,
            row.work_unit,
            initial_activation(row.category),
            now,
            False,
            1,
            *(_password_of(row.password_hash, now) if row.password_hash else _NO_PASSWORD),
        )
        for person, row in zip(people, rows, strict=True)
    ]
    insert_many(session, User, _OF_A_NEW_PERSON, values)


def _password_of(password_hash: str, now: datetime) -> Iterator[object]:
    person = User()
    person.set_password(password_hash, now)
    return (getattr(person, column) for column in _OF_A_PASSWORD)


def remove_person(session: Session, person: User) -> None:
    """Remove a person whom a file brought and whose account nobody ever used. The trail keeps what it says
    about the row. The NIP and the address are free again, as if the file had never come."""
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
    """If a CPNS gets another category and the setting says so, the account opens and the person is told. A
    person who turns out to be a CPNS and has not begun to use the account waits like every CPNS. An active
    account stays active."""
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
    """The mandate is over, and pusat is told. Decisions of its holder that are not in effect wait for another
    admin. If the mandate was to be handed over, that comes to nothing."""
    _close_mandate(session, mandate, because, act)
    if mandate.awaits_second:
        what = (
            f"Penunjukan {mandate.user.name} ({mandate.scope}, SK {mandate.sk_number}) tidak jadi: {because}"
        )
        letters.to_pusat(session, what, "/admin/mandat", act)
        return
    what = (
        f"Mandat {mandate.scope} milik {mandate.user.name} (SK {mandate.sk_number}) dicabut oleh "
        f"{_name_of(audit.actor_of(act))}: {because}"
    )
    letters.to_pusat(session, what, "/admin/mandat", act)
    for waiting in MandateHandover.waiting_from(session, mandate):
        end_mandate(session, waiting.mandate, "Mandat yang akan diserahkan sudah dicabut.", act)
    recheck_decisions_of(session, mandate.user, _REVOKED, act)


def _close_mandate(session: Session, mandate: AdminMandate, because: str, act: Act[audit.Actor]) -> None:
    """The mandate is over. Its holder is told, if it has ever held."""
    _end_decision_about(session, mandate, because, act.at)
    mandate.revoke(act.at)
    audit.record(
        session, Tag.MANDATE_REVOKED, mandate.user, act, role=mandate.role,
        instansi=mandate.instansi.code if mandate.instansi else None,
        sk=mandate.sk_number, reason=because
    )  # fmt: skip
    if not mandate.awaits_second:
        letters.mandate_revoked(session, mandate.user, mandate, because, act)


def take_away(session: Session, change: IdentityChange, person: User, act: Act[object]) -> None:
    """The owner has stopped a change that was in effect. Anybody who came in through it is out. The old value
    is not simply put back if nobody knows which of the two values is right."""
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
    """A second admin finds that the owner was right to stop a change, so the earlier address is on record
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
    """Every token and session from before is dead, and a token to the new address is on its way."""
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
    """Remove the address, because there was none before the file. The reader of that mailbox is told, and its
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
    """The person's mandates over other instansi end with the same commit, and their requests go to the new
    desk. Both desks have an event of this in the trail."""
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
    """Change into, or out of, a category whose accounts are protected. This opens nobody's account."""
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
    for waiting in MandateHandover.waiting_from(session, mandate):
        waiting.former = mandate  # whom they have proposed waits on, and takes the place of the new one
    mandate.awaits_second, mandate.confirmed_by_id = False, change.confirmed_by_id
    mandate.starts_on = today_in_jakarta(act.at)
    audit.record(
        session, Tag.MANDATE_GRANTED, person, act, role=mandate.role,
        instansi=mandate.instansi.code if mandate.instansi else None, sk=mandate.sk_number,
        until=mandate.ends_on.isoformat()
    )  # fmt: skip
    letters.mandate_granted(session, person, change, mandate, act)
    handover = MandateHandover.to(session, mandate.id)
    what = (
        f"Mandat {mandate.scope} diberikan kepada {person.name} (SK {mandate.sk_number}) oleh "
        f"{_name_of(change.decided_by)}{_second(session, change)}{_instead_of(handover)}."
    )
    letters.to_pusat(session, what, "/admin/mandat", act)
    if handover is not None:
        _end_former(session, handover, act)


def _second(session: Session, change: IdentityChange) -> str:
    if change.confirmed_by_id is None:
        return ""
    return f", dikonfirmasi oleh {session.get_one(User, change.confirmed_by_id).name}"


def _instead_of(handover: MandateHandover | None) -> str:
    if handover is None:
        return ""
    until = handover.former_until
    when = f"berakhir pada {shown_date(until)}" if until else "langsung berakhir"
    return f", menggantikan {handover.former.user.name}, yang mandatnya {when}"


def _end_former(session: Session, handover: MandateHandover, act: Act[User | None]) -> None:
    """What the former holder holds over the same scope ends now, or gets its last day. Both people are
    locked."""
    former, successor, today = handover.former, handover.mandate, today_in_jakarta(act.at)
    because = f"diserahkan kepada {successor.user.name} (SK {successor.sk_number})"
    for mandate in AdminMandate.held_over(session, former.user_id, former.instansi_id, today):
        if handover.former_until is None or handover.former_until < today:
            _close_mandate(session, mandate, because, act)
            recheck_decisions_of(session, mandate.user, _REVOKED, act)
        elif handover.former_until < mandate.ends_on:
            mandate.shorten(handover.former_until)
            audit.record(
                session, Tag.MANDATE_SHORTENED, mandate.user, act, role=mandate.role,
                instansi=mandate.instansi.code if mandate.instansi else None, sk=mandate.sk_number,
                reason=because, until=mandate.ends_on.isoformat()
            )  # fmt: skip
            letters.mandate_ends(session, mandate, f"Mandat ini {because}.", _UNTIL_THEN, act)


def _record(
    session: Session, tag: Tag, change: IdentityChange, person: User, act: Act[User | None], **facts: str
) -> None:
    column = change.kind.column
    event = audit.record(session, tag, person, act, change=change.id, reason=change.reason)
    event.add({**audit.before_and_after(session, column, change.old_value, change.new_value), **facts})


def _end_decision_about(session: Session, mandate: AdminMandate, because: str, now: datetime) -> None:
    """The row is locked before the mandate is written, as it is for the person who stops the change: they may
    do so at this moment, and what is frozen stays frozen."""
    decided = select(IdentityChange).where(
        IdentityChange.user_id == mandate.user_id, IdentityChange.mandate_id == mandate.id
    )
    locked = decided.with_for_update(of=IdentityChange).execution_options(populate_existing=True)
    for change in session.scalars(locked):
        if change.is_under_way:
            change.end(ChangeState.CANCELLED, because, now)


def _mandates_elsewhere(session: Session, person: User, target: Instansi) -> list[AdminMandate]:
    """The mandates over any single instansi except the target. A mandate over all instansi does not depend on
    where its holder works."""
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
