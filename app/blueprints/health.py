"""For machines: is it alive, is it ready, how is it doing."""

import hmac
from ipaddress import ip_address

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from app.db import engine, reading
from app.domain.indonesian_time import now
from app.models.outbox_mail import MailState, OutboxMail
from app.web.migrations import is_at_head
from app.web.portal import portal

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process answers. It asks nothing of the database, so that an outage there does not restart the web."""
    return _plain("ok\n")


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """The database answers and has this release's migrations."""
    try:
        at_head = is_at_head(engine())
    except SQLAlchemyError:
        return _plain("database unreachable\n", 503)
    return _plain("ok\n") if at_head else _plain("migrations pending\n", 503)


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """For Prometheus on this machine, or with METRICS_TOKEN as bearer token; nobody else learns that it exists."""
    if not _may_read_metrics():
        abort(404)
    registry = CollectorRegistry()
    mails = Gauge("portal_outbox_mails", "Letters that are not handed over, by state", ["state"], registry=registry)
    age = Gauge("portal_outbox_oldest_waiting_seconds", "Age of the oldest letter still to be sent", registry=registry)
    with reading() as db:
        counts = OutboxMail.counts(db)
        oldest = OutboxMail.oldest_unsent(db)
    for state in MailState.WAITING, MailState.DEFERRED, MailState.SENDING, MailState.UNCERTAIN, MailState.FAILED:
        mails.labels(state.value).set(counts.get(state, 0))
    age.set((now() - oldest).total_seconds() if oldest else 0)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics() -> bool:
    if token := portal().settings.metrics_token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    # A request that came through a proxy carries the header even where no proxy is trusted.
    via_proxy = "X-Forwarded-For" in request.headers and not portal().settings.trusted_proxies
    try:
        return ip_address(request.remote_addr or "").is_loopback and not via_proxy
    except ValueError:
        return False


def _plain(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
