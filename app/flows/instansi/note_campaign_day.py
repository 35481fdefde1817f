"""An admin notes the day on which the people of the instansi were called to activate their accounts, so that
the overview shows what the call did. Pusat notes days for all."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.models.audit_event import Tag
from app.models.campaign_day import CampaignDay
from app.models.instansi import Instansi
from app.security import audit
from app.security.authority import Authority

MOST_A_YEAR = 20


@dataclass(frozen=True)
class TooManyDays:
    """A chart full of marks says nothing."""


def note_campaign_day(
    session: Session, day: date, title: str, instansi: Instansi | None, act: Act[Authority]
) -> TooManyDays | None:
    """Note the day for this instansi, or for all (None). A day that is noted already gets the new title. Two
    admins who note a day at the same moment may pass the limit by one."""
    instansi_id = instansi.id if instansi else None
    if CampaignDay.others_in_year(session, instansi_id, day) >= MOST_A_YEAR:
        return TooManyDays()
    CampaignDay.write(session, instansi_id, day, title)
    _record(session, day, title, instansi, act)
    return None


def forget_campaign_day(session: Session, day: date, instansi: Instansi | None, act: Act[Authority]) -> bool:
    """False if it was not noted: then nothing is recorded."""
    title = CampaignDay.drop(session, instansi.id if instansi else None, day)
    if title is None:
        return False
    _record(session, day, None, instansi, act)
    return True


def _record(
    session: Session, day: date, title: str | None, instansi: Instansi | None, act: Act[Authority]
) -> None:
    """A title of None says that the day is no longer noted."""
    audit.record(
        session, Tag.CAMPAIGN_DAY_NOTED, None, act, instansi_id=instansi.id if instansi else None,
        instansi=instansi.code if instansi else None, day=day.isoformat(), title=title or "",
    )  # fmt: skip
