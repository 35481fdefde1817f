"""What every answer tells browsers, and how every request must look before anything reads it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec
from urllib.parse import quote

from flask import Flask, Response, current_app, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound

from app.runtime.portal import portal
from app.web import sessions

P = ParamSpec("P")
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
_OF_EVERY_ANSWER = {
    **COMMON,
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
# A form with a file may be long, and werkzeug looks for parameters in the headers of each part, however long
# these headers are: 12 MB of parts that consist of headers alone took it 3 s; within these two limits they
# take a tenth of that.
MOST_PARTS_WITH_A_FILE = 10
# Bytes of one part's headers, or of one field; werkzeug reads 64 kB at a time
LONGEST_TEXT_WITH_A_FILE = 160 * 1024
# Pages that do not exist for people who may not see them, whatever the method, with or without a slash.
UNSEEN = frozenset({"metrics", "proxyz", "kotak-surat"})
# Unicode category Cc without tabs and line breaks: texts pasted from slides and documents have the vertical
# tab between their lines.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")


class BrokenForm(BadRequest):
    """A body that no page of this portal sends."""

    description = "Form"


@dataclass(frozen=True)
class TakesMore:
    """What the form of a view may hold beyond one text per field."""

    file: str | None = None
    longest_body: int | None = None
    longest_text: int = LONGEST_TEXT_WITH_A_FILE
    many: tuple[str, ...] = ()
    only_from_admins: bool = False
    before_body: Callable[..., ResponseReturnValue | None] | None = None


def init_app(app: Flask) -> None:
    app.before_request(redirect_to_page)
    app.before_request(refuse_broken_forms)
    app.after_request(add_headers)


def redirect_to_page() -> ResponseReturnValue | None:
    """Lead from an address with a slash at the end, as people type it and proxies add it, to the page itself,
    and take the form along, if there is one."""
    if not isinstance(request.routing_exception, NotFound) or not request.path.endswith("/"):
        return None
    page = "/" + request.path.strip("/")
    if page.split("/")[1] in UNSEEN:
        return None
    try:
        current_app.create_url_adapter(request).match(page, request.method)  # type: ignore[union-attr]
    except MethodNotAllowed:
        pass  # the page itself leads on
    except HTTPException:
        return None
    query = request.query_string.decode("latin-1")
    return redirect(f"{quote(page)}?{query}" if query else quote(page), 308)


def takes(
    *,
    file: str | None = None,
    longest_body: int | None = None,
    longest_text: int = LONGEST_TEXT_WITH_A_FILE,
    many: tuple[str, ...] = (),
    only_from_admins: bool = False,
    before_body: Callable[..., ResponseReturnValue | None] | None = None,
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Mark a view whose form is more than one text per field: one file under the name `file`, a body of up to
    `longest_body` bytes with texts of up to `longest_text` bytes beside that file, several values for the
    fields `many`. With `only_from_admins`, long bodies of all other people stay unread. `before_body` is
    called with the view's own arguments before a byte of the body is read; its answer, if any, is sent
    without reading the body."""

    def mark(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        view.takes_more = TakesMore(file, longest_body, longest_text, many, only_from_admins, before_body)  # type: ignore[attr-defined]
        return view

    return mark


def refuse_broken_forms() -> ResponseReturnValue | None:
    """Allow one value per field, text without control characters, and only forms; more only where a view says
    so."""
    if request.method not in ("POST", "PUT", "PATCH", "DELETE"):
        return None
    if request.content_length and request.mimetype not in _FORM_TYPES:
        raise BrokenForm
    view = current_app.view_functions.get(request.endpoint or "")
    more: TakesMore = getattr(view, "takes_more", TakesMore())
    if more.before_body and (answer := more.before_body(**(request.view_args or {}))) is not None:
        return answer
    if (
        more.only_from_admins
        and sessions.visitor() is None
        and (request.content_length or 0) > _of_usual_forms()
    ):
        return sessions.redirect_to_login()
    if more.file:
        request.max_form_parts = MOST_PARTS_WITH_A_FILE
        request.max_form_memory_size = more.longest_text
    visitor = sessions.visitor()
    is_admin = visitor is not None and visitor.authority is not None
    if more.longest_body is not None and (is_admin or not more.only_from_admins):
        request.max_content_length = more.longest_body
    for name, files in request.files.lists():
        if name is None or name != more.file or len(files) > 1:
            raise BrokenForm
    for name, values in request.form.lists():
        if name is None or not _is_plain(name) or (len(values) > 1 and name not in more.many):
            raise BrokenForm
        if not name.startswith("password") and not all(_is_plain(value) for value in values):
            raise BrokenForm
    return None


def _of_usual_forms() -> int:
    longest: int = current_app.config["MAX_CONTENT_LENGTH"]
    return longest


def add_headers(response: Response) -> Response:
    """What a view has said itself stays. The names are read once, because to look for each of them among all
    others cost as much as the rest of a small page."""
    said = {name.lower() for name, _ in response.headers}
    wanted = _OF_EVERY_ANSWER | _OVER_TLS if portal().settings.is_https else _OF_EVERY_ANSWER
    for name, value in wanted.items():
        if name.lower() not in said:
            response.headers.add(name, value)
    return response


def _is_plain(text: str) -> bool:
    return not _CONTROL.search(text)
