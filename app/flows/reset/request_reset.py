"""Someone who forgot a password, or never had one, asks for a token by mail."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.email_address import EmailAddress
from app.domain.nip import Nip
from app.domain.reset_secret import new_reference, new_row_key
from app.domain.waits import whole_seconds
from app.mail import letters
from app.mail.outbox import PostedLetter
from app.models.audit_event import Tag
from app.models.outbox_mail import OutboxMail
from app.models.reset_request import ResetRequest
from app.models.user import User
from app.security import audit, throttle
from app.security.fingerprints import fingerprint

SENT_TWICE_WITHIN = timedelta(minutes=1)  # a double click, or Back and once more on a slow line
SAME_REQUEST_WITHIN = timedelta(hours=1)  # a form sent again, when no token of its request can be looked at


@dataclass(frozen=True)
class Allowance:
    """Which letters leave, and when. `may_mail_others`: whether the sender's line may cause mails to
    addresses that are not on record. `most` mails with a live token may lie in the owner's mailbox. One of
    many letters that an admin sends at once lets those pass that somebody waits for."""

    may_mail_others: bool = True
    most: int = throttle.TOKENS_IN_A_MAILBOX
    is_one_of_many: bool = False


USUAL = Allowance()


@dataclass(frozen=True)
class PostedAnswer:
    """The request and its mail. There is no mail if the form was sent twice."""

    request: ResetRequest
    mail: PostedLetter | None


@dataclass(frozen=True)
class TooSoon:
    """The cooldown between two mails of one request has not passed. `retry_after` is in seconds."""

    retry_after: int


@dataclass(frozen=True)
class NothingToResend:
    """The request is unknown, or so old that the person has to make a new one."""


def request_reset(
    session: Session,
    nip: Nip,
    address: EmailAddress,
    submission: str,
    act: Act[None],
    allowance: Allowance = USUAL,
) -> PostedAnswer:
    """Record the request and post exactly one letter. Every case, owner or not, runs these same statements.

    `submission` names the form that was sent (64 hex digits). Sent twice in a row it is one request. Sent
    again later, it is a request of its own, whose letter leaves when the one before can do no more: whether
    it can is nothing that a stranger who sends a form again may see, so only the letter differs.
    """
    user = User.with_nip(session, nip)
    owner = user if user is not None and user.has_email(address) else None
    request, before = _new_request(nip, address, owner, submission, act), None
    while not request.add(session):
        before = ResetRequest.with_submission(session, submission)
        if before is not None and before.asked_at > act.at - SENT_TWICE_WITHIN:
            return PostedAnswer(before, None)
        if before is not None:
            before.submission = fingerprint(session, "earlier-form", submission, before.reference)
            session.flush()
        request = _new_request(nip, address, owner, submission, act)
    request.belongs_to(owner)
    is_same_request = before is not None and before.mailed_at > act.at - SAME_REQUEST_WITHIN
    if before is not None:
        may_mail_others = allowance.may_mail_others and not is_same_request
        allowance = replace(allowance, may_mail_others=may_mail_others, most=1)
    return PostedAnswer(request, _post_letter(session, request, Tag.TOKEN_ASKED, allowance, act))


def _new_request(
    nip: Nip, address: EmailAddress, owner: User | None, submission: str, act: Act[object]
) -> ResetRequest:
    return ResetRequest(
        reference=new_reference(),
        key=new_row_key(),
        submission=submission,
        nip=nip.digits,
        typed_email=address.text,
        user_id=owner.id if owner else None,
        credential_version=owner.credential_version if owner else 0,
        asked_at=act.at,
        mailed_at=act.at,
        expires_at=None,
        used_at=None,
        client_address=act.client.address,
    )


def new_request_by_desk(session: Session, person: User, act: Act[object]) -> ResetRequest:
    """A request for a token for somebody whose address has just been corrected. The caller posts the mail."""
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
        asked_at=act.at,
        mailed_at=act.at,
        client_address=act.client.address,
    )
    session.add(request)
    session.flush()
    return request


def resend_token(
    session: Session,
    reference: str,
    cooldown: timedelta,
    lifetime: timedelta,
    act: Act[None],
    *,
    may_mail_others: bool = True,
) -> PostedAnswer | TooSoon | NothingToResend:
    """Mail the same token once more. What the person sees depends only on the time, never on whether there is
    an owner."""
    request = ResetRequest.with_reference(session, reference)
    if request is None or not request.may_be_mailed_at(act.at, lifetime):
        return NothingToResend()
    if not request.claim_mail(session, act.at, cooldown):
        audit.record_once_a_minute(
            session, Tag.TOKEN_RESENT_TOO_SOON, request.user, act, about=request.reference
        )
        return TooSoon(max(1, whole_seconds(request.mailed_at + cooldown - act.at)))
    allowance = Allowance(may_mail_others)
    return PostedAnswer(request, _post_letter(session, request, Tag.TOKEN_RESENT, allowance, act))


def _post_letter(
    session: Session, request: ResetRequest, tag: Tag, allowance: Allowance, act: Act[None]
) -> PostedLetter:
    held = _hold_or_count(session, request, allowance, act.at)
    mail = letters.answer_to_reset_request(
        session, request, act, held=held, is_one_of_many=allowance.is_one_of_many
    )
    audit.record_at_once(session, tag, request.user, act, mail=mail.state, letter=mail.letter)
    return mail


def _hold_or_count(session: Session, request: ResetRequest, allowance: Allowance, now: datetime) -> bool:
    """Hold the mail, or count it. True if it is held, which the page does not show. For an owner, the limit
    is on the mails that are in the mailbox now. For any other typed address, mails are counted. Both are
    looked at for everybody, and the bucket of the mailbox is locked meanwhile: two people who ask at the same
    moment wait for the same row, whoever owns the mailbox."""
    limit, mailbox = throttle.OTHER_MAILS_PER_MAILBOX, EmailAddress(request.typed_email).mailbox
    is_counted = request.user is None and allowance.may_mail_others
    answer = throttle.take(session, limit, mailbox, now, is_wanted=is_counted)
    lying = OutboxMail.in_mailbox_of(session, request.nip, request.user, now)
    if request.user is None:
        return not is_counted or isinstance(answer, throttle.TooManyTries)
    if request.user.is_deactivated:
        return lying.of_this_hour >= allowance.most
    return request.is_spent or lying.is_full(allowance.most)
