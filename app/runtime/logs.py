"""One JSON object per line: what happened, and under which request id. No password, token, cookie, full
address, or whole NIP.

The path is logged as its rule (`/konfirmasi-reset-password/<link>`), because the path itself may hold a
secret. Other code writes lines too (the web server names the path of a broken connection, a library names the
text that it got). So every text of every line is cut and masked here, just before it is written. The URL map
tells which routes have secrets in their paths.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter
from types import TracebackType

from flask import Flask, Response, g, has_request_context, request
from sqlalchemy.engine import make_url
from werkzeug.routing import Map
from werkzeug.routing.converters import NumberConverter

from app.domain.client import UNKNOWN_ADDRESS, mask_address
from app.domain.masks import HIDDEN, Masks
from app.runtime.portal import client_address, request_id
from config import Settings

log = logging.getLogger("portal.request")
# The paths that may have something secret behind them. A process without pages has no routes to tell them.
PATHS_OF_SECRETS = frozenset(
    ("/admin/impor/", "/bukan-saya/", "/konfirmasi-reset-password/", "/kotak-surat/", "/perbaikan-email/")
)
_masks = Masks(PATHS_OF_SECRETS)  # one for the whole process, like its log
_SHORTEST_SECRET = 8  # a shorter one occurs in too many ordinary words
_SHORTEST_NIP_AS_NUMBER = 10**15
_SEAL = re.compile(r"(?:[0-9]+:)?[0-9a-f]{64}")  # the end of the trail; the log must hold it unmasked
_FIELDS_OF_FEW_VALUES = frozenset(("method", "rule", "letter", "outcome"))  # their masked values are kept
# As `mask_address` writes it; to look for secrets in it would cost more than to write it
_MASKED_LINE = re.compile(r"(?:[0-9]{1,3}\.){3}\*|(?:[0-9a-f]{4}:){3}\*")
_SECRET_NAME = re.compile(r"password|secret|token|cookie|authorization", re.IGNORECASE)


class JsonLines(logging.Formatter):
    """A log record as one line of JSON in ASCII, with every secret masked. No record makes the formatter
    fail."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            return json.dumps(self._line(record))
        except Exception as fault:  # a line about an accident must not cause another accident
            return json.dumps(
                {
                    "level": "ERROR",
                    "logger": record.name,
                    "message": f"unwritable line: {type(fault).__name__}",
                }
            )

    def _line(self, record: logging.LogRecord) -> dict[str, object]:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(_message_of(record)),
        }
        if number := getattr(record, "request_id", None) or (has_request_context() and request_id()):
            line["request_id"] = number
        fields: dict[str, object] = getattr(record, "fields", {})
        line |= {_masks.masked_name(name): _shown(name, value) for name, value in fields.items()}
        if record.exc_info:
            line["exception"] = masked(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = masked(record.stack_info)
        return line


def masked(text: str) -> str:
    """The text without secrets, whole NIPs and addresses; long texts are cut."""
    return _masks.masked(text)


def configure() -> None:
    """Send all log lines of the process to standard error as JSON. That includes what Python itself would
    write there: warnings, and accidents that no code has caught."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.raiseExceptions = False  # otherwise the arguments of a broken line would be written unmasked
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda fault: _uncaught(fault.exc_type, fault.exc_value, fault.exc_traceback)
    sys.unraisablehook = lambda fault: _uncaught(fault.exc_type, fault.exc_value, fault.exc_traceback)
    for noisy in ("waitress.queue", "flask-limiter", "alembic", "app.runtime.db"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def init_app(app: Flask) -> None:
    app.before_request(_start_clock)
    app.after_request(_log_request)


def keep_out(app: Flask, settings: Settings) -> None:
    """From now on no log line of this process tells the secret part of a path, or a secret of the settings.
    Call this when all routes are there."""
    global _masks
    beginnings = _masks.beginnings.union(secret_beginnings(app.url_map))
    _masks = Masks(beginnings, _masks.secrets.union(_secrets_of(settings)))


def secret_beginnings(urls: Map) -> Iterator[str]:
    """Where in a path something secret may begin: before the variables of every rule that takes more than
    numbers of rows."""
    for rule in urls.iter_rules():
        if rule.endpoint != "static" and any(
            not isinstance(one, NumberConverter) for one in rule._converters.values()
        ):
            yield rule.rule[: rule.rule.index("<")]


def _secrets_of(settings: Settings) -> Iterator[str]:
    of_mail = settings.mail_server.password if settings.mail_server else None
    of_bounces = settings.bounce_mailbox.password if settings.bounce_mailbox else None
    kept = (
        *settings.secret_keys,
        settings.metrics_token,
        of_mail,
        of_bounces,
        make_url(settings.database_url).password,
    )
    return (secret for secret in kept if secret and len(secret) >= _SHORTEST_SECRET)


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg} (with arguments that do not fit)"


def _shown(name: str, value: object) -> object:
    """A field's value: numbers as they are, all texts masked."""
    match value:
        case int() if abs(value) >= _SHORTEST_NIP_AS_NUMBER:
            return masked(str(value))
        case None | bool() | int() | float():
            return value
        case _ if _SECRET_NAME.search(name):
            return HIDDEN
        case str() if _SEAL.fullmatch(value) or _MASKED_LINE.fullmatch(value):
            return value
        case str():
            return _masks.masked_name(value) if name in _FIELDS_OF_FEW_VALUES else masked(value)
        case Mapping():
            return {masked(str(key)): _shown(str(key), one) for key, one in value.items()}
        case list() | tuple():
            return [_shown(name, one) for one in value]
        case _:
            return masked(str(value))


def _uncaught(_kind: type[BaseException], fault: BaseException | None, trace: TracebackType | None) -> None:
    if fault is not None and not isinstance(fault, KeyboardInterrupt | SystemExit):
        logging.getLogger("portal").critical("accident", exc_info=(type(fault), fault, trace))


@lru_cache(2000)
def _masked_line(address: str) -> str:
    """Offices send one request after the other."""
    return address if address == UNKNOWN_ADDRESS else mask_address(address)


def _start_clock() -> None:
    g.started = perf_counter()


def _log_request(response: Response) -> Response:
    rule, began_at = request.url_rule.rule if request.url_rule else None, g.get("started", perf_counter())
    note_answer(request.method, rule, response.status_code, client_address(), began_at, request_id())
    response.headers["X-Request-ID"] = request_id()
    return response


def note_answer(
    method: str, rule: str | None, status: int, address: str, began_at: float, number: str
) -> None:
    """Write the line that each request has. `began_at` is as `perf_counter` counts."""
    fields = {
        "method": method,
        "rule": rule,
        "status": status,
        "line": _masked_line(address),
        "ms": round((perf_counter() - began_at) * 1000, 1),
    }
    log.info("request", extra={"fields": fields, "request_id": number})
