"""Pages that are the same for every stranger but for the tokens in their forms: made once, then only filled
in. Most people who come open one of them, and to make it anew was half the price of the answer.

What is kept was made for nobody: without a session, without a message, with an empty form. Every other page
is made anew.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import cast

from flask import Flask, Response, current_app, g, make_response, request, session
from flask_wtf.csrf import generate_csrf
from markupsafe import escape

from app.web import sessions
from app.web.form_ids import new_form_id


def new_place() -> str:
    """What stands in a kept page where every answer has something of its own. Nobody outside can know it."""
    return secrets.token_hex(16)


PLACES = _CSRF_TOKEN, FORM_ID = new_place(), new_place()
_NOTHING: Mapping[str, str] = {}
_MESSAGES = "_flashes"  # Flask's name for what the next page shows


def init_app(app: Flask) -> None:
    app.extensions["kept_pages"] = {}


def kept_for_strangers(
    make: Callable[[], Response], kind: str = "", own: Mapping[str, str] = _NOTHING
) -> Response:
    """The page of this view. If its form has an id, `make` writes FORM_ID in its place. `own` has what else
    this answer has of its own, by the place where `make` writes it. Nothing else in the page may depend on
    the request, except its `kind`, of which there are few, and whether this is the installed app."""
    if sessions.visitor() is not None or _MESSAGES in session:
        return _filled(make().get_data(as_text=True), own)
    kept = cast("dict[tuple[str | None, str, bool], str]", current_app.extensions["kept_pages"])
    page = request.endpoint, kind, sessions.is_app()
    if page not in kept:
        g.csrf_token = _CSRF_TOKEN  # where Flask-WTF looks for the one of this request
        try:
            kept[page] = make().get_data(as_text=True)
        finally:
            del g.csrf_token
    return _filled(kept[page], own)


def _filled(page: str, own: Mapping[str, str]) -> Response:
    for place, text in own.items():
        page = page.replace(place, escape(text))
    if _CSRF_TOKEN in page:
        page = page.replace(_CSRF_TOKEN, generate_csrf())
    if FORM_ID in page:
        page = page.replace(FORM_ID, new_form_id())
    return make_response(page)
