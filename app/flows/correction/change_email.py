"""The instansi puts another address on record, with or without a request of the person.

The gate decides which course the change takes. The password stays as it is.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.corrections import IdentityCheck
from app.domain.email_address import EmailAddress
from app.domain.identity import ChangeKind
from app.domain.indonesian_time import today_in_jakarta
from app.flows.identity.change_identity import ProposedChange, UnderWay, begin_change
from app.flows.identity.put_on_record import AddressTaken, NipTaken
from app.models.audit_event import Tag
from app.models.email_correction import EmailCorrection
from app.models.identity_change import IdentityChange
from app.models.user import User
from app.security import audit
from app.security.authority import Authority, NotToTouch, OutOfReach


@dataclass(frozen=True)
class SameAddress:
    """The new address is the one on record already."""


@dataclass(frozen=True)
class Outdated:
    """The account has changed since the admin looked at it."""


Refusal = OutOfReach | NotToTouch | AddressTaken | SameAddress | UnderWay | Outdated


@dataclass(frozen=True)
class EmailDecision:
    """What an admin has decided, and why. `seen` is the version of the account that was on the screen."""

    address: EmailAddress
    identity_check: IdentityCheck
    reason: str
    seen: int


def change_email(
    session: Session,
    person_id: int,
    decision: EmailDecision,
    delay: timedelta,
    act: Act[Authority],
    correction: EmailCorrection | None = None,
) -> IdentityChange | Refusal:
    """Decide on a new address. The state of the returned change says what follows."""
    person = act.by.person_to_act_on(session, person_id, today_in_jakarta(act.at))
    if not isinstance(person, User):
        return person
    if person.credential_version != decision.seen:
        return Outdated()
    if person.has_email(decision.address):
        return SameAddress()
    if earlier := IdentityChange.under_way_for(session, person.id):
        return UnderWay(earlier)
    if User.taken_addresses(session, [decision.address]) or _is_kept_for_another(
        session, person, decision.address
    ):
        # Somebody who tries one address after the other learns which ones are taken, and leaves this trace.
        audit.record(session, Tag.ADMIN_REFUSED, person, act, reason="address taken")
        return AddressTaken(owner_within(session, act.by, decision.address))

    proposed = ProposedChange(
        ChangeKind.EMAIL,
        person.email,
        decision.address.text,
        decision.reason,
        decision.identity_check,
        correction,
    )
    change = begin_change(session, person, proposed, delay, act)
    assert not isinstance(change, NipTaken), "only an address was changed"
    return change


def _is_kept_for_another(session: Session, person: User, address: EmailAddress) -> bool:
    """Whether the address was taken from somebody else, who may get it back when a second admin has
    looked."""
    if address.key not in IdentityChange.contested_addresses(session, [address.key]):
        return False
    own = {(change.old_value or "").lower() for change in IdentityChange.contesting(session, person.id)}
    return address.key not in own


def owner_within(session: Session, authority: Authority, address: EmailAddress) -> User | None:
    """Whose address it is, if this admin may know."""
    return session.scalars(
        select(User).where(User.registered_at([address]), authority.within(User.instansi_id))
    ).one_or_none()
