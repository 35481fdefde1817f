"""The desk writes to a person in its own words, to the address on record."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.notice import Notice
from app.mail import letters
from app.models.audit_event import Tag
from app.models.outbox_mail import Letter, OutboxMail
from app.models.user import User
from app.security import audit
from app.security.authority import Authority

ONE_WITHIN = timedelta(days=1)  # to one person, from whichever desk


@dataclass(frozen=True)
class NoticePosted:
    """The mail is in the outbox."""


@dataclass(frozen=True)
class NoMailbox:
    """There is no address on record."""


@dataclass(frozen=True)
class HasOneAlready:
    """The person got a notice within the last day."""


def send_notice(
    session: Session, person: User, notice: Notice, act: Act[Authority]
) -> NoticePosted | NoMailbox | HasOneAlready:
    """Post a notice to a person whom `Authority.person_to_act_on` has locked, so that two desks at once do
    not both write."""
    if person.email is None:
        return NoMailbox()
    if told_lately(session, [person.id], act.at):
        return HasOneAlready()
    letters.office_notice(session, act.by.admin, person, notice, act)
    audit.record(session, Tag.NOTICE_SENT, person, act)
    return NoticePosted()


def told_lately(session: Session, ids: Collection[int], now: datetime) -> set[int]:
    """Those of these people who got a notice within the last day."""
    lately = select(OutboxMail.user_id).where(
        OutboxMail.user_id.in_(ids),
        OutboxMail.letter == Letter.OFFICE_NOTICE,
        OutboxMail.posted_at > now - ONE_WITHIN,
    )
    return {one for one in session.scalars(lately) if one is not None}
