"""Someone with a NIP and a password wants to enter. The first time, this is the activation.

Two steps, because the hash between them takes longer than a transaction may: `begin` counts the try and finds what
to verify against, `finish` looks again at the account as it stands then.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.nip import Nip
from app.models.account import Account
from app.models.audit_event import Tag
from app.models.user import User
from app.security import audit, throttle
from app.security.signing import SigningKeys
from app.security.throttle import TooManyTries


@dataclass(frozen=True)
class Attempt:
    """One counted try, with the account as it was then."""

    nip: Nip
    bucket: str
    account: Account
    old_costs: dict[str, int]  # what everybody's try pays for the imported hashes of older schemes

    @property
    def password_hash(self) -> str | None:
        """None for a stranger's NIP and for an account without a password."""
        return self.account.password_hash


@dataclass(frozen=True)
class WrongPassword:
    """NIP and password do not fit: the one answer for every reason that is not proven."""


@dataclass(frozen=True)
class NotOpen:
    """The password is right and the account is not to be entered: waiting, or deactivated."""

    user: User


@dataclass(frozen=True)
class Entered:
    """The person may enter. `previous_login_at` is None at the activation."""

    user: User
    previous_login_at: datetime | None


def begin(
    session: Session, nip: Nip, device: str | None, keys: SigningKeys, client: Client, now: datetime
) -> Attempt | TooManyTries:
    """Count the try before anything else. `device` is the mark of a browser that has been in this account before."""
    limit = throttle.LOGIN_PER_KNOWN_DEVICE if device else throttle.LOGIN_PER_NIP
    bucket = _bucket(limit, nip, device, keys)
    answer = throttle.take(session, limit, bucket, now)
    account = Account.of(session, nip)
    if isinstance(answer, TooManyTries):
        audit.record(session, Tag.LOGIN_THROTTLED, account, client, now)
        return answer
    return Attempt(nip, bucket, account, User.old_costs(session))


def finish(
    session: Session, attempt: Attempt, is_right: bool, better_hash: str | None, client: Client, now: datetime
) -> Entered | NotOpen | WrongPassword:
    """Decide on the account as it is now; a password changed since `begin` makes the old one wrong.

    For a wrong password nobody is looked up: whether there is somebody must not be a question of time.
    """
    user = User.with_nip(session, attempt.nip, lock=True) if is_right else None
    if user is None or user.password_hash != attempt.password_hash:
        audit.record(session, Tag.LOGIN_REFUSED, attempt.account, client, now)
        return WrongPassword()

    throttle.forget(session, attempt.bucket)
    if better_hash:
        user.keep_hash(better_hash)
    if not user.may_enter:
        audit.record(session, Tag.LOGIN_NOT_OPEN, user, client, now, actor=user, activation=user.activation)
        return NotOpen(user)

    previous = user.last_login_at
    tag = Tag.LOGIN if user.activation.is_active else Tag.ACTIVATED
    user.note_login(now)
    audit.record(session, tag, user, client, now, actor=user)
    return Entered(user, previous)


def abandon(session: Session, attempt: Attempt) -> None:
    """The portal was too busy to look at the password, so the try does not count."""
    throttle.give_back(session, attempt.bucket)


def forget_tries(session: Session, nip: Nip, device: str | None, keys: SigningKeys) -> None:
    """Free the login of a NIP whose owner has proven to be one, everywhere and in this known browser."""
    throttle.forget(session, _bucket(throttle.LOGIN_PER_NIP, nip, None, keys))
    if device:
        throttle.forget(session, _bucket(throttle.LOGIN_PER_KNOWN_DEVICE, nip, device, keys))


def bucket_of_unknown_browsers(nip: Nip, keys: SigningKeys) -> str:
    """Where tries from browsers are counted in which the person has not been before."""
    return _bucket(throttle.LOGIN_PER_NIP, nip, None, keys)


def _bucket(limit: throttle.Limit, nip: Nip, device: str | None, keys: SigningKeys) -> str:
    return keys.fingerprint(limit.name, nip.digits, device or "")
