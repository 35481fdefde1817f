"""An admin who begins the morning sees first what somebody has to do, how much there is of it, and how old it
is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.corrections import OPEN_STATES, PROMISE
from app.domain.identity import ChangeState
from app.domain.indonesian_time import today_in_jakarta
from app.domain.labelled import Labelled
from app.flows.reports.count_desks import WAITS_FOR_APPROVAL, DeskCount
from app.flows.reports.overview import (
    MOST_COUNTED,
    CappedCount,
    OverviewScope,
    capped_count,
    is_of_a_desk,
    open_corrections,
)
from app.models.admin_mandate import AdminMandate
from app.models.correction_question import CorrectionQuestion
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.mail_fault import MailFault
from app.models.outbox_mail import OutboxMail
from app.models.user import User
from app.security.authority import Authority

ALARMS_SHOWN = 5
MOST_MATTERS = 100
ENDS_SOON = timedelta(days=30)
DEAD_FROM = 3  # mails of a week that one domain did not take


class MatterKind(Labelled):
    """What somebody has to do, in the order of how soon."""

    CONTESTED = "sengketa", "Akun yang disengketakan"
    LATE = "terlambat", "Permintaan lewat janji 24 jam"
    SECOND = "kedua", "Menunggu admin kedua"
    CPNS = "cpns", "CPNS menunggu persetujuan"
    DOMAINS = "domain", "Domain email yang menolak"
    MANDATES = "mandat", "Mandat admin hampir berakhir"


@dataclass(frozen=True)
class Matter:
    kind: MatterKind
    count: CappedCount
    since: datetime | None = None  # of the oldest
    ends_on: date | None = None  # of the first


@dataclass(frozen=True)
class MailAlarm:
    """A fault on our side, because of which mails cannot leave, and how many wait for its end."""

    fault: MailFault
    waiting: CappedCount


def first_matters(session: Session, reach: OverviewScope, counted: DeskCount, now: datetime) -> list[Matter]:
    """What there is to do within reach; empty if nothing waits for anybody."""
    found = [
        _changes(session, reach, MatterKind.CONTESTED, ChangeState.FROZEN),
        _late(session, reach, now),
        _changes(session, reach, MatterKind.SECOND, ChangeState.NEEDS_SECOND),
        _cpns(session, reach, counted),
        _domains(counted),
        _mandates(session, reach, today_in_jakarta(now)),
    ]
    return [matter for matter in found if matter.count]


def mail_alarms(session: Session, authority: Authority) -> list[MailAlarm]:
    """For pusat only, because the operator can end such a fault, and the mails of all instansi are in one
    outbox."""
    if not authority.is_pusat:
        return []
    found = []
    for fault in MailFault.alarms(session)[:ALARMS_SHOWN]:
        waiting = OutboxMail.how_many_wait(session, MOST_COUNTED, None if fault.is_everywhere else fault.way)
        found.append(MailAlarm(fault, CappedCount(waiting, MOST_COUNTED)))
    return found


def _late(session: Session, reach: OverviewScope, now: datetime) -> Matter:
    late = open_corrections(reach).where(EmailCorrection.submitted_at <= now - PROMISE)
    oldest = [
        session.scalar(
            select(EmailCorrection.submitted_at)
            .where(is_of_a_desk(reach), EmailCorrection.state == state, ~CorrectionQuestion.is_open())
            .order_by(EmailCorrection.submitted_at)
            .limit(1)
        )
        for state in OPEN_STATES
    ]
    since = min(filter(None, oldest), default=None)
    return Matter(MatterKind.LATE, capped_count(session, late, MOST_COUNTED), since)


def _changes(session: Session, reach: OverviewScope, kind: MatterKind, state: ChangeState) -> Matter:
    """Those that a second admin has to look at."""
    since = IdentityChange.ended_at if state is ChangeState.FROZEN else IdentityChange.decided_at
    its = (
        IdentityChange.state == state,
        IdentityChange.settled_at.is_(None),
        reach.within(IdentityChange.instansi_id),
    )
    oldest = session.scalar(select(since).where(*its).order_by(since).limit(1))
    return Matter(kind, capped_count(session, select(IdentityChange.id).where(*its), MOST_MATTERS), oldest)


def _cpns(session: Session, reach: OverviewScope, counted: DeskCount) -> Matter:
    """The worker knows the oldest: to find it here would take a look at each instansi."""
    waiting = select(User.id).where(reach.within(User.instansi_id), WAITS_FOR_APPROVAL)
    since = datetime.fromisoformat(counted.cpns_since) if counted.cpns_since else None
    return Matter(MatterKind.CPNS, capped_count(session, waiting, MOST_COUNTED), since)


def _domains(counted: DeskCount) -> Matter:
    dead = [one for one in counted.domains if one.count >= DEAD_FROM]
    since = min((one.since_at for one in dead), default=None)
    return Matter(MatterKind.DOMAINS, CappedCount(len(dead), MOST_MATTERS), since)


def _mandates(session: Session, reach: OverviewScope, today: date) -> Matter:
    ending = AdminMandate.ends_without_another(today, today + ENDS_SOON)
    its = (ending, reach.within(AdminMandate.instansi_id))
    first = session.scalar(select(func.min(AdminMandate.ends_on)).where(*its))
    count = capped_count(session, select(AdminMandate.id).where(*its), MOST_MATTERS)
    return Matter(MatterKind.MANDATES, count, ends_on=first)
