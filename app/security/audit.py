"""The trail: every act and every refusal becomes a row, in the transaction of the act itself."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.client import Client
from app.models.account import Account
from app.models.audit_event import AuditEvent, Tag
from app.models.user import User


def record(
    session: Session,
    tag: Tag,
    account: User | Account | None,
    client: Client,
    now: datetime,
    *,
    actor: User | None = None,
    instansi_id: int | None = None,
    **detail: str | int | None,
) -> AuditEvent:
    """Write one event. `account` is whose account it was, `actor` who acted where that is proven. No secrets in `detail`.

    An `Account` may be nobody's. The desk that may read the event is that of the account's instansi; `instansi_id` names it
    for acts without an account.
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
