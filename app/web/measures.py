"""How the portal is doing, as Prometheus reads it."""

from collections import Counter

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import OperationalError, TimeoutError

from app.domain.indonesian_time import now
from app.models.mail_fault import OURS, MailFault
from app.models.outbox_mail import MailState, OutboxMail
from app.runtime.db import reading
from app.web import limits

__all__ = ["CONTENT_TYPE", "taken_now"]


def taken_now() -> bytes:
    """All measures, in the text format of Prometheus. While the database is away, only those without it."""
    registry = CollectorRegistry()
    in_memory = Gauge(
        "portal_limits_in_memory",
        "1 while Redis does not answer, so each process counts for itself",
        registry=registry,
    )
    in_memory.set(limits.are_counted_in_memory_for_now())
    is_up = Gauge("portal_database_up", "0 while the database does not answer", registry=registry)
    try:
        _measure_mails(registry)
        is_up.set(1)
    except (OperationalError, TimeoutError):
        is_up.set(0)
    return generate_latest(registry)


def _measure_mails(registry: CollectorRegistry) -> None:
    with reading() as db:
        faults = Counter(fault.kind for fault in MailFault.alarms(db))
        counts = OutboxMail.counts(db)
        oldest = OutboxMail.oldest_unsent(db)
    mails = Gauge(
        "portal_outbox_mails", "Letters that are not handed over, by state", ["state"], registry=registry
    )
    age = Gauge(
        "portal_outbox_oldest_waiting_seconds", "Age of the oldest letter still to be sent", registry=registry
    )
    alarm = Gauge(
        "portal_mail_fault",
        "Ways that no letter can go because of us, by kind of fault",
        ["kind"],
        registry=registry,
    )
    for state in (
        MailState.WAITING,
        MailState.DEFERRED,
        MailState.SENDING,
        MailState.UNCERTAIN,
        MailState.FAILED,
    ):
        mails.labels(state.value).set(counts.get(state, 0))
    for kind in OURS:
        alarm.labels(kind.value).set(faults[kind])
    age.set((now() - oldest).total_seconds() if oldest else 0)
