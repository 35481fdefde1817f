"""What every answer says to browsers, and what every request must look like before anything reads it."""

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest

from app.web.portal import portal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class BrokenForm(BadRequest):
    """A body that no page of this portal sends."""

    description = "Form"


class HostGuard:
    """Refuses requests for another Host, static files too: nobody is served under a name that is not ours.

    In plain text, because a page would carry links to that name.
    """

    def __init__(self, application: "WSGIApplication", allowed_hosts: frozenset[str]) -> None:
        self._application = application
        self._allowed_hosts = allowed_hosts

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("HTTP_HOST", "").lower() in self._allowed_hosts:
            return self._application(environ, start_response)
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), *COMMON.items()]
        start_response("400 Bad Request", headers)
        return [b"Alamat situs ini tidak dikenal. Buka portal lewat alamat resminya.\n"]


def init_app(app: Flask) -> None:
    app.before_request(refuse_broken_forms)
    app.after_request(add_headers)


def refuse_broken_forms() -> None:
    """One value a field, text without control characters, no files, and nothing but forms."""
    if request.method not in ("POST", "PUT", "PATCH", "DELETE"):
        return
    if request.content_length and request.mimetype not in _FORM_TYPES:
        raise BrokenForm
    if request.files:
        raise BrokenForm
    for name, values in request.form.lists():
        if len(values) > 1 or not _is_plain(name) or (name != "password" and not _is_plain(values[0])):
            raise BrokenForm


def add_headers(response: Response) -> Response:
    for name, value in COMMON.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers.setdefault("Cache-Control", "no-store")
    if portal().settings.is_https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def _is_plain(text: str) -> bool:
    return all(unicodedata.category(character) != "Cc" or character in "\r\n\t" for character in text)
