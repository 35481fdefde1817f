"""An admin notes the day on which the people of the instansi were called to activate their accounts, so that
the overview shows what the call did. Pusat notes days for all."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.models.audit_event import Tag
from app.models.campaign_day import CampaignDay
from app.models.instansi import Instansi
from app.security import audit
from app.security.authority import Authority

MOST_A_YEAR = 20
YEARS_BACK, YEARS_AHEAD = 1, 2


@dataclass(frozen=True)
class TooManyDays:
    """A chart full of marks says nothing."""


@dataclass(frozen=True)
class TooFarAway:
    """No chart will show that day, or its year is a typing error."""


def days_to_note(today: date) -> tuple[date, date]:
    """The first and the last day that may be noted. Whole years, so that the list holds each day that counts
    for the limit of a year."""
    return date(today.year - YEARS_BACK, 1, 1), date(today.year + YEARS_AHEAD, 12, 31)


def note_campaign_day(
    session: Session, day: date, title: str, instansi: Instansi | None, act: Act[Authority]
) -> TooManyDays | TooFarAway | None:
    """Note the day for this instansi, or for all (None). A day that is noted already gets the new title."""
    first, last = days_to_note(today_in_jakarta(act.at))
    if not first <= day <= last:
        return TooFarAway()
    instansi_id = instansi.id if instansi else None
    CampaignDay.lock_year(session, instansi_id, day)
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
