"""A mail that failed for good does not count against the person who asked for it: they may have typed the
address wrong."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.email_address import EmailAddress
from app.models.outbox_mail import Letter, OutboxMail
from app.security import throttle

# Letters that count as mails that anybody can cause
_COUNTED = (
    Letter.ADDRESS_NOT_REGISTERED,
    Letter.CORRECTION_LINK,
)


def give_back_allowance(session: Session, mail: OutboxMail, now: datetime) -> None:
    """Give back what was counted for the mailbox of a failed mail. Tokens do not need this, because they are
    counted by the mails in the mailbox, and a failed mail never got there. Giving back has a limit of its
    own. Otherwise anyone whose mailbox refuses mails could cause mails without end."""
    if mail.letter not in _COUNTED:
        return
    limit, mailbox = throttle.OTHER_MAILS_PER_MAILBOX, EmailAddress(mail.to_address).mailbox
    bucket = throttle.bucket_of(session, limit, mailbox)
    if isinstance(throttle.take(session, throttle.GIVEN_BACK_PER_MAILBOX, bucket, now), throttle.Counted):
        throttle.give_back(session, limit, mailbox, taken_at=mail.posted_at)
