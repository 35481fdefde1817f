"""For machines: is the portal alive, is it ready, how is it doing. These pages answer under any Host, also
with a slash at the end, because probes follow no redirect."""

import hmac
import threading
from time import monotonic

from flask import Blueprint, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from app.runtime import measures, readings
from app.runtime.db import engine
from app.runtime.portal import portal
from app.runtime.schema import look
from app.runtime.tally import Tally
from app.web import limits
from app.web.peer import is_this_machine, peer_address

blueprint = Blueprint("health", __name__)
SECONDS_TO_ASK = 60
_WITHOUT_REDIS = "Redis does not answer, so this process counts client addresses for itself"
_asked: dict[str, float] = {}  # questions of `mysapk check` that were answered, and when
_asking = threading.Lock()


@blueprint.get("/healthz")
@blueprint.get("/healthz/")
def alive() -> ResponseReturnValue:
    """The process answers. This view does not ask the database, so that an outage there does not make
    anything restart the web process."""
    return _plain("ok\n")


@blueprint.get("/readyz")
@blueprint.get("/readyz/")
def ready() -> ResponseReturnValue:
    """The database answers and has at least the migrations of this release. Without Redis the portal goes on,
    and says so."""
    try:
        schema = look(engine())
    except SQLAlchemyError:
        return _plain("database unreachable\n", 503)
    if not schema.is_usable:
        return _plain("migrations pending\n", 503)
    return _plain(f"ok\nwarning: {_WITHOUT_REDIS}\n" if limits.are_counted_in_memory_for_now() else "ok\n")


@blueprint.get("/metrics", provide_automatic_options=False)
@blueprint.get("/metrics/", provide_automatic_options=False)
def metrics() -> ResponseReturnValue:
    """For Prometheus with METRICS_TOKEN as bearer token. Without a token, only for this machine, and behind a
    proxy for nobody, because there everybody would seem to be this machine. Anyone who may not read the
    metrics does not learn that they exist."""
    if not _may_read_metrics():
        abort(404)
    from app.runtime import exposition  # here, because only a portal that is watched needs its library

    readings.look(current_app._get_current_object(), measures.WEB)  # type: ignore[attr-defined]
    seen = Tally()
    seen.set(measures.LIMITS_IN_MEMORY, limits.are_counted_in_memory_for_now())
    return Response(exposition.as_text(seen), content_type=exposition.CONTENT_TYPE)


@blueprint.get("/proxyz", provide_automatic_options=False)
def proxies() -> ResponseReturnValue:
    """For `mysapk check`: it asks through the public address what the proxies before the portal make of a
    request. The question is signed with SECRET_KEY, lives a minute and is answered once. For anybody else
    this page does not exist."""
    question = portal().keys.open_check_question(request.headers.get("X-Portal-Check", ""), SECONDS_TO_ASK)
    if question is None or not _note_question(question):
        abort(404)
    forwarded = [
        one for line in request.headers.getlist("X-Forwarded-For") for one in line.split(",") if one.strip()
    ]
    seen = {"peer": peer_address(), "client": request.remote_addr or "-", "forwarded": str(len(forwarded))}
    return _plain(portal().keys.check_answer(question, seen))


def _note_question(question: str) -> bool:
    """Remember a question. False when this process has answered it before. Only signed questions come here,
    so only a few are kept."""
    with _asking:
        for old in [old for old, at in _asked.items() if at < monotonic() - SECONDS_TO_ASK]:
            del _asked[old]
        if question in _asked:
            return False
        _asked[question] = monotonic()
        return True


def _may_read_metrics() -> bool:
    settings = portal().settings
    if token := settings.metrics_token:
        return hmac.compare_digest(
            request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()
        )
    return not settings.is_behind_a_proxy and is_this_machine()


def _plain(text: str, status: int = 200) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
