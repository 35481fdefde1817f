"""The trail: every act becomes a row, in the transaction of the act itself. Every refusal becomes a row too,
except refusals that anybody can cause at no cost: for those, each line gets one row a minute."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.domain.act import Act
from app.domain.email_address import EmailAddress
from app.models.account import AccountBehind, ProvenOwner
from app.models.audit_event import AuditEvent, Tag
from app.models.base import table_of, without_records
from app.models.many_rows import insert_many
from app.models.noted import Noted, note
from app.models.user import User
from app.security.authority import Authority
from app.security.fingerprints import fingerprint
from app.security.once_a_minute import OnceAMinute

Facts = dict[str, str | int | bool | None]
# An admin, a person who has proven who they are, or nobody of whom that is known
Actor = Authority | User | None


class Account(Protocol):
    """The account that an event is about."""

    @property
    def id(self) -> int: ...
    @property
    def instansi_id(self) -> int: ...


def actor_of(act: Act[Actor]) -> User | None:
    """The person who acted, if that is proven."""
    return act.by.admin if isinstance(act.by, Authority) else act.by


def record(
    session: Session,
    tag: Tag,
    account: User | AccountBehind | None,
    act: Act[Actor],
    /,  # a detail may be called like one of these
    *,
    instansi_id: int | None = None,
    **detail: str | int | None,
) -> AuditEvent:
    """Write one event. `account` is the account that the event is about; `act` says who acted. `detail` holds
    no secrets.

    An `AccountBehind` may belong to nobody. The desk of the account's instansi may read the event. For acts
    without an account, `instansi_id` names the instansi.
    """
    event = AuditEvent(**_columns(tag, account, act, instansi_id, detail))
    session.add(event)
    note(session, Noted.EVENT, tag)
    return event


def record_at_once(
    session: Session,
    tag: Tag,
    account: User | AccountBehind | None,
    act: Act[Actor | ProvenOwner],
    /,
    **detail: str | int | None,
) -> None:
    """The same for what everybody does, where nothing is added to the event afterwards: it costs a fraction
    of a record that may still change."""
    without_records(session, _RECORD, _columns(tag, account, act, None, detail))
    note(session, Noted.EVENT, tag)


_RECORD = insert(table_of(AuditEvent)).inline()


def _columns(
    tag: Tag,
    account: User | AccountBehind | None,
    act: Act[Actor | ProvenOwner],
    instansi_id: int | None,
    detail: Mapping[str, str | int | None],
) -> dict[str, Any]:
    actor = act.by.admin if isinstance(act.by, Authority) else act.by
    return {
        "at": act.at,
        "tag": tag,
        "actor_id": actor.id if actor else None,
        "account_id": account.id if account else None,
        "client_address": act.client.address,
        "user_agent": act.client.user_agent[:300],
        "request_id": act.client.request_id,
        "detail": detail,
        "instansi_id": account.instansi_id if account else instansi_id,
    }


def record_many(
    session: Session, tag: Tag, accounts: Iterable[tuple[Account, Facts]], act: Act[Actor]
) -> None:
    """Write one event for each of many accounts, each with its own detail, in one statement."""
    of_all = _columns(tag, None, act, None, {})
    del of_all["account_id"], of_all["instansi_id"], of_all["detail"]
    columns = ("account_id", "instansi_id", "detail", *of_all)
    rows = [(account.id, account.instansi_id, detail, *of_all.values()) for account, detail in accounts]
    insert_many(session, AuditEvent, columns, rows)
    note(session, Noted.EVENT, tag, len(rows))


def record_each(
    session: Session,
    tag: Tag,
    events: Iterable[tuple[User | None, Act[Actor], Mapping[str, str | int | None]]],
) -> None:
    """Write one event for each of many acts, all in one statement: the account that it is about, the act, and
    its detail."""
    rows = [_columns(tag, account, act, None, detail) for account, act, detail in events]
    if rows:
        insert_many(session, AuditEvent, tuple(rows[0]), [tuple(row.values()) for row in rows])
        note(session, Noted.EVENT, tag, len(rows))


def before_and_after(session: Session, column: str, old: str | None, new: str | None) -> Facts:
    """What a changed column was and is, for an event to `add`. Addresses are masked, each with a fingerprint
    (16 hex digits), so that a known address can be found again. Everything else is kept whole, also a NIP,
    because the person was known by it."""
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
    account: User | AccountBehind | None,
    act: Act[Actor],
    *,
    about: str,
    **detail: str | int | None,
) -> None:
    """Write one event, unless the same line already had one with this tag about the same thing (`about`)
    within the minute.

    `about` is what was typed, whether or not such an account exists.
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
    act: Act[Actor],
    /,  # a detail may be called like one of these
    **detail: str | int | None,
) -> list[AuditEvent]:
    """Write what was done to many people, or taken out as a file. Each desk that it concerns gets one event
    with its own part of the number. `Authority.parts` gives the parts. An event without a desk (None) is only
    for pusat."""
    return [
        record(session, tag, None, act, instansi_id=instansi_id, how_many=how_many, **detail)
        for instansi_id, how_many in parts.items()
    ]
