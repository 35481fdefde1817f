"""What nobody needs any more is removed, so that a stolen table holds little."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update
from sqlalchemy.orm import Session

from app.models.login_session import LoginSession
from app.models.outbox_mail import MailState, OutboxMail
from app.models.reset_request import ResetRequest
from app.models.throttle_bucket import ThrottleBucket
from app.security import throttle

REQUESTS_KEPT_FOR = timedelta(days=30)
MAILS_KEPT_FOR = timedelta(days=90)


def keep_house(session: Session, idle: timedelta, now: datetime) -> dict[str, int]:
    """Remove ended sessions, old throttles, old requests and settled mails. Returns how many rows of each went.

    Letters that are still to be sent stay, however old; letters broken off by a dead worker are marked as uncertain.
    """
    settled = (MailState.SENT, MailState.FAILED, MailState.UNCERTAIN, MailState.HELD)
    request_is_old = ResetRequest.asked_at < now - REQUESTS_KEPT_FOR
    old_requests = ResetRequest.__table__.select().where(request_is_old).with_only_columns(ResetRequest.id)
    session.execute(
        update(OutboxMail)
        .where(OutboxMail.reset_request_id.in_(old_requests), OutboxMail.state.in_(settled))
        .values(reset_request_id=None)
    )
    unsent = (
        OutboxMail.__table__.select()
        .where(OutboxMail.reset_request_id.is_not(None))
        .with_only_columns(OutboxMail.reset_request_id)
    )
    removals = {
        "sessions": delete(LoginSession).where(or_(LoginSession.ends_at <= now, LoginSession.seen_at <= now - idle)),
        "throttles": delete(ThrottleBucket).where(ThrottleBucket.last_at < now - throttle.KEPT_FOR),
        "requests": delete(ResetRequest).where(request_is_old, ResetRequest.id.not_in(unsent)),
        "mails": delete(OutboxMail).where(OutboxMail.posted_at < now - MAILS_KEPT_FOR, OutboxMail.state.in_(settled)),
    }
    marked = OutboxMail.mark_broken_off(session, now)
    removed = {name: int(session.execute(statement).rowcount) for name, statement in removals.items()}
    return {**removed, "mails_marked_uncertain": marked}
