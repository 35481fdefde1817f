"""A worker that runs without a web beside it tells its metrics itself, at WORKER_METRICS_PORT.

Without METRICS_TOKEN only this machine can connect. With it, the page listens where HOST says, and answers
nobody else than who has the token.
"""

import hmac
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from flask import Flask

from app.runtime import measures, readings
from app.runtime.tally import Tally
from config import Settings

log = logging.getLogger("portal.worker")
_SECONDS_FOR_A_REQUEST = 2.0  # then whoever is slow makes room for the next
_ONLY_HERE = "127.0.0.1"


class CannotListen(Exception):
    """The port is taken, or may not be used."""


@contextmanager
def metrics_page(app: Flask) -> Iterator[None]:
    """Serve /metrics for as long as the block lasts, if the settings say so. Raises CannotListen."""
    settings: Settings = app.extensions["portal"].settings
    port = settings.worker_metrics_port
    if port is None:
        yield
        return
    host = settings.host if settings.metrics_token else _ONLY_HERE
    try:
        opened = HTTPServer((host, port), _page_of(app, settings.metrics_token))
    except OSError as fault:
        reason = fault.strerror or fault
        raise CannotListen(f"WORKER_METRICS_PORT: {host}:{port} cannot be opened: {reason}") from fault
    readings.note_start(measures.WORKER)
    with opened as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def _page_of(app: Flask, token: str | None) -> type[BaseHTTPRequestHandler]:
    class Page(BaseHTTPRequestHandler):
        timeout = _SECONDS_FOR_A_REQUEST
        server_version, sys_version = "metrics", ""

        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "").encode()
            may_read = token is None or hmac.compare_digest(given, f"Bearer {token}".encode())
            if self.path.rstrip("/") != "/metrics" or not may_read:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            from app.runtime import exposition  # here, because nobody else needs its library

            with app.app_context():
                readings.look(app, measures.WORKER)
                text = exposition.as_text(Tally())
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", exposition.CONTENT_TYPE)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing is logged of who asks, because what they send is not ours."""

    return Page
