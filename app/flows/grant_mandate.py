"""The centre appoints an admin by a letter (SK)."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.models.admin_mandate import AdminMandate, Role
from app.models.audit_event import Tag
from app.models.instansi import Instansi
from app.models.user import User
from app.security import audit


@dataclass(frozen=True)
class UnknownPerson:
    pass


@dataclass(frozen=True)
class UnknownInstansi:
    code: str


@dataclass(frozen=True)
class AlreadyOver:
    """The last day lies in the past."""


def grant_mandate(
    session: Session, nip: Nip, instansi_code: str | None, sk_number: str, until: date, client: Client, now: datetime
) -> AdminMandate | UnknownPerson | UnknownInstansi | AlreadyOver:
    """Give the right over one instansi, or over all for `instansi_code` None, from today through `until`."""
    today = today_in_jakarta(now)
    if until < today:
        return AlreadyOver()
    user = User.with_nip(session, nip)
    if user is None:
        return UnknownPerson()
    instansi = Instansi.with_code(session, instansi_code) if instansi_code else None
    if instansi_code and instansi is None:
        return UnknownInstansi(instansi_code)
    mandate = AdminMandate(
        user_id=user.id,
        role=Role.ADMIN_INSTANSI if instansi else Role.ADMIN_PUSAT,
        instansi_id=instansi.id if instansi else None,
        sk_number=sk_number,
        starts_on=today,
        ends_on=until,
    )
    session.add(mandate)
    audit.record(session, Tag.MANDATE_GRANTED, user, client, now, role=mandate.role, instansi=instansi_code, sk=sk_number)
    return mandate
