"""Every letter the portal writes: one function a letter here, one folder a letter in templates/emails/."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.mail import outbox
from app.models.outbox_mail import Letter, OutboxMail
from app.models.reset_request import ResetRequest
from app.models.user import User


def answer_to_reset_request(session: Session, request: ResetRequest, client: Client, now: datetime, held: bool) -> OutboxMail:
    """The one letter that leaves for every wish for a token: the token, or why there is none."""
    return outbox.post(
        session,
        _answer(request),
        request.mailbox,
        client,
        now,
        user=request.user,
        reset_request=request,
        held=held,
    )


def password_changed(session: Session, user: User, client: Client, now: datetime) -> None:
    """To the owner, after every change of password."""
    if user.email:
        outbox.post(session, Letter.PASSWORD_CHANGED, user.email, client, now, user=user)


def email_changed(session: Session, user: User, old_address: str, client: Client, now: datetime) -> None:
    """To the address that was on record until now."""
    outbox.post(session, Letter.EMAIL_CHANGED, old_address, client, now, user=user)


def _answer(request: ResetRequest) -> Letter:
    if request.user is None:
        return Letter.ADDRESS_NOT_REGISTERED
    if request.user.is_deactivated:
        return Letter.ACCOUNT_DEACTIVATED
    return Letter.TOKEN
