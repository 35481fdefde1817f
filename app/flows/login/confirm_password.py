"""An admin who is logged in shows the password once more, before something that matters."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.flows.login import log_in
from app.models.audit_event import Tag
from app.models.login_session import LoginSession
from app.models.user import User
from app.security import audit, guesses
from app.security.signing import SigningKeys
from app.security.throttle import TooManyTries


def begin(
    session: Session, user: User, marks: Collection[str], keys: SigningKeys, client: Client, now: datetime
) -> log_in.Attempt | TooManyTries:
    """Count the try like one at the login: whoever holds a stolen session must not guess here instead."""
    return log_in.begin(session, user.shown_nip, marks, keys, client, now)


def finish(
    session: Session,
    attempt: log_in.Attempt,
    login: LoginSession,
    is_right: bool,
    client: Client,
    now: datetime,
) -> bool:
    """Note the proof in this login, if the password is still the one that was compared."""
    user = User.with_nip(session, attempt.nip, lock=True)
    if user is None or not is_right or user.password_hash != attempt.password_hash:
        audit.record(session, Tag.LOGIN_REFUSED, user, client, now)
        return False
    guesses.give_back(session, attempt.limit, attempt.bucket)
    login.note_proof(session, now)
    audit.record(session, Tag.PASSWORD_SHOWN_AGAIN, user, client, now, actor=user)
    return True
