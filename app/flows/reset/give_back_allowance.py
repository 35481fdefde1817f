"""A letter that failed for good does not count against who asked for it: they may have typed the
address wrong."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.email_address import EmailAddress
from app.models.outbox_mail import Letter, OutboxMail
from app.security import throttle

# As mails that anybody can make the portal send
_COUNTED = (
    Letter.ADDRESS_NOT_REGISTERED,
    Letter.CORRECTION_LINK,
)


def give_back_allowance(session: Session, mail: OutboxMail, now: datetime) -> None:
    """Tokens are counted by what lies in the mailbox, where a failed one never lay. What was counted for a
    mailbox is given back so many times in a while and no more, or whoever has a mailbox that refuses could
    have letters sent without end."""
    if mail.letter not in _COUNTED:
        return
    limit, mailbox = throttle.OTHER_MAILS_PER_MAILBOX, EmailAddress(mail.to_address).mailbox
    bucket = throttle.bucket_of(session, limit, mailbox)
    if isinstance(throttle.take(session, throttle.GIVEN_BACK_PER_MAILBOX, bucket, now), throttle.Counted):
        throttle.give_back(session, limit, mailbox, taken_at=mail.posted_at)
