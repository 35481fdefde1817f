"""An admin sends a form after the session has ended: the login appears in place of the page, and then the
form comes back filled in.

What was typed travels in the page itself, back to the address that it was sent to; the portal keeps nothing
of it. The act is not done yet: the person who logs in sees the form again, within their own reach, and
presses the button again. Passwords and files do not travel.
"""

from urllib.parse import urlsplit

from flask import Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from app.flows.login import log_in
from app.runtime.portal import portal
from app.security.throttle import TooManyTries
from app.web import kept_form, limits, sessions
from app.web.fields import NipField, OwnPasswordField
from app.web.form_pages import page_of_form
from app.web.password_login import note_not_open, refuse_entry, try_login
from app.web.words.login import ENDED, sentence_of_end

_NIP = "nip_masuk"
_LONGEST_BODY = 48 * 1024  # bytes; the fields of the login need some room too


class LoginInPlaceForm(FlaskForm):
    """Its fields have names that no other form of the desk has."""

    nip_masuk = NipField("NIP")
    password_masuk = OwnPasswordField("Password")


def is_possible() -> bool:
    """Whether this request holds a form that is worth showing again. If another site has sent it, no person
    here has typed it."""
    is_short = (request.content_length or 0) <= _LONGEST_BODY
    if request.method != "POST" or not is_short or not kept_form.can_show_form() or not _is_from_here():
        return False
    return is_sent() or any(
        _travels(name) and name != kept_form.TYPIST and any(values) for name, values in request.form.lists()
    )


def is_sent() -> bool:
    """Whether this request is that login, and so not a press of the form's own button."""
    return _NIP in request.form


def page(form: LoginInPlaceForm, status: int) -> Response:
    """The two fields of the login, and everything that was typed before, in hidden fields."""
    kept = [(name, value) for name, values in request.form.lists() if _travels(name) for value in values]
    shown = render_template(
        "login/login_in_place.html", form=form, kept=kept, page_above=page_of_form(),
        has_errors=bool(form.errors),
        why=sentence_of_end(over, portal().settings) if (over := sessions.session_over()) else ENDED,
        had_file=request.mimetype == "multipart/form-data",
    )  # fmt: skip
    return make_response(shown, status)


def stale_page() -> Response:
    """The page for a request that has lost its CSRF token as well: it logs nobody in."""
    form = LoginInPlaceForm()
    form.form_errors = [kept_form.LOST_CSRF] if is_sent() else []
    return page(form, 400)


def answer() -> ResponseReturnValue | None:
    """None when somebody has logged in: the form can be shown to that person."""
    return _enter() if is_sent() else page(LoginInPlaceForm(formdata=None), 403)


@limits.limit_wrong_tries_unless(limits.in_known_browser(_NIP))
def _enter() -> ResponseReturnValue | None:
    form = LoginInPlaceForm()
    if not form.validate():
        return page(form, 422)
    match try_login(form.nip_masuk.value, form.password_masuk.data or ""):
        case TooManyTries() as refusal:
            refuse_entry(form.password_masuk, refusal)
            return limits.too_many(page(form, 429), refusal.retry_after)
        case log_in.WrongPassword() as refusal:
            refuse_entry(form.password_masuk, refusal)
            return page(form, 422)
        case log_in.NotOpen(user):
            note_not_open(user)
            return redirect(url_for("login.not_open"), 303)
        case (log_in.Entered(owner), raw_id):
            sessions.keep_at_once(raw_id, owner)
            g.has_logged_in_again = True
            return None


def _travels(name: str) -> bool:
    return name not in ("csrf_token", _NIP) and not name.startswith("password")


def _is_from_here() -> bool:
    """Whether the form was sent by a page of this portal, according to the browser. Because of our
    no-referrer policy, browsers give the origin of our own pages as `null`."""
    origin = request.headers.get("Origin", "null")
    is_own = origin == "null" or urlsplit(origin).netloc == request.host
    return is_own and request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
