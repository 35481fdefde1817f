"""What nobody needs any more is removed, so that a stolen table holds little."""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_
from sqlalchemy.orm import Session

from app.models.login_session import LoginSession
from app.models.outbox_mail import MailState, OutboxMail
from app.models.reset_request import ResetRequest
from app.models.throttle_bucket import ThrottleBucket
from app.security import throttle

MAILS_KEPT_FOR = timedelta(days=90)
REQUESTS_KEPT_FOR = MAILS_KEPT_FOR  # a mail is explained by its request


def keep_house(session: Session, idle: timedelta, now: datetime) -> dict[str, int]:
    """Remove ended sessions, old throttles, old requests and settled mails. Returns how many rows of each went.

    Letters that are still to be sent stay, however old; letters broken off by a dead worker are marked as uncertain.
    The trail and the accounts are not touched.
    """
    settled = (MailState.SENT, MailState.FAILED, MailState.UNCERTAIN, MailState.HELD)
    marked = OutboxMail.mark_broken_off(session, now)
    session_is_over = or_(LoginSession.ends_at <= now, LoginSession.seen_at <= now - idle)
    sessions = session.execute(delete(LoginSession).where(session_is_over).returning(LoginSession.id_hash))
    throttle_is_over = ThrottleBucket.last_at < now - throttle.KEPT_FOR
    throttles = session.execute(delete(ThrottleBucket).where(throttle_is_over).returning(ThrottleBucket.key))
    mail_is_old = (OutboxMail.posted_at < now - MAILS_KEPT_FOR, OutboxMail.state.in_(settled))
    mails = session.execute(delete(OutboxMail).where(*mail_is_old).returning(OutboxMail.id))
    still_to_be_mailed = exists().where(OutboxMail.reset_request_id == ResetRequest.id)
    request_is_old = (ResetRequest.asked_at < now - REQUESTS_KEPT_FOR, ~still_to_be_mailed)
    requests = session.execute(delete(ResetRequest).where(*request_is_old).returning(ResetRequest.id))
    return {
        "sessions": len(sessions.all()),
        "throttles": len(throttles.all()),
        "mails": len(mails.all()),
        "requests": len(requests.all()),
        "mails_marked_uncertain": marked,
    }
