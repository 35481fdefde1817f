"""The instansi opens the account of a CPNS, who has waited for it."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.categories import Activation
from app.domain.client import Client
from app.domain.nip import Nip
from app.models.audit_event import Tag
from app.models.user import User
from app.security import audit


def approve_cpns(session: Session, nip: Nip, client: Client, now: datetime) -> User | None:
    """Open the account; None when nobody with this NIP is waiting. The person's next login is the activation."""
    user = User.with_nip(session, nip, lock=True)
    if user is None or user.activation is not Activation.WAITING_APPROVAL:
        return None
    user.change_activation(Activation.NOT_ACTIVATED, now)
    audit.record(session, Tag.CPNS_APPROVED, user, client, now)
    return user
