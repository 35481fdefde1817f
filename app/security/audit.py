"""The trail: every act becomes a row, in the transaction of the act itself. So does every refusal, but where
one can be had for nothing: of these a line gets a row a minute."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.email_address import EmailAddress
from app.models.account import TriedAccount
from app.models.audit_event import AuditEvent, Tag
from app.models.user import User
from app.security.authority import Authority
from app.security.fingerprints import fingerprint
from app.security.once_a_minute import OnceAMinute

Facts = dict[str, str | int | bool | None]
# An admin, a person who has shown who that is, or nobody of whom that is known
Actor = Authority | User | None


def actor_of(act: Act[Actor]) -> User | None:
    """Who acted, where that is proven."""
    return act.by.admin if isinstance(act.by, Authority) else act.by


def record(
    session: Session,
    tag: Tag,
    account: User | TriedAccount | None,
    act: Act[Actor],
    /,  # a detail may be called like one of these
    *,
    instansi_id: int | None = None,
    **detail: str | int | None,
) -> AuditEvent:
    """Write one event. `account` is whose account it was; who acted, `act` says. No secrets in `detail`.

    An `Account` may be nobody's. The desk that may read the event is that of the account's instansi;
    `instansi_id` names it for acts without an account.
    """
    actor = actor_of(act)
    event = AuditEvent(
        at=act.at,
        tag=tag,
        actor_id=actor.id if actor else None,
        account_id=account.id if account else None,
        client_address=act.client.address,
        user_agent=act.client.user_agent[:300],
        request_id=act.client.request_id,
        detail=detail,
        instansi_id=account.instansi_id if account else instansi_id,
    )
    session.add(event)
    return event


def before_and_after(session: Session, column: str, old: str | None, new: str | None) -> Facts:
    """What a changed column was and is, for an event to `add`. Addresses are masked, each with a fingerprint
    (16 hex digits) by which a known one can be found again; all else stands there whole, a NIP too: it is
    what the person was known by."""
    if column != "email":
        return {f"old_{column}": old, f"new_{column}": new}
    facts: Facts = {}
    for name, address in (("old_email", old), ("new_email", new)):
        if address:
            written = EmailAddress(address)
            mark = fingerprint(session, "trail-address", written.key)[:16]
            facts[name] = f"{written.masked} ({mark})"
    return facts


def record_once_a_minute(
    session: Session,
    tag: Tag,
    account: User | TriedAccount | None,
    act: Act[Actor],
    *,
    about: str,
    **detail: str | int | None,
) -> None:
    """Write one event, unless the same line has had one under this tag `about` the same thing within the
    minute.

    `about` is what was typed, whether or not there is such an account.
    """
    door: OnceAMinute = session.info[OnceAMinute]
    left_out = door.let_through(tag, about, act)
    if left_out is not None:
        event = record(session, tag, account, act)
        event.detail = {**detail, "left_out": left_out} if left_out else detail


def record_parts(
    session: Session,
    tag: Tag,
    parts: Mapping[int | None, int],
    act: Act[Authority],
    **detail: str | int | None,
) -> list[AuditEvent]:
    """Write what was done to many, or taken along, once for each desk that it concerns, with its own part of
    the number. `Authority.parts` tells which; an event of no desk (None) is for the centre alone."""
    return [
        record(session, tag, None, act, instansi_id=instansi_id, how_many=how_many, **detail)
        for instansi_id, how_many in parts.items()
    ]
