"""Mutasi: a person leaves for another instansi. The old admin's rights end with the same commit."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.indonesian_time import today_in_jakarta
from app.flows.change_email import cancel_under_way
from app.mail import letters
from app.models.admin_mandate import AdminMandate
from app.models.audit_event import Tag
from app.models.email_change import EmailChange
from app.models.email_correction import EmailCorrection
from app.models.instansi import Instansi
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class Moved:
    person: User
    to: Instansi


@dataclass(frozen=True)
class UnknownInstansi:
    pass


@dataclass(frozen=True)
class AlreadyThere:
    pass


def move_person(
    session: Session, authority: Authority, person_id: int, code: str, reason: str, client: Client, now: datetime
) -> Moved | AlreadyThere | UnknownInstansi | OutOfReach | NotToTouch:
    """Hand the person over, with all that is open about the person. Both desks keep a row of it."""
    person = authority.person_to_act_on(session, person_id, today_in_jakarta(now))
    if not isinstance(person, User):
        return person
    target = Instansi.with_code(session, code)
    if target is None:
        return UnknownInstansi()
    source = person.instansi
    if target.id == source.id:
        return AlreadyThere()

    audit.record(session, Tag.MOVED, person, client, now, actor=authority.admin, to=target.code, reason=reason)
    hand_over(session, person, target, authority.admin, client, now)
    audit.record(session, Tag.MOVED, person, client, now, actor=authority.admin, came_from=source.code, reason=reason)
    what = f"Akun Anda dipindahkan oleh {authority.office} dari {source.name} ke {target.name}."
    letters.account_changed(session, person, what, reason, client, now)
    return Moved(person, target)


def hand_over(session: Session, person: User, target: Instansi, actor: User | None, client: Client, now: datetime) -> None:
    """What a change of instansi means, whoever makes it: the right over the old one ends, requests go to the new desk."""
    cancel_under_way(session, person, "Pegawai pindah instansi.", actor, client, now)
    for mandate in _mandates_elsewhere(session, person, target):
        mandate.revoked_at = now
        audit.record(
            session, Tag.MANDATE_REVOKED, person, client, now, actor=actor, sk=mandate.sk_number, because="pindah instansi"
        )
    person.move_to(target)
    session.flush()
    for kind in (EmailCorrection, EmailChange):
        session.execute(update(kind).where(kind.user_id == person.id).values(instansi_id=target.id))


def _mandates_elsewhere(session: Session, person: User, target: Instansi) -> list[AdminMandate]:
    """Those over an instansi, the target apart; one over all instansi is not bound to where its holder sits."""
    held = select(AdminMandate).where(
        AdminMandate.user_id == person.id,
        AdminMandate.instansi_id.is_not(None),
        AdminMandate.instansi_id != target.id,
        AdminMandate.revoked_at.is_(None),
    )
    return list(session.scalars(held))
