"""The portal removes what nobody needs any more, so that a stolen table holds little."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, delete, exists, or_, select, text, update
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.corrections import TAKEN_FOR, CorrectionState
from app.domain.retention import (
    LINKS_KEPT_FOR,
    MAILS_KEPT_FOR,
    PUSAT_REPORTS_KEPT_FOR,
    REQUESTS_KEPT_FOR,
    TICKETS_OF_NOBODY_KEPT_FOR,
    TYPED_KEPT_FOR,
    UNDECIDED_KEPT_FOR,
)
from app.flows.bulk import forget_bulk_acts
from app.flows.correction.answer_unknown_nips import answer_unknown_nips
from app.flows.imports import forget_imports
from app.flows.instansi.remind_of_ends import remind_of_ends
from app.flows.reports.send_digest import send_digest
from app.models.correction_attachment import CorrectionAttachment
from app.models.correction_note import CorrectionNote
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import STILL_TYPED, EmailCorrection
from app.models.guess_bucket import GuessBucket
from app.models.identity_change import IdentityChange
from app.models.login_session import LoginSession
from app.models.name_word import NameWord
from app.models.outbox_mail import MailState, OutboxMail
from app.models.pusat_report import PusatReport
from app.models.reset_request import ResetRequest
from app.models.taken_correction import TakenCorrection
from app.models.throttle_bucket import ThrottleBucket
from app.models.user import User
from app.security import throttle

_SETTLED = (MailState.SENT, MailState.FAILED, MailState.UNCERTAIN, MailState.HELD)
# Asked for in this way, so that the database looks for old mails, not for the many of a state
_STILL_TO_BE_SENT = tuple(state for state in MailState if state not in _SETTLED)


ROWS_AT_ONCE = 1000  # in one transaction: SQLite has one writer, and everybody who posts a form waits for it
FILES_AT_ONCE = 50  # of up to 2 MB each

Chore = Callable[[Session, Act[None]], int]


def chores(idle: timedelta, longest: timedelta) -> dict[str, Chore]:
    """What there is to do, by name. Sessions that were not used for `idle`, or whose `longest` time is
    over, old throttles, old requests and settled mails are removed. Corrections that are in nobody's queue
    are answered. Names that an older release has indexed are indexed anew. Each chore does a small part and
    returns how many rows it has changed. The caller repeats the chore until it returns 0.

    Mails that are still to be sent stay, even if they are old. Mails that a dead worker has broken off are
    sent again or marked as uncertain. The trail and the accounts are not touched.
    """
    return {
        "sessions": _by_the_clock(partial(_end_sessions, idle=idle, longest=longest)),
        "throttles": _by_the_clock(_forget_throttles),
        "guesses": _by_the_clock(_forget_guesses),
        "mails": _by_the_clock(_forget_mails),
        "requests": _by_the_clock(_forget_requests),
        "corrections": _by_the_clock(_clear_corrections),
        "attachments": _by_the_clock(_remove_attachments),
        "corrections_blanked": _by_the_clock(_blank_what_was_typed),
        "correction_questions": _by_the_clock(partial(_forget_words_about, CorrectionQuestion)),
        "correction_notes": _by_the_clock(partial(_forget_words_about, CorrectionNote)),
        "corrections_taken": _by_the_clock(_forget_taken),
        "corrections_answered": answer_unknown_nips,
        "mandates_that_end": remind_of_ends,
        "digest": send_digest,
        "reports": _by_the_clock(_forget_reports),
        "mails_broken_off": _by_the_clock(OutboxMail.mark_broken_off),
        "mail_faults": _by_the_clock(OutboxMail.forget_faults),
        "imports_not_confirmed": _by_the_clock(forget_imports.cancel_unconfirmed),
        "import_files": _by_the_clock(forget_imports.remove_files),
        "import_refusals": _by_the_clock(forget_imports.remove_refusals),
        "import_changes": _by_the_clock(forget_imports.remove_changes),
        "import_lines_left": _by_the_clock(forget_imports.remove_left),
        "bulk_rows": _by_the_clock(forget_bulk_acts.remove_rows),
        "names_indexed": _by_the_clock(_index_old_names),
    }


def _by_the_clock(chore: Callable[[Session, datetime], int]) -> Chore:
    """A chore that sends no letter, so it needs nothing of the act but its time."""
    return lambda session, act: chore(session, act.at)


def _index_old_names(session: Session, _now: datetime) -> int:
    """Index again the names whose words an older release has written, so that people find them as they are
    spoken."""
    old = select(User).where(text("has_old_words")).order_by(User.id).limit(ROWS_AT_ONCE)
    people = session.scalars(old.with_for_update(of=User, skip_locked=True)).all()
    NameWord.index_again(session, people)
    done = update(User).where(User.id.in_([person.id for person in people])).values(has_old_words=False)
    session.execute(done.execution_options(synchronize_session=False))
    return len(people)


def _end_sessions(session: Session, now: datetime, idle: timedelta, longest: timedelta) -> int:
    """The index of `ends_at` also tells when a session began. Those that began less than `idle` ago are not
    looked at, and of the others only those in use stay behind."""
    is_over = or_(LoginSession.ends_at <= now, LoginSession.seen_at <= now - idle)
    over = select(LoginSession.id_hash).where(
        LoginSession.ends_at <= now + max(longest - idle, timedelta()), is_over
    )
    some = LoginSession.id_hash.in_(over.order_by(LoginSession.ends_at).limit(ROWS_AT_ONCE))
    return len(session.execute(delete(LoginSession).where(some).returning(LoginSession.id_hash)).all())


def _forget_throttles(session: Session, now: datetime) -> int:
    over = select(ThrottleBucket.key).where(ThrottleBucket.last_at < now - throttle.KEPT_FOR)
    some = ThrottleBucket.key.in_(over.limit(ROWS_AT_ONCE))
    return len(session.execute(delete(ThrottleBucket).where(some).returning(ThrottleBucket.key)).all())


def _forget_guesses(session: Session, now: datetime) -> int:
    over = select(GuessBucket.key).where(GuessBucket.last_at < now - throttle.KEPT_FOR)
    some = GuessBucket.key.in_(over.limit(ROWS_AT_ONCE))
    return len(session.execute(delete(GuessBucket).where(some).returning(GuessBucket.key)).all())


def _forget_mails(session: Session, now: datetime) -> int:
    old = select(OutboxMail.id).where(
        OutboxMail.posted_at < now - MAILS_KEPT_FOR, OutboxMail.state.not_in(_STILL_TO_BE_SENT)
    )
    some = OutboxMail.id.in_(old.order_by(OutboxMail.posted_at).limit(ROWS_AT_ONCE))
    return len(session.execute(delete(OutboxMail).where(some).returning(OutboxMail.id)).all())


def _forget_reports(session: Session, now: datetime) -> int:
    return PusatReport.forget(session, now - PUSAT_REPORTS_KEPT_FOR, ROWS_AT_ONCE)


def _forget_requests(session: Session, now: datetime) -> int:
    still_to_be_mailed = exists().where(OutboxMail.reset_request_id == ResetRequest.id)
    old = select(ResetRequest.id).where(ResetRequest.asked_at < now - REQUESTS_KEPT_FOR, ~still_to_be_mailed)
    some = ResetRequest.id.in_(old.limit(ROWS_AT_ONCE))
    return len(session.execute(delete(ResetRequest).where(some).returning(ResetRequest.id)).all())


def _remove_attachments(session: Session, now: datetime) -> int:
    """The decision stays and explains what was changed. The file that was sent to support the request is not
    needed any more."""
    over = select(CorrectionAttachment.correction_id).where(_is_over(CorrectionAttachment, now))
    some = CorrectionAttachment.correction_id.in_(over.limit(FILES_AT_ONCE))
    return len(
        session.execute(
            delete(CorrectionAttachment).where(some).returning(CorrectionAttachment.correction_id)
        ).all()
    )


def _forget_words_about(
    kind: type[CorrectionNote] | type[CorrectionQuestion], session: Session, now: datetime
) -> int:
    """What the desk has noted and asked, and what was answered, goes with the rest of what was typed."""
    some = kind.id.in_(select(kind.id).where(_is_over(kind, now)).limit(ROWS_AT_ONCE))
    gone = delete(kind).where(some).execution_options(synchronize_session=False)
    return len(session.execute(gone.returning(kind.id)).all())


def _is_over(
    kind: type[CorrectionAttachment | CorrectionNote | CorrectionQuestion], now: datetime
) -> ColumnElement[bool]:
    """Whether what came with a correction has had its time."""
    is_decided = EmailCorrection.decided_at < now - TYPED_KEPT_FOR
    is_left = EmailCorrection.decided_at.is_(None) & (EmailCorrection.submitted_at < now - UNDECIDED_KEPT_FOR)
    return exists().where(EmailCorrection.id == kind.correction_id, or_(is_decided, is_left))


def _forget_taken(session: Session, now: datetime) -> int:
    """Rows that do not tell any more who has a correction in hand."""
    old = select(TakenCorrection.correction_id).where(TakenCorrection.taken_at < now - 2 * TAKEN_FOR)
    some = TakenCorrection.correction_id.in_(old.limit(ROWS_AT_ONCE))
    gone = delete(TakenCorrection).where(some).execution_options(synchronize_session=False)
    return len(session.execute(gone.returning(TakenCorrection.correction_id)).all())


def _blank_what_was_typed(session: Session, now: datetime) -> int:
    over = select(EmailCorrection.id).where(EmailCorrection.decided_at < now - TYPED_KEPT_FOR, STILL_TYPED)
    blank = (
        update(EmailCorrection)
        .where(EmailCorrection.id.in_(over.limit(ROWS_AT_ONCE)))
        .values(phone="", reason="", old_value="", new_value="")
    )
    blanked = session.execute(
        blank.returning(EmailCorrection.id).execution_options(synchronize_session=False)
    )
    return len(blanked.all())


def _clear_corrections(session: Session, now: datetime) -> int:
    """Remove corrections whose form was never sent, and tickets of nobody that no link leads to any more.
    Corrections that concern a person stay, as the trail does."""
    never_sent = (EmailCorrection.state == CorrectionState.ASKED) & (
        EmailCorrection.asked_at < now - LINKS_KEPT_FOR
    )
    of_nobody = EmailCorrection.user_id.is_(None) & (
        EmailCorrection.decided_at < now - TICKETS_OF_NOBODY_KEPT_FOR
    )
    has_letter_to_send = exists().where(
        OutboxMail.email_correction_id == EmailCorrection.id, OutboxMail.state.not_in(_SETTLED)
    )
    has_change = exists().where(IdentityChange.correction_id == EmailCorrection.id)
    old = select(EmailCorrection.id).where(or_(never_sent, of_nobody), ~has_letter_to_send, ~has_change)
    ids = session.scalars(old.limit(ROWS_AT_ONCE)).all()
    if not ids:
        return 0
    cut = update(OutboxMail).where(OutboxMail.email_correction_id.in_(ids)).values(email_correction_id=None)
    session.execute(cut.execution_options(synchronize_session=False))
    gone = (
        delete(EmailCorrection)
        .where(EmailCorrection.id.in_(ids))
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(gone.returning(EmailCorrection.id)).all())
