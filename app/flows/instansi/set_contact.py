"""An admin keeps the contact and the time zone of the instansi up to date. Letters show the contact, and so
do the pages of people who cannot go on."""

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.contact import CONTACT_FIELDS, Contact
from app.domain.indonesian_time import Zone
from app.models.audit_event import AuditEvent, Tag
from app.models.instansi import Instansi
from app.security import audit
from app.security.authority import Authority, OutOfReach


def set_contact(
    session: Session, instansi_id: int, contact: Contact, zone: Zone, act: Act[Authority]
) -> Instansi | OutOfReach:
    """Write the contact and the zone. If both are the same as before, nothing is recorded. A zone that was
    guessed stays a guess until somebody chooses another one."""
    instansi = Instansi.with_id(session, instansi_id, lock=True)
    if instansi is None or not act.by.covers(instansi.id):
        return OutOfReach()
    before, zone_before = instansi.contact, instansi.zone
    if (contact, zone) == (before, zone_before):
        return instansi
    event = audit.record(
        session, Tag.CONTACT_CHANGED, None, act, instansi_id=instansi.id, instansi=instansi.code
    )
    _note(event, before, contact)
    instansi.contact = contact
    if zone is not zone_before:
        event.add({"old_zone": zone_before, "new_zone": zone})
        instansi.chosen_zone = zone
    return instansi


def _note(event: AuditEvent, before: Contact, after: Contact) -> None:
    """Note each field that changed. The address is noted whole: it is that of an office, and everybody reads
    it."""
    for field in CONTACT_FIELDS:
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            # Earlier releases noted the words alone, and their names stay
            after_which = "" if field == "words" else f"_{field}"
            event.add({f"old{after_which}": old, f"new{after_which}": new})
