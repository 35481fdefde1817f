"""An admin closes an account, or opens it again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.indonesian_time import today_in_jakarta
from app.flows.identity.change_identity import cancel_under_way
from app.flows.identity.hold_decisions import hold_decisions_of
from app.mail import letters
from app.models.audit_event import Tag
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class AlreadySo:
    """Somebody was faster: the account is in the wanted state."""


def deactivate(
    session: Session, authority: Authority, person_id: int, reason: str, client: Client, now: datetime
) -> User | AlreadySo | OutOfReach | NotToTouch:
    """Nobody enters any more; every token and session is dead, and the owner is told why and by which
    office."""
    person = authority.person_to_act_on(session, person_id, today_in_jakarta(now))
    if not isinstance(person, User):
        return person
    if person.is_deactivated:
        return AlreadySo()
    cancel_under_way(session, person, "Akun dinonaktifkan.", authority.admin, client, now)
    hold_decisions_of(session, person, "Akun admin yang memutuskan sudah dinonaktifkan.", client, now)
    person.deactivate(authority.office, reason, now)
    audit.record(session, Tag.DEACTIVATED, person, client, now, actor=authority.admin, reason=reason)
    what = f"Akun Anda dinonaktifkan oleh {authority.office}, jadi tidak dapat dipakai untuk masuk."
    letters.account_changed(session, person, what, reason, client, now)
    letters.act_on_holder(session, authority.admin, person, "menonaktifkan akun", client, now)
    return person


def reactivate(
    session: Session, authority: Authority, person_id: int, reason: str, client: Client, now: datetime
) -> User | AlreadySo | OutOfReach | NotToTouch:
    """The account stands again where it stood. Tokens and sessions from before stay dead."""
    person = authority.person_to_act_on(session, person_id, today_in_jakarta(now))
    if not isinstance(person, User):
        return person
    if not person.is_deactivated:
        return AlreadySo()
    person.reactivate(now)
    audit.record(session, Tag.REACTIVATED, person, client, now, actor=authority.admin, reason=reason)
    what = (
        f"Akun Anda diaktifkan kembali oleh {authority.office}. Status akun sekarang: "
        f"{person.activation.label}."
    )
    letters.account_changed(session, person, what, reason, client, now)
    letters.act_on_holder(session, authority.admin, person, "mengaktifkan kembali akun", client, now)
    return person
