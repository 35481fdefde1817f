"""The trail: every act and every refusal becomes a row, in the transaction of the act itself."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.models.audit_event import AuditEvent, Tag
from app.models.user import User


def record(
    session: Session,
    tag: Tag,
    account: User | None,
    client: Client,
    now: datetime,
    *,
    actor: User | None = None,
    instansi_id: int | None = None,
    **detail: str | int | None,
) -> AuditEvent:
    """Write one event. `account` is whose account it was, `actor` who acted where that is proven. No secrets in `detail`.

    The desk that may read it is that of the account's instansi; `instansi_id` names it for acts without an account.
    """
    event = AuditEvent(
        at=now,
        tag=tag,
        actor_id=actor.id if actor else None,
        account_id=account.id if account else None,
        client_address=client.address,
        user_agent=client.user_agent[:300],
        request_id=client.request_id,
        detail=detail,
        instansi_id=account.instansi_id if account else instansi_id,
    )
    session.add(event)
    return event


def record_parts(
    session: Session,
    tag: Tag,
    parts: Mapping[int | None, int],
    client: Client,
    now: datetime,
    *,
    actor: User,
    **detail: str | int | None,
) -> list[AuditEvent]:
    """Write what was done to many, or taken along, once for each desk that it concerns, with its own part of the number.
    `Authority.parts` tells which; an event of no desk (None) is for the centre alone."""
    return [
        record(session, tag, None, client, now, actor=actor, instansi_id=instansi_id, how_many=how_many, **detail)
        for instansi_id, how_many in parts.items()
    ]
