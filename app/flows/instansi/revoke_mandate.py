"""Pusat revokes a mandate before its last day. The admin is out with the next click."""

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.flows.identity.put_on_record import end_mandate
from app.flows.instansi.grant_mandate import UnknownPerson, lock_for_mandate
from app.models.admin_mandate import AdminMandate
from app.models.instansi import Instansi, UnknownInstansi
from app.models.user import User
from app.security.authority import Authority, NotToTouch, OutOfReach


def revoke_mandate(
    session: Session, mandate_id: int, reason: str, act: Act[Authority]
) -> AdminMandate | OutOfReach | NotToTouch:
    """Revoke one mandate. A mandate that is already over or revoked stays as it is, and nothing is
    recorded."""
    mandate = session.get(AdminMandate, mandate_id)
    if mandate is None:
        return OutOfReach()
    today = today_in_jakarta(act.at)
    if objection := lock_for_mandate(session, act.by.admin, mandate.user, today):
        return objection
    session.refresh(mandate)
    if mandate.is_in_force(today):
        end_mandate(session, mandate, reason, act)
    return mandate


def revoke_mandates_of(
    session: Session, nip: Nip, instansi_code: str | None, act: Act[None], *, is_pusat: bool
) -> list[AdminMandate] | UnknownPerson | UnknownInstansi:
    """At the command line, revoke the mandates that the person holds today: those over one instansi, those
    over all instansi, or, if neither is given, every mandate."""
    today = today_in_jakarta(act.at)
    person = User.with_nip(session, nip, lock=True)
    if person is None:
        return UnknownPerson()
    instansi = Instansi.one_or_all(session, instansi_code)
    if isinstance(instansi, UnknownInstansi):
        return instansi
    if instansi or is_pusat:
        held = AdminMandate.held_over(session, person.id, instansi.id if instansi else None, today)
    else:
        held = AdminMandate.held_by(session, person.id, today)
    for mandate in held:
        end_mandate(session, mandate, "dicabut lewat baris perintah", act)
    return held
