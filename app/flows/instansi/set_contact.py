"""An admin keeps the contact of the instansi up to date. Letters show it, and so do the pages of people who
cannot go on."""

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.models.audit_event import Tag
from app.models.instansi import Instansi
from app.security import audit
from app.security.authority import Authority, OutOfReach


def set_contact(
    session: Session, instansi_id: int, contact: str, act: Act[Authority]
) -> Instansi | OutOfReach:
    """Write the contact, one line of text of at most 300 characters. If it is the same as before, nothing is
    recorded."""
    instansi = Instansi.with_id(session, instansi_id, lock=True)
    if instansi is None or not act.by.covers(instansi.id):
        return OutOfReach()
    if contact != instansi.helpdesk_contact:
        audit.record(
            session, Tag.CONTACT_CHANGED, None, act, instansi_id=instansi.id,
            instansi=instansi.code, old=instansi.helpdesk_contact, new=contact
        )  # fmt: skip
        instansi.helpdesk_contact = contact
    return instansi
