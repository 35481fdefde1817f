"""An operator lifts the limits that someone's wrong tries have set on a NIP."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.nip import Nip
from app.flows import log_in
from app.flows.request_reset import mail_bucket
from app.models.audit_event import Tag
from app.models.user import User
from app.security import audit, throttle
from app.security.signing import SigningKeys


def unlock(session: Session, nip: Nip, keys: SigningKeys, client: Client, now: datetime) -> None:
    """Forget the NIP's tries at login and token, whether it exists or not, and the mails to its address on record."""
    user = User.with_nip(session, nip)
    log_in.forget_tries(session, nip, None, keys)
    throttle.forget(session, keys.fingerprint(throttle.TOKEN_PER_NIP.name, nip.digits))
    if user is not None and user.email_key:
        throttle.forget(session, mail_bucket(nip.digits, user.email_key, keys))
    audit.record(session, Tag.UNLOCKED, user, client, now)
