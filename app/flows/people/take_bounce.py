"""A mail server reports later that a mail did not arrive. The desk should know which people need another
address.

Anybody can write such a report. It counts only for the one mail whose signed address the report came to, so
anyone who forges a report has received that mail. It marks a person only if the mail went to the address that
is still on record. So somebody can forge reports only about their own address.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.bounce import CameBack, NoFailure
from app.domain.email_address import EmailAddress
from app.domain.return_path import marks_in
from app.models.audit_event import Tag
from app.models.outbox_mail import OutboxMail
from app.models.user import User
from app.security import audit
from app.security.signing import SigningKeys


@dataclass(frozen=True)
class Noted:
    """The mail is known not to have arrived. `marks_person` if the person's record says so from now on."""

    mail_id: int
    status: str
    is_hard: bool
    marks_person: bool


@dataclass(frozen=True)
class LeftAlone:
    """Nothing was changed. `is_answered` if the portal has understood the whole report, so nobody needs to
    keep it."""

    why: str
    is_answered: bool = False


def take_bounce(
    session: Session, came_back: CameBack, envelope_to: str, keys: SigningKeys, act: Act[None]
) -> Noted | LeftAlone:
    """Note what a message to the return path says. `envelope_to` is the address for which the mail server
    received the message, empty if unknown."""
    message_id = next(_letters_named(came_back, envelope_to, keys), None)
    if message_id is None:
        return LeftAlone("it was not sent to a signed address of this portal")
    if isinstance(came_back.says, NoFailure):
        return LeftAlone(f"it {came_back.says.why}", came_back.says.is_report)
    posted = OutboxMail.posted_with(session, message_id)
    if posted is None:
        return LeftAlone("its letter is not kept any more", is_answered=True)
    address, failure = EmailAddress(posted.to_address), came_back.says
    if not failure.is_of(address):
        return LeftAlone("it is about an address that the letter was forwarded to", is_answered=True)
    answer = f"{failure.status} {failure.words}".strip()
    if not OutboxMail.note_bounce(session, posted.id, answer, act.at, is_hard=failure.is_hard):
        return LeftAlone("it is known already", is_answered=True)
    person = None
    if failure.is_hard and posted.user_id is not None:
        person = User.note_bounced_mail(session, posted.user_id, address, posted.posted_at, act.at)
    if person is not None:
        audit.record(session, Tag.MAIL_BOUNCED, person, act, mail=posted.id, status=failure.status)
    return Noted(posted.id, failure.status, failure.is_hard, person is not None)


def _letters_named(came_back: CameBack, envelope_to: str, keys: SigningKeys) -> Iterator[str]:
    for text in (envelope_to, *came_back.sent_to):
        for mark in marks_in(text):
            if message_id := keys.open_mark(mark):
                yield message_id
