"""Someone whose address on record is wrong or dead asks for another one: first a link by mail, then the form.

The link proves the new mailbox and nothing else. The portal does not look up whether anybody has the NIP
before the form comes in. From then on every case runs the same statements.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import count

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.attachment import Attachment
from app.domain.client import Client, mask_address
from app.domain.corrections import CorrectionState, FilledForm, new_ticket
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeState
from app.domain.indonesian_time import WIB
from app.domain.nip import Nip
from app.domain.waits import whole_seconds
from app.flows.reset.request_reset import SENT_TWICE_WITHIN, TooSoon
from app.mail import letters
from app.mail.rendering import CORRECTION_LINK_DAYS
from app.models.audit_event import Tag
from app.models.correction_attachment import CorrectionAttachment
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.outbox_mail import OutboxMail
from app.models.reset_request import ResetRequest
from app.models.user import User
from app.security import audit, throttle
from app.security.fingerprints import fingerprint

# When the portal itself answers a request that is in nobody's queue. The time is drawn for every request, so
# that all rows look alike. It is within the hours of a desk in Jakarta, because otherwise the clock would
# tell that no person answers. The request is taken in hand up to two hours before.
EARLIEST_ANSWER = timedelta(hours=4)
LATEST_ANSWER = timedelta(hours=20)
DESK_ANSWERS_FROM, DESK_ANSWERS_UNTIL = time(10), time(16)
_SATURDAY = 5


@dataclass(frozen=True)
class ProvenMailbox:
    """A fresh link was opened: its reader has this address. The form is still to be filled in."""

    nip: Nip
    address: EmailAddress


@dataclass(frozen=True)
class AlreadyOnRecord:
    """The proven mailbox is the one on record for this NIP: there is nothing to correct."""

    nip: Nip
    address: EmailAddress


@dataclass(frozen=True)
class Ticket:
    """A request as its owner may see it."""

    correction: EmailCorrection
    change: IdentityChange | None
    questions: Sequence[CorrectionQuestion]  # of the desk, the oldest first
    has_file: bool

    @property
    def open_question(self) -> CorrectionQuestion | None:
        """The one that waits for the answer. After the decision none does."""
        last = self.questions[-1] if self.questions else None
        is_open = last is not None and last.answered_at is None and self.correction.state.is_open
        return last if is_open else None

    @property
    def awaits_second(self) -> bool:
        return self.change is not None and self.change.state is ChangeState.NEEDS_SECOND

    @property
    def nip(self) -> Nip:
        return Nip(self.correction.nip)


@dataclass(frozen=True)
class Typed:
    """What the form said. It proves nothing."""

    name: str
    work_unit: str
    reason: str
    phone: str
    attachment: Attachment | None
    nip: Nip | None = (
        None  # of whoever was asked for with another one: any link proves the mailbox for any NIP
    )


@dataclass(frozen=True)
class PostedLink:
    """The request and its mail. There is no mail if one is on its way already."""

    correction: EmailCorrection
    mail: OutboxMail | None


def ask_for_link(
    session: Session,
    nip: Nip,
    address: EmailAddress,
    form_id: str,
    act: Act[None],
    *,
    may_mail_others: bool = True,
) -> PostedLink:
    """Record the request and post exactly one mail to the typed address. No NIP is looked up.

    `form_id` names the form that was sent. The same form sent again is the same request until that request is
    decided. Its letter is sent again only if the mail before never left or its link opens the form no more.
    """
    correction = _correction_of_form(session, nip, address, form_id, act)
    if OutboxMail.has_link_of(
        session, correction.id, act.at - timedelta(days=CORRECTION_LINK_DAYS), act.at - SENT_TWICE_WITHIN
    ):
        return PostedLink(correction, None)
    if correction.state is not CorrectionState.ASKED:
        return PostedLink(correction, None)
    limit = throttle.OTHER_MAILS_PER_MAILBOX
    held = not may_mail_others or isinstance(
        throttle.take(session, limit, address.mailbox, act.at), throttle.TooManyTries
    )
    mail = letters.correction_link(session, correction, act, held=held)
    audit.record(session, Tag.CORRECTION_ASKED, None, act, ticket=correction.ticket, mail=mail.state)
    return PostedLink(correction, mail)


def resend_link(
    session: Session,
    reference: str,
    cooldown: timedelta,
    act: Act[None],
    *,
    may_mail_others: bool = True,
) -> PostedLink | TooSoon | None:
    """Mail the link to the form once more; None if there is no such request. What the person sees depends
    only on the time: somebody who has typed another's address must not see whether its owner has gone on."""
    correction = EmailCorrection.with_reference(session, reference, lock=True)
    if correction is None:
        return None
    posted_at = OutboxMail.link_posted_at(session, correction.id)
    if posted_at and posted_at > act.at - cooldown:
        return TooSoon(max(1, whole_seconds(posted_at + cooldown - act.at)))
    is_wanted = may_mail_others and correction.state is CorrectionState.ASKED
    answer = throttle.take(
        session, throttle.OTHER_MAILS_PER_MAILBOX, correction.new_mailbox, act.at, is_wanted=is_wanted
    )
    held = not is_wanted or isinstance(answer, throttle.TooManyTries)
    mail = letters.correction_link(session, correction, act, held=held)
    audit.record(session, Tag.CORRECTION_ASKED, None, act, ticket=correction.ticket, mail=mail.state)
    return PostedLink(correction, mail)


def behind_link(
    session: Session, reference: str, *, is_fresh: bool
) -> ProvenMailbox | AlreadyOnRecord | Ticket | None:
    """What somebody who opens a link sees. An old link still leads to the ticket, but no longer to the
    form."""
    correction = EmailCorrection.with_reference(session, reference)
    if correction is not None and correction.submitted_at is not None:
        return _ticket(session, correction)
    mailbox = _mailbox(correction or _unanswered_reset(session, reference))
    if mailbox is None or not is_fresh:
        return None
    if same := EmailCorrection.open_for(session, mailbox.nip, mailbox.address):
        return _ticket(session, same)
    user = User.with_nip(session, mailbox.nip)
    return (
        AlreadyOnRecord(mailbox.nip, mailbox.address) if user and user.has_email(mailbox.address) else mailbox
    )


def submit(
    session: Session, reference: str, typed: Typed, act: Act[None]
) -> EmailCorrection | AlreadyOnRecord | None:
    """Turn a fresh link and a filled-in form into a request. There is one request for each link and NIP, and
    one open request for each NIP and mailbox."""
    correction = EmailCorrection.with_reference(session, reference)
    mailbox = _mailbox(correction or _unanswered_reset(session, reference))
    if (
        mailbox is not None
        and typed.nip not in (None, mailbox.nip)
        and not (correction and correction.submitted_at)
    ):
        mailbox = ProvenMailbox(typed.nip, mailbox.address)
        reference = _reference_of(session, reference, 0, mailbox.nip, mailbox.address)
        correction = EmailCorrection.with_reference(session, reference)
    if mailbox is None or (correction is not None and correction.submitted_at is not None):
        return correction
    limits = _limits_on_queue(mailbox.nip, act.client)
    # From here on, one by one for a NIP
    has_room = [throttle.lock_bucket(session, limit, counted, act.at) for limit, counted in limits]
    is_too_much = not all(has_room)
    user = User.with_nip(session, mailbox.nip, lock=True)
    if same := EmailCorrection.open_for(session, mailbox.nip, mailbox.address):
        return same
    if user and user.has_email(mailbox.address):
        return AlreadyOnRecord(mailbox.nip, mailbox.address)

    correction = correction or added(session, _new_correction(reference, mailbox.nip, mailbox.address, act))
    is_kept = typed.attachment is None or (not is_too_much and count_file(session, mailbox.nip, act))
    reaches = user if user and not is_too_much else None
    form = FilledForm(typed.name, typed.work_unit, typed.reason, typed.phone, file_not_kept=not is_kept)
    if correction.submit(session, reaches, form, _hour_of_answer(act.at), act):
        throttle.charge(session, limits, act.at, is_charged=not is_too_much)
        if typed.attachment and is_kept:
            keep_file(session, correction, typed.attachment, act.at)
        audit.record(
            session, Tag.CORRECTION_SUBMITTED, user, act, ticket=correction.ticket, waits=is_too_much
        )
        letters.correction_received(session, correction, act)
    return EmailCorrection.with_reference(session, reference)


def _ticket(session: Session, correction: EmailCorrection) -> Ticket:
    """The same look-ups for every request, whether or not anybody has the NIP."""
    return Ticket(
        correction,
        IdentityChange.latest_of_correction(session, correction.id),
        CorrectionQuestion.of(session, correction.id),
        has_file=bool(CorrectionAttachment.among(session, [correction.id])),
    )


def _unanswered_reset(session: Session, reference: str) -> ResetRequest | None:
    """A request for a token that was answered with "this address is not registered for that NIP"."""
    request = ResetRequest.with_reference(session, reference)
    return request if request is not None and request.user_id is None else None


def _mailbox(correction: EmailCorrection | ResetRequest | None) -> ProvenMailbox | None:
    match correction:
        case EmailCorrection():
            return ProvenMailbox(Nip(correction.nip), EmailAddress(correction.new_email))
        case ResetRequest():
            return ProvenMailbox(Nip(correction.nip), EmailAddress(correction.typed_email))
        case None:
            return None


def _new_correction(reference: str, nip: Nip, address: EmailAddress, act: Act[object]) -> EmailCorrection:
    return EmailCorrection(
        reference=reference,
        ticket=new_ticket(),
        nip=nip.digits,
        new_email=address.text,
        new_email_key=address.key,
        state=CorrectionState.ASKED,
        asked_at=act.at,
        client_address=act.client.address,
    )


def added(session: Session, correction: EmailCorrection) -> EmailCorrection:
    """The request, or the one that already has its reference. If the ticket number is taken, a new one is
    drawn."""
    while not correction.add(session):
        if there := EmailCorrection.with_reference(session, correction.reference):
            return there
        correction.ticket = new_ticket()
    return correction


def _correction_of_form(
    session: Session, nip: Nip, address: EmailAddress, form_id: str, act: Act[object]
) -> EmailCorrection:
    """The request of this form. It is made if there is none, or if the earlier one is decided. If two people
    send the form at once, the second gets the request that the first has made."""
    for sent in count():
        reference = _reference_of(session, form_id, sent, nip, address)
        correction = _new_correction(reference, nip, address, act)
        if (there := added(session, correction)) is correction:
            return correction
        held = EmailCorrection.with_reference(session, there.reference, lock=True)
        if held is not None and not held.state.is_decided:
            return held
    raise AssertionError("counting never ends")


def _reference_of(session: Session, form_id: str, sent: int, nip: Nip, address: EmailAddress) -> str:
    """16 characters, which are the same only for this form, NIP and address. `sent` counts the requests of
    this form that are over."""
    digest = bytes.fromhex(
        fingerprint(session, "correction-form", form_id, nip.digits, address.key, *["again"] * sent)
    )
    return urlsafe_b64encode(digest[:12]).decode()


def _limits_on_queue(nip: Nip, client: Client) -> list[throttle.Bucket]:
    """The limits that keep a request out of the queue, whether anybody has the NIP or not."""
    per_line, per_nip = throttle.CORRECTIONS_PER_LINE, throttle.CORRECTIONS_PER_NIP
    return [
        (per_line, (nip.digits, mask_address(client.address))),
        (per_nip, nip.digits),
    ]


def count_file(session: Session, nip: Nip, act: Act[object]) -> bool:
    """Count one more file. False if there is no room. The result does not depend on the NIP, because the
    sender of the file sees it."""
    if CorrectionAttachment.are_at_least(session, throttle.ATTACHMENTS_IN_ALL):
        return False
    per_line, per_nip = throttle.ATTACHMENTS_PER_LINE, throttle.ATTACHMENTS_PER_NIP
    of_both = throttle.ATTACHMENTS_PER_NIP_AND_LINE
    places: list[throttle.Bucket] = [
        (of_both, (nip.digits, mask_address(act.client.address))),
        (per_line, mask_address(act.client.address)),
        (per_nip, nip.digits),
    ]
    return throttle.take_all(session, places, act.at)


def _hour_of_answer(now: datetime) -> datetime:
    drawn = (now + EARLIEST_ANSWER + _some_of(LATEST_ANSWER - EARLIEST_ANSWER)).astimezone(WIB)
    if drawn.weekday() < _SATURDAY and DESK_ANSWERS_FROM <= drawn.time() < DESK_ANSWERS_UNTIL:
        return drawn
    day = drawn.date() if drawn.time() < DESK_ANSWERS_FROM else drawn.date() + timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    opening, closing = (datetime.combine(day, hour, WIB) for hour in (DESK_ANSWERS_FROM, DESK_ANSWERS_UNTIL))
    return opening + _some_of(closing - opening)


def _some_of(span: timedelta) -> timedelta:
    return timedelta(seconds=secrets.randbelow(int(span.total_seconds())))


def keep_file(session: Session, correction: EmailCorrection, file: Attachment, now: datetime) -> None:
    row = CorrectionAttachment(
        correction_id=correction.id, media_type=file.media_type, content=file.content, added_at=now
    )
    session.add(row)
