"""The one gate for changes of what identifies a person: email, NIP, instansi, category, mandates.

It decides which course a change takes, who hears of it, and who may be the second admin. It does so for every
change, from every page and command. app/flows/identity/put_on_record.py carries out what passes, and is the
only writer of these columns.

- Nobody has used the account, and nobody has ever stopped a change of it: the change takes effect at once.
- The account is in use: a new email or NIP waits, and the reader of every address that was told can stop it.
- The person holds a mandate or is PPT Non ASN, now or within the last 30 days, or the account is contested: a
  second admin has to confirm.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.categories import Category
from app.domain.email_address import EmailAddress
from app.domain.identity import LOOKS_BACK, ChangeKind, Course
from app.domain.indonesian_time import today_in_jakarta
from app.models.admin_mandate import AdminMandate, Role
from app.models.audit_event import AuditEvent, Tag
from app.models.identity_change import IdentityChange
from app.models.user import User
from app.security.authority import Authority, NotToTouch

# How often an account may be contested within LOOKS_BACK. Without this limit, somebody who reads the owner's
# former mailbox could stop each rightful change, and use up one admin after the other.
MOST_CONTESTS = 2

_OWN_DECISION = NotToTouch("Perubahan ini Anda sendiri yang memutuskan. Admin lain harus mengonfirmasinya.")
_DECIDED_BEFORE = NotToTouch(
    "Anda sudah pernah memutuskan tentang akun ini sebelum pemiliknya menghentikan perubahan. Admin lain "
    "harus memeriksanya."
)
_NOT_INDEPENDENT = NotToTouch(
    "Dalam 30 hari terakhir salah satu dari Anda berdua ditunjuk, atau datanya diubah, oleh yang lain atau "
    "oleh admin yang sama. Admin lain yang tidak terkait harus mengonfirmasinya."
)
_ONLY_PUSAT = NotToTouch("Mandat pusat hanya dikonfirmasi atau dibatalkan oleh admin pusat.")


def course_of(
    session: Session,
    person: User,
    kind: ChangeKind,
    delay: timedelta,
    now: datetime,
    new_address: str | None = None,
) -> Course:
    """The course that a change takes when one admin has decided on it."""
    if IdentityChange.contesting(session, person.id):
        return Course.WITH_SECOND
    if kind is not ChangeKind.MANDATE and is_protected(session, person, now):
        return Course.WITH_SECOND
    if kind not in (ChangeKind.EMAIL, ChangeKind.NIP):
        return Course.AT_ONCE
    must_hear = person.is_in_use or was_ever_stopped(session, person)
    if must_hear and not hearers(session, person, new_address):
        return Course.WITH_SECOND
    if not may_still_be_contested(session, person, now):
        return Course.WITH_SECOND
    return course_after_second(person, kind, delay)


def course_after_second(person: User, kind: ChangeKind, delay: timedelta) -> Course:
    """The course that a change takes when nobody else has to agree any more."""
    waits = kind in (ChangeKind.EMAIL, ChangeKind.NIP) and person.is_in_use and delay
    return Course.AFTER_WAIT if waits else Course.AT_ONCE


def needs_second(session: Session, person: User, now: datetime) -> bool:
    """Whether a new email needs a second admin."""
    return course_of(session, person, ChangeKind.EMAIL, timedelta(), now) is Course.WITH_SECOND


def need_second_among(session: Session, people: Collection[User], now: datetime) -> frozenset[int]:
    """The ids of those among these people whose new email needs a second admin."""
    settled = need_second_to_move_among(session, people, now)
    unheard = {
        person.id
        for person in people
        if person.email is None and person.id not in settled and needs_second(session, person, now)
    }
    return settled | unheard


def need_second_to_move_among(session: Session, people: Collection[User], now: datetime) -> frozenset[int]:
    """The same, for another instansi."""
    contested = IdentityChange.contested_among(session, [person.id for person in people])
    return protected_among(session, people, now) | contested


def is_protected(session: Session, person: User, now: datetime) -> bool:
    """Whether this account opens more than its own data, or did so within the last 30 days."""
    return bool(protected_among(session, [person], now))


class Account(Protocol):
    """An account of somebody."""

    @property
    def id(self) -> int: ...
    @property
    def category(self) -> Category: ...


def protected_among(session: Session, people: Iterable[Account], now: datetime) -> frozenset[int]:
    """The ids of those among these people whose accounts open more than their own data, or did so within the
    last 30 days."""
    known = list(people)
    ids = [person.id for person in known]
    ppt = {person.id for person in known if person.category is Category.PPT_NON_ASN}
    left_ppt = IdentityChange.left_category(session, ids, Category.PPT_NON_ASN, now - LOOKS_BACK)
    return AdminMandate.held_lately(session, ids, today_in_jakarta(now)) | ppt | left_ppt


def was_ever_stopped(session: Session, person: User) -> bool:
    return any(change.was_stopped for change in IdentityChange.all_of(session, person.id))


def hearers(session: Session, person: User, new_address: str | None = None) -> list[str]:
    """The addresses that must be told of a change: the address on record, and every address that was told of
    a change which somebody has stopped and no second admin has settled since. If there is none, the addresses
    that were told last. The new address is never among them."""
    addresses = [person.email] if person.email else []
    for change in IdentityChange.contesting(session, person.id):
        addresses += change.told
    if not addresses:
        earlier = (change.told for change in IdentityChange.all_of(session, person.id) if change.told)
        addresses += next(earlier, [])
    by_key = {EmailAddress(address).key: address for address in addresses}
    if new_address is not None:
        by_key.pop(EmailAddress(new_address).key, None)
    return list(by_key.values())


def may_still_be_contested(session: Session, person: User, now: datetime) -> bool:
    """Whether the owner may still stop a change. They may not if second admins have lately settled enough
    stopped changes of this account."""
    return IdentityChange.count_settled(session, person.id, now - LOOKS_BACK) < MOST_CONTESTS


def objection_to_second(
    session: Session, authority: Authority, change: IdentityChange, now: datetime
) -> NotToTouch | None:
    """Why this admin may not confirm a change, or settle a change that its owner has stopped."""
    if change.kind is ChangeKind.MANDATE and not authority.is_pusat:
        return _ONLY_PUSAT
    if change.decided_by_id == authority.admin.id:
        return _OWN_DECISION
    contesting = IdentityChange.contesting(session, change.user_id)
    deciders = {by for one in contesting for by in (one.decided_by_id, one.confirmed_by_id)} - {None}
    if authority.admin.id in deciders:
        return _DECIDED_BEFORE
    own_word = admins_behind(session, authority.admin.id, now)
    for decider in {change.decided_by_id, *deciders} - {None}:
        if decider is not None and own_word & admins_behind(session, decider, now):
            return _NOT_INDEPENDENT
    return None


def objection_to_cancel(authority: Authority, change: IdentityChange) -> NotToTouch | None:
    """An admin of an instansi may withdraw the successor whom they have proposed."""
    if change.mandate is None or authority.is_pusat:
        return None
    is_own = change.decided_by_id == authority.admin.id
    return None if is_own and change.mandate.instansi_id in authority.instansi_ids else _ONLY_PUSAT


def possible_second_admins(session: Session, change: IdentityChange, now: datetime) -> list[User]:
    """The admins of the person's instansi who may be the second admin. If there is none, those of pusat."""
    today = today_in_jakarta(now)
    scopes = (
        [] if change.kind is ChangeKind.MANDATE else [AdminMandate.instansi_id == change.user.instansi_id]
    )
    for scope in (*scopes, AdminMandate.role == Role.ADMIN_PUSAT):
        holders = select(AdminMandate.user_id).where(scope, AdminMandate.holds_on(today))
        found = session.scalars(
            select(User).where(User.id.in_(holders), User.id != change.user_id).order_by(User.id)
        )
        able = [admin for admin in found if _may_be_second(session, admin, change, now)]
        if able:
            return able
    return []


def admins_behind(session: Session, user_id: int, now: datetime) -> frozenset[int]:
    """This admin, and all admins who alone have decided about this admin's account within the last 30 days:
    those who appointed them or put what identifies them on record. The same goes for the accounts of those
    admins in turn. One dishonest admin could act through all of these accounts."""
    today, since = today_in_jakarta(now), now - LOOKS_BACK
    found: set[int] = set()
    to_ask = [user_id]
    while to_ask:
        one = to_ask.pop()
        if one not in found:
            found.add(one)
            to_ask += AdminMandate.appointed_lately_by(session, one, today)
            to_ask += IdentityChange.in_effect_by_one(session, one, since)
            to_ask += _added_by(session, one, since)
    return frozenset(found)


def _added_by(session: Session, user_id: int, since: datetime) -> list[int]:
    added = (AuditEvent.account_id == user_id, AuditEvent.tag == Tag.IMPORTED_NEW, AuditEvent.at >= since)
    return [one for one in session.scalars(select(AuditEvent.actor_id).where(*added)) if one is not None]


def _may_be_second(session: Session, admin: User, change: IdentityChange, now: datetime) -> bool:
    today = today_in_jakarta(now)
    authority = Authority.in_office(session, admin, today)
    if authority is None or authority.objection(session, change.user, today):
        return False
    return objection_to_second(session, authority, change, now) is None
