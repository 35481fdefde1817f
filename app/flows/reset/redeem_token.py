"""Someone with a token from the mailbox sets a password. The first activation and a reset are the same act.

There are two steps, one before the password is hashed and one after, as at the login. `check` proves the
token and judges the password. `redeem` then looks at the account again and spends the token.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.domain.password_policy import PasswordPolicy, faults, personal_faults, policy_named
from app.domain.reset_secret import Code, Link
from app.flows.login import log_in
from app.mail import letters
from app.models.account import TriedAccount
from app.models.admin_mandate import AdminMandate
from app.models.audit_event import Tag
from app.models.reset_request import ResetRequest, WhyRefused
from app.models.user import User
from app.security import audit, throttle
from app.security.signing import SigningKeys
from app.security.throttle import TooManyTries


@dataclass(frozen=True)
class Claim:
    """What somebody has typed, or opened and typed: whose token it is to be, the token, and the new
    password."""

    nip: Nip
    proof: Code | Link
    password: str


@dataclass(frozen=True)
class TokenNotLive:
    """The token is wrong, expired, used, or dead because the account has changed."""


@dataclass(frozen=True)
class TooWeak:
    """The token is right and stays live. The password is refused with these sentences."""

    sentences: list[str]


@dataclass(frozen=True)
class Proven:
    """A live token was shown. It is not spent yet."""

    reference: str


def check(
    session: Session, claim: Claim, policy_setting: str, keys: SigningKeys, act: Act[None]
) -> Proven | TokenNotLive | TooWeak | TooManyTries:
    """Prove the token first, because only its owner may learn what is wrong with the password."""
    nip, limit = claim.nip, throttle.TOKEN_PER_NIP
    is_typed = not isinstance(claim.proof, Link)
    answer = throttle.take(session, limit, nip.digits, act.at) if is_typed else None
    account = TriedAccount.of(session, nip)
    if isinstance(answer, TooManyTries):
        audit.record_once_a_minute(session, Tag.TOKEN_THROTTLED, account, act, about=nip.digits)
        return answer

    request = _proven_request(session, nip, account, claim.proof, keys, act.at)
    if isinstance(request, WhyRefused) or request.user is None:
        why = request if isinstance(request, WhyRefused) else WhyRefused.WRONG
        # Typed codes are counted one by one above. Links are not counted and have no limit of their own.
        record = (
            audit.record if is_typed else partial(audit.record_once_a_minute, about=f"{nip.digits} {why}")
        )
        record(session, Tag.TOKEN_REFUSED, account, act, typed=is_typed, reason=why)
        return TokenNotLive()

    if is_typed:
        throttle.forget(session, limit, nip.digits)
    user = request.user
    policy = policy_for(session, user, policy_setting, act.at)
    if sentences := faults(claim.password, policy) or personal_faults(claim.password, user.as_password_owner):
        audit.record_once_a_minute(session, Tag.PASSWORD_REFUSED, user, act.done_by(user), about=nip.digits)
        return TooWeak(sentences)
    return Proven(request.reference)


def redeem(session: Session, proven: Proven, password_hash: str, act: Act[None]) -> User | TokenNotLive:
    """Spend the token and write the password, if nothing has changed since. If several people use the same
    token at once, only one of them gets the user.

    Wrong tries with the old password are forgotten, so that the new one can be used at once.
    """
    request = ResetRequest.with_reference(session, proven.reference)
    user = User.with_id(session, request.user_id, lock=True) if request and request.user_id else None
    if request is None or user is None:
        return TokenNotLive()
    why = request.why_not_live(act.at) or (None if request.use(session, act.at) else WhyRefused.USED)
    if why:
        audit.record(session, Tag.TOKEN_REFUSED, user, act, reason=why)
        return TokenNotLive()

    user.set_password(password_hash, act.at)
    user.mail_failed_at = None  # the mailbox was read
    log_in.forget_tries(session, user.shown_nip)
    audit.record(session, Tag.PASSWORD_SET, user, act.done_by(user))
    letters.password_changed(session, user, act)
    return user


def request_behind(session: Session, link: Link, keys: SigningKeys) -> ResetRequest | None:
    """The request whose mailbox a link proves, even if the link is not live any more. None if the signature
    is not ours. Nothing is spent.

    The signature is checked before the request is loaded. Anyone who has asked knows the reference, and a
    request with an owner takes longer to load.
    """
    if not keys.opens_link(link, link.reference, ResetRequest.key_of(session, link.reference)):
        return None
    return ResetRequest.with_reference(session, link.reference)


def policy_for(session: Session, user: User, policy_setting: str, now: datetime) -> PasswordPolicy:
    """The password rules for this person. Admins always have the strict rules."""
    is_admin = AdminMandate.holds_for(session, user.id, today_in_jakarta(now))
    return policy_named(policy_setting, is_admin=is_admin)


def _proven_request(
    session: Session, nip: Nip, account: TriedAccount, proof: Code | Link, keys: SigningKeys, now: datetime
) -> ResetRequest | WhyRefused:
    """The live request that the proof opens."""
    match proof:
        case Link():
            request = request_behind(session, proof, keys)
            if request is None or request.nip != nip.digits:
                return WhyRefused.WRONG
            return request.why_not_live(now) or request
        case Code():
            return _opened_by_code(session, nip, account, proof, keys, now)


def _opened_by_code(
    session: Session, nip: Nip, account: TriedAccount, code: Code, keys: SigningKeys, now: datetime
) -> ResetRequest | WhyRefused:
    """Try a code on each request for the NIP. So the code of every mail works, and the code of an old mail is
    told apart from a mistyped one. The same number of requests is tried for everybody, and all of them, even
    after one has matched."""
    tried = ResetRequest.mailed_tokens_for(session, nip, account, now)
    opened = [one for one in tried if keys.opens_code(code, one.reference, one.key) and one.is_there]
    if not opened:
        return WhyRefused.WRONG if any(one.is_live for one in tried) else WhyRefused.NOTHING_OPEN
    first = opened[0]
    return (
        ResetRequest.with_reference(session, first.reference) if first.is_live else None
    ) or first.why_not_live
