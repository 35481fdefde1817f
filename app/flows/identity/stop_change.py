"""A person hears that the email, NIP, instansi, category or mandate of their account will change, or has
changed, and says: not me.

The change is frozen and the account is contested. One admin alone cannot change anything that identifies the
owner until a second admin, who had no part in the change, has settled it. Anybody who came in through the
change is out.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.identity import ChangeKind, ChangeState
from app.domain.indonesian_time import today_in_jakarta
from app.flows.identity.change_identity import cancel_under_way, page_of, reopen_correction_of
from app.flows.identity.identity_gate import may_still_be_contested
from app.flows.identity.put_on_record import end_mandate, take_away
from app.mail import letters
from app.models.admin_mandate import AdminMandate
from app.models.audit_event import Tag
from app.models.identity_change import IdentityChange
from app.models.instansi import Instansi
from app.models.user import User
from app.security import audit

STOP_LINK_DAYS = 30
_BY_LINK = "Dihentikan lewat tautan di email pemberitahuan."
_ANOTHER_WAS_STOPPED = "Perubahan sebelumnya dibekukan oleh pemiliknya."
_FROM_SESSION = "Dihentikan oleh pemilik akun yang sedang masuk."


@dataclass(frozen=True)
class NothingToStop:
    """The change was stopped before or cancelled, or another change has replaced it since."""


def stop_by_link(session: Session, reference: str, act: Act[None]) -> IdentityChange | NothingToStop:
    """Stop the change by the link in a letter about it. The link works before the change takes effect and for
    a month afterwards."""
    seen = IdentityChange.with_reference(session, reference)
    return _stop(session, seen.id, seen.user_id, _BY_LINK, act) if seen else NothingToStop()


def stop_from_session(session: Session, act: Act[User]) -> IdentityChange | NothingToStop:
    """Stop the change from a session. This works before the change takes effect, because afterwards no
    session is left."""
    seen = IdentityChange.under_way_for(session, act.by.id)
    return _stop(session, seen.id, seen.user_id, _FROM_SESSION, act) if seen else NothingToStop()


def can_be_stopped(session: Session, change: IdentityChange, person: User, now: datetime) -> bool:
    """A change can be stopped before it is in effect, and while it is in effect. It can also be stopped if
    another change has followed, because a thief may have moved on to a third address. It cannot be stopped if
    second admins have lately settled enough stopped changes of this account."""
    if not may_still_be_contested(session, person, now):
        return False
    if change.state is ChangeState.CANCELLED:
        again = IdentityChange.next_with_same_aim(session, change)
        return again is not None and can_be_stopped(session, again, person, now)
    if change.state is not ChangeState.DONE:
        return change.is_under_way
    if change.mandate is not None:
        still_holds = change.mandate.is_in_force(today_in_jakarta(now))
    else:
        still_holds = change.value_on_record == change.new_value
    later = IdentityChange.done_after(session, change) or [
        one
        for one in IdentityChange.contesting(session, person.id)
        if one.kind is change.kind and one.id > change.id and one.effective_at is not None
    ]
    return still_holds or bool(later)


def _stop(
    session: Session, change_id: int, user_id: int, because: str, act: Act[User | None]
) -> IdentityChange | NothingToStop:
    person = User.with_id(session, user_id, lock=True)
    change = IdentityChange.with_id(session, change_id, lock=True)
    if person is None or change is None or not can_be_stopped(session, change, person, act.at):
        return NothingToStop()
    if change.state is ChangeState.CANCELLED and (
        again := IdentityChange.next_with_same_aim(session, change)
    ):
        # The change was cancelled, and the same was decided once more
        return _stop(session, again.id, user_id, because, act)
    if not change.told and person.email:
        change.told = [person.email]  # this address is told of the next change too
    if was_taken_away := change.state is ChangeState.DONE:
        take_away(session, change, person, act)
        for later in IdentityChange.done_after(session, change):
            if later.mandate is not None and later.mandate.revoked_at is None:
                end_mandate(session, later.mandate, _ANOTHER_WAS_STOPPED, act.done_by(None))
            later.end(ChangeState.FROZEN, _ANOTHER_WAS_STOPPED, act.at)
        cancel_under_way(session, person, _ANOTHER_WAS_STOPPED, act)
    elif change.mandate is not None:
        change.mandate.revoke(act.at)
    change.end(ChangeState.FROZEN, because, act.at)
    correction = reopen_correction_of(session, change, person)
    event = audit.record(
        session, Tag.CHANGE_STOPPED, person, act, change=change.id, kind=change.kind, because=because
    )
    if was_taken_away and change.kind in (ChangeKind.EMAIL, ChangeKind.NIP):
        event.add(
            audit.before_and_after(session, change.kind.column, change.new_value, change.value_on_record)
        )
    if correction:
        letters.correction_frozen(session, correction, act)
    _tell_the_desk(session, change, person, act)
    return change


def _tell_the_desk(session: Session, change: IdentityChange, person: User, act: Act[object]) -> None:
    """Tell the other admins of the instansi, and pusat. The admins who decided are not told, because they
    have no say in it any more."""
    deciders = {change.decided_by_id, change.confirmed_by_id}
    desks = [person.instansi_id]
    if change.kind is ChangeKind.INSTANSI and (former := Instansi.with_code(session, change.old_value or "")):
        desks.append(former.id)
    readers = AdminMandate.people_of_desks(session, desks, today_in_jakarta(act.at))
    what = (
        f"Pemilik akun {person.name} ({person.shown_nip.masked}) menyatakan perubahan {change.kind.label} "
        "bukan permintaannya. Akun itu dibekukan sampai admin kedua, yang belum pernah memutuskan "
        "tentangnya, memeriksa dan menutup sengketa ini."
    )
    others = [reader for reader in readers if reader.id not in deciders and reader.id != person.id]
    letters.to_desk(session, others, what, page_of(change), act)
