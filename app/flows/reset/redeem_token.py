"""Someone with a token from the mailbox sets a password. The first activation and a reset are the same act.

There are two steps, one before the password is hashed and one after, as at the login. `check` proves the
token and judges the password. `redeem` then looks at the account again and spends the token.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.domain.nip import Nip
from app.domain.password_policy import faults, personal_faults, policy_named
from app.domain.reset_secret import Code, Link
from app.flows.login import log_in
from app.mail import letters
from app.models.account import ProvenOwner, TriedAccount
from app.models.audit_event import Tag
from app.models.login_session import LoginSession
from app.models.reset_request import LinkedRequest, ResetRequest, TokenOwner, WhyRefused
from app.models.user import User
from app.security import audit, guesses, throttle
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
    owner: TokenOwner


def check(
    session: Session, claim: Claim, policy_setting: str, keys: SigningKeys, act: Act[None]
) -> Proven | TokenNotLive | TooWeak | TooManyTries:
    """Prove the token first, because only its owner may learn what is wrong with the password."""
    shown: Proven | TokenNotLive | TooManyTries
    match claim.proof:
        case Link():
            shown = _shown_by_link(session, claim.nip, claim.proof, keys, act)
        case Code():
            shown = _shown_by_code(session, claim.nip, claim.proof, keys, act)
    if not isinstance(shown, Proven):
        return shown
    owner, policy = shown.owner, policy_named(policy_setting, is_admin=shown.owner.is_admin)
    if sentences := faults(claim.password, policy) or personal_faults(
        claim.password, owner.as_password_owner
    ):
        user = User.with_nip(session, claim.nip)
        audit.record_once_a_minute(
            session, Tag.PASSWORD_REFUSED, user, act.done_by(user), about=claim.nip.digits
        )
        return TooWeak(sentences)
    return shown


def redeem(
    session: Session, proven: Proven, password_hash: str, act: Act[None]
) -> ProvenOwner | TokenNotLive:
    """Spend the token and write the password, if nothing has changed since. If several people use the same
    token at once, only one of them gets the account.

    Wrong tries with the old password are forgotten, so that the new one can be used at once.
    """
    reference, nip = proven.reference, Nip(proven.owner.nip or "")
    guessed_at = guesses.buckets_of(session, log_in.LIMITS, nip.digits)
    redeemed = ResetRequest.redeem(session, reference, proven.owner, password_hash, guessed_at, act.at)
    if redeemed is None:
        request = ResetRequest.with_reference(session, reference)
        if request is not None and request.user_id is not None:
            why = request.why_not_live(act.at) or WhyRefused.USED
            audit.record_at_once(session, Tag.TOKEN_REFUSED, proven.owner, act, reason=why)
        return TokenNotLive()

    owner = redeemed.owner
    if redeemed.has_sessions:
        LoginSession.end_all_of(session, owner.id)
    if redeemed.was_guessed_at:
        log_in.forget_tries(session, nip)
    audit.record_at_once(session, Tag.PASSWORD_SET, owner, act.done_by(owner))
    letters.password_changed(session, owner, act)
    return owner


def request_behind(session: Session, link: Link, keys: SigningKeys, now: datetime) -> LinkedRequest | None:
    """The request whose mailbox a link proves, even if the link is not live any more. None if the signature
    is not ours. Nothing is spent."""
    request = ResetRequest.of_link(session, link.reference, today_in_jakarta(now))
    return request if keys.opens_link(link, link.reference, request.key) and request.nip else None


def _shown_by_link(
    session: Session, nip: Nip, link: Link, keys: SigningKeys, act: Act[None]
) -> Proven | TokenNotLive:
    """Links are not counted and have no limit of their own, so their refusals are rows once a minute."""
    request = request_behind(session, link, keys, act.at)
    if request is None or request.nip != nip.digits:
        why: WhyRefused | None = WhyRefused.WRONG
    else:
        why = request.why_not_live(act.at)
    if request is None or why:
        account = TriedAccount.of(session, nip)
        about = f"{nip.digits} {why}"
        audit.record_once_a_minute(
            session, Tag.TOKEN_REFUSED, account, act, about=about, typed=False, reason=why
        )
        return TokenNotLive()
    return Proven(request.reference, request.owner)


def _shown_by_code(
    session: Session, nip: Nip, code: Code, keys: SigningKeys, act: Act[None]
) -> Proven | TokenNotLive | TooManyTries:
    """Try a code on each request for the NIP. So the code of every mail works, and the code of an old mail is
    told apart from a mistyped one. The same number of requests is tried for everybody, and all of them, even
    after one has matched."""
    answer = throttle.take(session, throttle.TOKEN_PER_NIP, nip.digits, act.at)
    owner, tried = ResetRequest.mailed_tokens_for(session, nip, act.at, today_in_jakarta(act.at))
    if isinstance(answer, TooManyTries):
        audit.record_once_a_minute(session, Tag.TOKEN_THROTTLED, owner, act, about=nip.digits)
        return answer
    opened = [one for one in tried if keys.opens_code(code, one.reference, one.key) and one.is_there]
    if opened and opened[0].is_live:
        if answer.others:  # the first of its window is not worth a statement
            throttle.forget(session, throttle.TOKEN_PER_NIP, nip.digits)
        return Proven(opened[0].reference, owner)
    if opened:
        why = opened[0].why_not_live
    else:
        why = WhyRefused.WRONG if any(one.is_live for one in tried) else WhyRefused.NOTHING_OPEN
    audit.record_at_once(session, Tag.TOKEN_REFUSED, owner, act, typed=True, reason=why)
    return TokenNotLive()
