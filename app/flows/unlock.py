"""An operator lifts the limits that someone's wrong tries have set on a NIP."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.nip import Nip
from app.flows import log_in
from app.models.audit_event import Tag
from app.models.user import User
from app.security import audit, throttle
from app.security.signing import SigningKeys


def unlock(session: Session, nip: Nip, keys: SigningKeys, client: Client, now: datetime) -> None:
    """Forget the NIP's tries at login, token and mail, whether the NIP exists or not."""
    log_in.forget_tries(session, nip, None, keys)
    throttle.give_back(session, keys.fingerprint(throttle.TOKEN_PER_NIP.name, nip.digits))
    for addressee in throttle.MAIL_ADDRESSEES:
        throttle.give_back(session, keys.fingerprint(throttle.MAIL_PER_NIP.name, nip.digits, addressee))
    audit.record(session, Tag.UNLOCKED, User.with_nip(session, nip), client, now)
