"""The centre opens the Pemutakhiran Data Mandiri for the country, or gives one instansi days of its own."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.models.audit_event import Tag
from app.models.instansi import Instansi, UnknownInstansi
from app.models.pdm_window import PdmWindow
from app.models.user import User
from app.security import audit


@dataclass(frozen=True)
class ClosesBeforeOpening:
    pass


def set_pdm_window(
    session: Session,
    by: User | None,
    opens_on: date,
    closes_on: date,
    instansi_code: str | None,
    client: Client,
    now: datetime,
) -> PdmWindow | UnknownInstansi | ClosesBeforeOpening:
    """Write the window, both days included; `instansi_code` None means the national one. `by` is None at the
    command line."""
    if closes_on < opens_on:
        return ClosesBeforeOpening()
    instansi = Instansi.one_or_all(session, instansi_code)
    if isinstance(instansi, UnknownInstansi):
        return instansi
    instansi_id = instansi.id if instansi else None
    window = PdmWindow.write(session, instansi_id, opens_on, closes_on)
    audit.record(
        session, Tag.PDM_WINDOW_SET, None, client, now, actor=by, instansi_id=instansi_id,
        instansi=instansi_code, opens=opens_on.isoformat(), closes=closes_on.isoformat(),
    )  # fmt: skip
    return window


def follow_national_window(
    session: Session, by: User, instansi: Instansi, client: Client, now: datetime
) -> None:
    """Take the instansi's own days away; where it has none, nothing changes and nothing is recorded."""
    if PdmWindow.drop(session, instansi.id):
        audit.record(
            session, Tag.PDM_WINDOW_SET, None, client, now, actor=by, instansi_id=instansi.id,
            instansi=instansi.code, opens=None, closes=None,
        )  # fmt: skip
