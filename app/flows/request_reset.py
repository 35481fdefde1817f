"""Someone who forgot a password, or never had one, asks for a token by mail."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.domain.email_address import EmailAddress
from app.domain.nip import Nip
from app.domain.reset_secret import new_reference, new_row_key
from app.mail import letters
from app.models.audit_event import Tag
from app.models.reset_request import ResetRequest
from app.models.user import User
from app.security import audit, throttle
from app.security.signing import SigningKeys


@dataclass(frozen=True)
class TooSoon:
    """The cooldown between two mails of one request has not passed."""

    retry_after: int


@dataclass(frozen=True)
class NothingToResend:
    """The request is unknown or so old that it must be made anew."""


def request_reset(
    session: Session,
    nip: Nip,
    address: EmailAddress,
    submission: str,
    keys: SigningKeys,
    client: Client,
    now: datetime,
) -> ResetRequest:
    """Record the wish and post exactly one letter. Every case, owner or not, runs these same statements.

    `submission` names the form that was sent (64 hex digits): the same form sent twice is one wish.
    """
    user = User.with_nip(session, nip)
    owner = user if user is not None and user.has_email(address) else None
    request = ResetRequest(
        reference=new_reference(),
        key=new_row_key(),
        submission=submission,
        nip=nip.digits,
        typed_email=address.text,
        user_id=owner.id if owner else None,
        credential_version=owner.credential_version if owner else 0,
        asked_at=now,
        mailed_at=now,
        client_address=client.address,
    )
    if not request.was_added(session):
        return ResetRequest.with_submission(session, submission)
    request.user = owner
    _post_letter(session, request, Tag.TOKEN_ASKED, keys, client, now)
    return request


def new_request_by_desk(session: Session, person: User, client: Client, now: datetime) -> ResetRequest:
    """A wish for a token on behalf of somebody whose address has just been put right. The letter is the caller's."""
    session.flush()  # the account's version is counted in the database
    request = ResetRequest(
        reference=new_reference(),
        key=new_row_key(),
        submission=secrets.token_hex(32),
        nip=person.nip,
        typed_email=person.email or "",
        user=person,
        user_id=person.id,
        credential_version=person.credential_version,
        asked_at=now,
        mailed_at=now,
        client_address=client.address,
    )
    session.add(request)
    session.flush()
    return request


def resend_token(
    session: Session,
    reference: str,
    cooldown: timedelta,
    lifetime: timedelta,
    keys: SigningKeys,
    client: Client,
    now: datetime,
) -> ResetRequest | TooSoon | NothingToResend:
    """Mail the same token once more. What the asker sees depends on the clock alone, never on whether there is an owner."""
    request = ResetRequest.with_reference(session, reference)
    if request is None or request.mailed_at <= now - lifetime:
        return NothingToResend()
    if not request.may_mail_again(session, now, cooldown):
        audit.record_once_a_minute(session, Tag.TOKEN_RESENT_TOO_SOON, request.user, client, now, about=request.reference)
        return TooSoon(max(1, int((request.mailed_at + cooldown - now).total_seconds() + 0.999)))
    _post_letter(session, request, Tag.TOKEN_RESENT, keys, client, now)
    return request


def _post_letter(session: Session, request: ResetRequest, tag: Tag, keys: SigningKeys, client: Client, now: datetime) -> None:
    held = _is_held(session, request, keys, now) or request.is_spent
    mail = letters.answer_to_reset_request(session, request, client, now, held)
    audit.record(session, tag, request.user, client, now, mail=mail.state, letter=mail.letter)


def _is_held(session: Session, request: ResetRequest, keys: SigningKeys, now: datetime) -> bool:
    """Count the mail against both limits, in the same way whoever owns what. Held mails leave no trace on the page."""
    address = request.typed_email.lower()
    per_address = throttle.MAIL_PER_ADDRESS
    answers = (
        throttle.take(session, throttle.MAIL_PER_NIP, mail_bucket(request.nip, address, keys), now),
        throttle.take(session, per_address, keys.fingerprint(per_address.name, address), now),
    )
    return any(isinstance(answer, throttle.TooManyTries) for answer in answers)


def mail_bucket(nip: str, address: str, keys: SigningKeys) -> str:
    """Where mails for one NIP to one typed address (in lower case) are counted."""
    return keys.fingerprint(throttle.MAIL_PER_NIP.name, nip, address)
