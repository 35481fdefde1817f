"""Someone with a NIP and a password logs in. The first time, this is the activation.

There are two steps, because hashing the password takes longer than a transaction may last. `begin` counts the
try and finds the hash to compare with. `finish` then looks at the account again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.categories import Activation
from app.domain.nip import Nip
from app.models.account import ProvenOwner, TriedAccount
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
    """NIP and password do not match. This is the same answer for every reason, because nothing is proven."""


@dataclass(frozen=True)
class NotOpen:
    """The password is right, but the account is waiting or deactivated."""

    user: User


@dataclass(frozen=True)
class Entered:
    """The person may enter. `previous_login_at` is None at the activation. `is_again`: the form may have
    opened a session before, whose answer never arrived."""

    owner: ProvenOwner
    previous_login_at: datetime | None
    is_again: bool


def begin(
    session: Session, nip: Nip, marks: Collection[str], act: Act[None], form: str = ""
) -> LoginTry | TooManyTries:
    """Count the try before the password is compared. `marks` are all the marks that the browser carries. If
    one of them is this person's, the try counts together with those in all browsers that are known for this
    person. `form` names the form that was sent."""
    account = TriedAccount.of(session, nip, form)
    is_known = account.browser_mark is not None and account.browser_mark in marks
    limit = LOGIN_IN_KNOWN_BROWSERS if is_known else LOGIN_IN_NEW_BROWSERS
    answer = guesses.take(session, limit, nip.digits, act.at)
    if isinstance(answer, TooManyTries):
        audit.record_once_a_minute(session, Tag.LOGIN_THROTTLED, account, act, about=nip.digits)
        return answer
    return LoginTry(nip, limit, account, User.old_costs(session) if account.are_hashes_old else {})


def finish(
    session: Session, attempt: LoginTry, better_hash: str | None, act: Act[None], *, is_right: bool
) -> Entered | NotOpen | WrongPassword:
    """Decide on the account as it is now. If the password has changed since `begin`, the old one is wrong.

    A right password is not counted as a guess. The guesses of others stay counted, because otherwise each
    login would allow them new ones. For a wrong password nobody is looked up: the time of the answer must not
    tell whether the NIP exists.

    Usually nothing has changed since `begin`, and one statement notes the login. Otherwise the account is
    locked and looked at.
    """
    account = attempt.account
    if is_right and not better_hash and (entered := account.enter(session, act.at)):
        guesses.give_back(session, attempt.limit, attempt.nip.digits)
        is_first = account.activation is Activation.NOT_ACTIVATED
        _record_login(session, entered, act, is_first=is_first)
        return Entered(entered, account.last_login_at, account.form_has_opened)

    user = User.with_nip(session, attempt.nip, lock=True) if is_right else None
    if user is None or user.password_hash != attempt.password_hash:
        audit.record_at_once(session, Tag.LOGIN_REFUSED, account, act)
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

    previous, is_first = user.last_login_at, user.activation is Activation.NOT_ACTIVATED
    user.note_login(act.at)
    owner = ProvenOwner.of(user)
    _record_login(session, owner, act, is_first=is_first)
    return Entered(owner, previous, is_again=True)


def _record_login(session: Session, owner: ProvenOwner, act: Act[None], *, is_first: bool) -> None:
    audit.record_at_once(session, Tag.ACTIVATED if is_first else Tag.LOGIN, owner, act.done_by(owner))


def abandon(session: Session, attempt: LoginTry) -> None:
    """The portal was too busy to look at the password, so the try does not count."""
    guesses.give_back(session, attempt.limit, attempt.nip.digits)


def forget_tries(session: Session, nip: Nip) -> None:
    """Forget the tries at the login of a NIP, in new browsers and in known ones. The reason is a new
    password, or an unlock."""
    guesses.forget(session, LIMITS, nip.digits)


def slowed_until(session: Session, nip: Nip, now: datetime) -> list[tuple[str, datetime]]:
    """Where logging in is slowed down at this moment, in words, and until when."""
    found = ((what, guesses.refused_until(session, limit, nip.digits, now)) for limit, what in LIMITS.items())
    return [(what, until) for what, until in found if until]


LIMITS = {
    LOGIN_IN_NEW_BROWSERS: "Masuk dari browser baru",
    LOGIN_IN_KNOWN_BROWSERS: "Masuk dari browser yang dikenal",
}
