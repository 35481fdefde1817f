"""What nobody needs any more is removed, so that a stolen table holds little."""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from app.domain.corrections import CorrectionState
from app.flows.answer_unclaimed import answer_unclaimed
from app.flows.forget_imports import forget_imports
from app.models.correction_attachment import CorrectionAttachment
from app.models.email_change import EmailChange
from app.models.email_correction import EmailCorrection
from app.models.login_session import LoginSession
from app.models.outbox_mail import MailState, OutboxMail
from app.models.reset_request import ResetRequest
from app.models.throttle_bucket import ThrottleBucket
from app.security import throttle

MAILS_KEPT_FOR = timedelta(days=90)
REQUESTS_KEPT_FOR = MAILS_KEPT_FOR  # a mail is explained by its request
LINKS_KEPT_FOR = timedelta(days=30)  # wishes whose form nobody has filled in
TYPED_KEPT_FOR = timedelta(days=30)  # after the decision: attachment, phone number and reason of a correction
UNDECIDED_KEPT_FOR = timedelta(days=90)  # the attachment of a correction that nobody ever decided
TICKETS_OF_NOBODY_KEPT_FOR = timedelta(days=100)  # longer than the last mail's link leads there
_SETTLED = (MailState.SENT, MailState.FAILED, MailState.UNCERTAIN, MailState.HELD)


def keep_house(session: Session, idle: timedelta, now: datetime) -> dict[str, int]:
    """Remove ended sessions, old throttles, old requests and settled mails; answer corrections that reach nobody.
    Returns how many rows of each went.

    Letters that are still to be sent stay, however old; letters broken off by a dead worker are marked as uncertain.
    The trail and the accounts are not touched.
    """
    marked = OutboxMail.mark_broken_off(session, now)
    session_is_over = or_(LoginSession.ends_at <= now, LoginSession.seen_at <= now - idle)
    sessions = session.execute(delete(LoginSession).where(session_is_over).returning(LoginSession.id_hash))
    throttle_is_over = ThrottleBucket.last_at < now - throttle.KEPT_FOR
    throttles = session.execute(delete(ThrottleBucket).where(throttle_is_over).returning(ThrottleBucket.key))
    mail_is_old = (OutboxMail.posted_at < now - MAILS_KEPT_FOR, OutboxMail.state.in_(_SETTLED))
    mails = session.execute(delete(OutboxMail).where(*mail_is_old).returning(OutboxMail.id))
    still_to_be_mailed = exists().where(OutboxMail.reset_request_id == ResetRequest.id)
    request_is_old = (ResetRequest.asked_at < now - REQUESTS_KEPT_FOR, ~still_to_be_mailed)
    requests = session.execute(delete(ResetRequest).where(*request_is_old).returning(ResetRequest.id))
    return {
        "sessions": len(sessions.all()),
        "throttles": len(throttles.all()),
        "mails": len(mails.all()),
        "requests": len(requests.all()),
        "corrections": _clear_corrections(session, now),
        "attachments": _forget_what_was_typed(session, now),
        "corrections_answered": answer_unclaimed(session, now),
        "mails_marked_uncertain": marked,
        **forget_imports(session, now),
    }


def _forget_what_was_typed(session: Session, now: datetime) -> int:
    """The decision stays and explains what was changed. What was sent to support it is not needed any more."""
    is_decided = EmailCorrection.decided_at < now - TYPED_KEPT_FOR
    is_left = EmailCorrection.decided_at.is_(None) & (EmailCorrection.submitted_at < now - UNDECIDED_KEPT_FOR)
    over = select(EmailCorrection.id).where(or_(is_decided, is_left))
    gone = session.execute(
        delete(CorrectionAttachment)
        .where(CorrectionAttachment.correction_id.in_(over))
        .returning(CorrectionAttachment.correction_id)
    )
    still_there = or_(EmailCorrection.phone != "", EmailCorrection.reason != "")
    blank = update(EmailCorrection).where(is_decided, still_there).values(phone="", reason="")
    session.execute(blank.execution_options(synchronize_session=False))
    return len(gone.all())


def _clear_corrections(session: Session, now: datetime) -> int:
    """Wishes that never became a request, and tickets of nobody that no link leads to any more. What concerns a person
    stays, as the trail does."""
    never_sent = (EmailCorrection.state == CorrectionState.ASKED) & (EmailCorrection.asked_at < now - LINKS_KEPT_FOR)
    of_nobody = EmailCorrection.user_id.is_(None) & (EmailCorrection.decided_at < now - TICKETS_OF_NOBODY_KEPT_FOR)
    is_old = or_(never_sent, of_nobody)
    letters_of_old = OutboxMail.email_correction_id.in_(select(EmailCorrection.id).where(is_old))
    cut = update(OutboxMail).where(letters_of_old, OutboxMail.state.in_(_SETTLED)).values(email_correction_id=None)
    session.execute(cut.execution_options(synchronize_session=False))
    is_needed = or_(
        exists().where(OutboxMail.email_correction_id == EmailCorrection.id),
        exists().where(EmailChange.correction_id == EmailCorrection.id),
    )
    gone = session.execute(delete(EmailCorrection).where(is_old, ~is_needed).returning(EmailCorrection.id))
    return len(gone.all())
