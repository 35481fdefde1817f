"""Someone with a NIP and a password wants to enter. The first time, this is the activation.

Two steps, because the hash between them takes longer than a transaction may: `begin` counts the try and finds
what to verify against, `finish` looks again at the account as it stands then.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.nip import Nip
from app.models.account import TriedAccount
from app.models.audit_event import Tag
from app.models.user import User
from app.security import audit, guesses
from app.security.throttle import LOGIN_IN_KNOWN_BROWSERS, LOGIN_IN_NEW_BROWSERS, GuessLimit, TooManyTries


@dataclass(frozen=True)
class LoginTry:
    """One counted try, with the account as it was then."""

    nip: Nip
    limit: GuessLimit
    account: TriedAccount
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


def begin(session: Session, nip: Nip, marks: Collection[str], act: Act[None]) -> LoginTry | TooManyTries:
    """Count the try before the password is looked at. `marks` are those that the browser carries, of
    whomever: one of them may be this person's, and then the try counts with those of all browsers that know
    this person."""
    account = TriedAccount.of(session, nip)
    is_known = account.browser_mark is not None and account.browser_mark in marks
    limit = LOGIN_IN_KNOWN_BROWSERS if is_known else LOGIN_IN_NEW_BROWSERS
    answer = guesses.take(session, limit, nip.digits, act.at)
    if isinstance(answer, TooManyTries):
        audit.record_once_a_minute(session, Tag.LOGIN_THROTTLED, account, act, about=nip.digits)
        return answer
    return LoginTry(nip, limit, account, User.old_costs(session))


def finish(
    session: Session, attempt: LoginTry, better_hash: str | None, act: Act[None], *, is_right: bool
) -> Entered | NotOpen | WrongPassword:
    """Decide on the account as it is now; a password changed since `begin` makes the old one wrong.

    A right password was no guess; what others have guessed stays counted, or each login would clear the way
    for them. For a wrong one nobody is looked up: whether there is somebody must not be a question of time.
    """
    user = User.with_nip(session, attempt.nip, lock=True) if is_right else None
    if user is None or user.password_hash != attempt.password_hash:
        audit.record(session, Tag.LOGIN_REFUSED, attempt.account, act)
        return WrongPassword()

    guesses.give_back(session, attempt.limit, attempt.nip.digits)
    if better_hash:
        user.keep_hash(better_hash)
    if not user.may_enter:
        audit.record_once_a_minute(
            session,
            Tag.LOGIN_NOT_OPEN,
            user,
            act.done_by(user),
            about=attempt.nip.digits,
            activation=user.activation,
        )
        return NotOpen(user)

    previous = user.last_login_at
    tag = Tag.LOGIN if user.activation.is_active else Tag.ACTIVATED
    user.note_login(act.at)
    audit.record(session, tag, user, act.done_by(user))
    return Entered(user, previous)


def abandon(session: Session, attempt: LoginTry) -> None:
    """The portal was too busy to look at the password, so the try does not count."""
    guesses.give_back(session, attempt.limit, attempt.nip.digits)


def forget_tries(session: Session, nip: Nip) -> None:
    """Free the login of a NIP, in new browsers and in known ones: there is another password, or an admin has
    looked."""
    for _, limit in _LIMITS:
        guesses.forget(session, limit, nip.digits)


def slowed_until(session: Session, nip: Nip, now: datetime) -> list[tuple[str, datetime]]:
    """Where logging in is slowed down at this moment, in words, and until when."""
    found = ((what, guesses.refused_until(session, limit, nip.digits, now)) for what, limit in _LIMITS)
    return [(what, until) for what, until in found if until]


_LIMITS = (
    ("Masuk dari browser baru", LOGIN_IN_NEW_BROWSERS),
    ("Masuk dari browser yang dikenal", LOGIN_IN_KNOWN_BROWSERS),
)
