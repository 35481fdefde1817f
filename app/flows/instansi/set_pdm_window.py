"""Pusat opens the Pemutakhiran Data Mandiri for the whole country, or gives one instansi a window of its
own."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.models.audit_event import Tag
from app.models.instansi import Instansi, UnknownInstansi
from app.models.pdm_window import PdmWindow
from app.security import audit
from app.security.authority import Authority


@dataclass(frozen=True)
class ClosesBeforeOpening:
    pass


def set_pdm_window(
    session: Session, opens_on: date, closes_on: date, instansi_code: str | None, act: Act[Authority | None]
) -> PdmWindow | UnknownInstansi | ClosesBeforeOpening:
    """Write the window, both days included. If `instansi_code` is None, it is the national window. If
    `act.by` is None, the command line acts."""
    if closes_on < opens_on:
        return ClosesBeforeOpening()
    instansi = Instansi.one_or_all(session, instansi_code)
    if isinstance(instansi, UnknownInstansi):
        return instansi
    instansi_id = instansi.id if instansi else None
    window = PdmWindow.write(session, instansi_id, opens_on, closes_on)
    audit.record(
        session, Tag.PDM_WINDOW_SET, None, act, instansi_id=instansi_id,
        instansi=instansi_code, opens=opens_on.isoformat(), closes=closes_on.isoformat()
    )  # fmt: skip
    return window


def follow_national_window(session: Session, instansi: Instansi, act: Act[Authority]) -> None:
    """Remove the instansi's own window. If it has none, nothing changes and nothing is recorded."""
    if PdmWindow.drop(session, instansi.id):
        audit.record(
            session, Tag.PDM_WINDOW_SET, None, act, instansi_id=instansi.id,
            instansi=instansi.code, opens=None, closes=None
        )  # fmt: skip
