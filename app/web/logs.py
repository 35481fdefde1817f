"""One JSON object a line: what happened, under which request id. No password, token, cookie, address in full, or whole NIP.

The path is logged as its rule (`/konfirmasi-reset-password/<link>`), because the path itself may hold a secret.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from time import perf_counter

from flask import Flask, Response, g, has_request_context, request

from app.web.portal import request_id

log = logging.getLogger("portal.request")
_NIP = re.compile(r"(?<!\d)(\d{8})\d{6}(\d)\d{3}(?!\d)")
_EMAIL = re.compile(r"([A-Za-z0-9])[A-Za-z0-9._%+-]*@([A-Za-z0-9])[A-Za-z0-9.-]*\.([A-Za-z]{2,})")


class JsonLines(logging.Formatter):
    """A log record as one line of JSON, with NIPs and addresses masked wherever they turn up."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
        }
        if has_request_context():
            line["request_id"] = request_id()
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def masked(text: str) -> str:
    """The text without whole NIPs and addresses."""
    return _EMAIL.sub(r"\1***@\2***.\3", _NIP.sub(r"\1******\2***", text))


def configure() -> None:
    """Send all log lines of the process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("waitress.queue", "flask-limiter", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def init_app(app: Flask) -> None:
    app.before_request(_start_clock)
    app.after_request(_log_request)


def _start_clock() -> None:
    g.started = perf_counter()


def _log_request(response: Response) -> Response:
    fields = {
        "method": request.method,
        "rule": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "ms": round((perf_counter() - g.get("started", perf_counter())) * 1000, 1),
    }
    log.info("request", extra={"fields": fields})
    response.headers["X-Request-ID"] = request_id()
    return response
