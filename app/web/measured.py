"""Each request that a page has answered is counted, by the rule of its URL and never by its path."""

from time import monotonic

from flask import Flask, Response, g, request

from app.runtime import measures
from app.runtime.lanes import ARRIVED_AT


def init_app(app: Flask) -> None:
    app.before_request(_start_clock)
    app.after_request(_count)


def _start_clock() -> None:
    """The server says when the request was here; without it, time begins now."""
    g.arrived_at = request.environ.get(ARRIVED_AT) or monotonic()


def _count(response: Response) -> Response:
    seconds = monotonic() - g.get("arrived_at", monotonic())
    rule = request.url_rule.rule if request.url_rule else None
    measures.count_request(rule, request.method, response.status_code, seconds)
    return response
