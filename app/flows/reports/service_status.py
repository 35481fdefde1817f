"""Somebody waits for a token, or cannot log in, and wants to know whether the portal works. Anybody may ask,
so the answer says nothing of people or instansi."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.mail_delay import LATE_AFTER, shown_delay
from app.flows.reports.count_figures import Counted
from app.models.figures import Figures
from app.models.pdm_window import PdmWindow

OLD_AFTER = timedelta(minutes=3)  # a worker that lives counts once a minute


@dataclass(frozen=True)
class MailsOnTime:
    """How long the answers to asks take, in words."""

    typical: str
    slowest: str


@dataclass(frozen=True)
class MailsLate:
    """Nothing can leave, or something has waited for long; for how long, in words."""

    oldest: str | None


@dataclass(frozen=True)
class NobodySends:
    """No worker has said anything for some minutes."""

    since: datetime | None


MailService = MailsOnTime | MailsLate | NobodySends


@dataclass(frozen=True)
class ServiceStatus:
    mails: MailService
    window: PdmWindow | None  # the national one


def service_status(session: Session, now: datetime) -> ServiceStatus:
    return ServiceStatus(_mails(Figures.newest(session), now), PdmWindow.of(session, None))


def _mails(figures: Figures | None, now: datetime) -> MailService:
    if figures is None or abs(now - figures.made_at) > OLD_AFTER:
        return NobodySends(figures.made_at if figures else None)
    counted = Counted.read(figures.content)
    since = counted.answer_waits_since
    waited = figures.made_at - datetime.fromisoformat(since) if since else timedelta()
    if waited > LATE_AFTER or any(counted.faults.values()):
        return MailsLate(shown_delay(waited) if since else None)
    # Without any mail of late the answer is the same as after a quick one
    typical, slowest = counted.answers_typical or 0, counted.answers_slowest or 0
    return MailsOnTime(shown_delay(timedelta(seconds=typical)), shown_delay(timedelta(seconds=slowest)))
