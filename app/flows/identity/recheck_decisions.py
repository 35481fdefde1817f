"""An admin's mandate ends, or the admin is moved or deactivated. The decisions of this admin that are not in
effect wait for another admin."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.indonesian_time import today_in_jakarta
from app.mail import letters
from app.models.admin_mandate import AdminMandate
from app.models.audit_event import Tag
from app.models.identity_change import IdentityChange
from app.models.user import User
from app.security import audit


def recheck_decisions_of(session: Session, admin: User, because: str, act: Act[object]) -> None:
    """From now on, another admin has to confirm every change that this admin has decided or confirmed and
    that is not in effect."""
    session.flush()
    held = IdentityChange.recheck_those_by(session, admin.id, because)
    people = {
        person.id: person
        for person in session.scalars(select(User).where(User.id.in_([one for _, one in held])))
    }
    for change_id, user_id in held:
        audit.record(
            session, Tag.DECISION_HELD, people[user_id], act.done_by(None), change=change_id, because=because
        )
    if held:
        desks = {person.instansi_id for person in people.values()}
        readers = AdminMandate.people_of_desks(session, desks, today_in_jakarta(act.at))
        what = f"{len(held)} keputusan {admin.name} yang belum berlaku menunggu admin kedua. {because}"
        others = [reader for reader in readers if reader.id != admin.id]
        letters.to_desk(session, others, what, "/admin/perbaikan-email?lihat=kedua", act)
