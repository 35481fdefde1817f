"""Pages that are the same for every stranger but for the tokens in their forms: made once, then only filled
in. Most people who come open one of them, and to make it anew was half the price of the answer.

What is kept was made for nobody: without a session, without a message, with an empty form. Every other page
is made anew.

What a visitor brings tells most of the time that nothing can change the page. Those are answered at the door
(page_door.py), without Flask's work, which costs more than to fill in the page.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf
from time import monotonic
from typing import cast

from flask import Flask, Response, current_app, g, make_response, request, session
from flask_wtf.csrf import generate_csrf
from markupsafe import escape

from app.web import headers, sessions
from app.web.form_ids import new_form_id


def new_place() -> str:
    """What stands in a kept page where every answer has something of its own. Nobody outside can know it."""
    return secrets.token_hex(16)


PLACES = CSRF_TOKEN, FORM_ID = new_place(), new_place()
_NOTHING: Mapping[str, str] = {}
USUAL = ""  # kind of a page
_MESSAGES = "_flashes"  # Flask's name for what the next page shows


@dataclass(frozen=True)
class KeptPage:
    text: str
    headers: tuple[tuple[str, str], ...]  # without those that each answer has of its own
    good_until: float  # by `monotonic`

    @property
    def is_over(self) -> bool:
        return monotonic() >= self.good_until

    @property
    def has_form(self) -> bool:
        return CSRF_TOKEN in self.text

    def filled(self, csrf_token: str, own: Mapping[str, str] = _NOTHING) -> str:
        text = self.text.replace(CSRF_TOKEN, csrf_token)
        for place, one in own.items():
            text = text.replace(place, escape(one))
        return text.replace(FORM_ID, new_form_id()) if FORM_ID in text else text


# By endpoint, kind, and whether it is for the installed app
Kept = dict[tuple[str | None, str, bool], KeptPage]


def init_app(app: Flask) -> None:
    app.extensions["kept_pages"] = Kept()


def kept_in(app: Flask) -> Kept:
    return cast(Kept, app.extensions["kept_pages"])


def kept_for_strangers(
    make: Callable[[], Response],
    kind: str = USUAL,
    own: Mapping[str, str] = _NOTHING,
    *,
    seconds: float = inf,
) -> Response:
    """The page of this view. If its form has an id, `make` writes FORM_ID in its place. `own` has what else
    this answer has of its own, by the place where `make` writes it. Nothing else in the page may depend on
    the request, except its `kind`, of which there are few, and whether this is the installed app. After so
    many `seconds` it is made anew.

    The view must return it, and add nothing to it. The USUAL page is for whoever comes without a query, a
    login and anything in the session: there the door does not ask the view.
    """
    good_until = monotonic() + seconds
    if sessions.visitor() is not None or _MESSAGES in session:
        return _filled(_made(make(), good_until), own)
    kept = kept_in(current_app._get_current_object())  # type: ignore[attr-defined]
    place = request.endpoint, kind, sessions.is_app()
    page = kept.get(place)
    if page is None or page.is_over:
        if page is not None:  # others get the old one while this request makes the new one
            kept[place] = replace(page, good_until=good_until)
        g.csrf_token = CSRF_TOKEN  # where Flask-WTF looks for the one of this request
        try:
            page = kept[place] = _made(make(), good_until)
        finally:
            del g.csrf_token
    return _filled(page, own)


def _made(page: Response, good_until: float) -> KeptPage:
    text = page.get_data(as_text=True)
    complete = headers.add_headers(make_response())
    complete.vary.add("Cookie")  # Flask adds it where a session was read
    its_headers = tuple(one for one in complete.headers if one[0] != "Content-Length")
    return KeptPage(text, its_headers, good_until)


def _filled(page: KeptPage, own: Mapping[str, str]) -> Response:
    return make_response(page.filled(generate_csrf() if page.has_form else "", own))
