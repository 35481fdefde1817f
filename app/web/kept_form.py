"""A page whose form survives what has gone wrong on the way: it is shown once more with what was typed, and
one click sends it.

Either the CSRF token was lost (the page was opened long ago), or the session had ended and the same person
has just logged in again.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Response, current_app, flash, g, make_response, redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from app.web import sessions

P = ParamSpec("P")
F = TypeVar("F", bound=FlaskForm)
LOST_CSRF = (
    "Halaman ini sudah kedaluwarsa, atau browser menolak kuki. Isian Anda masih ada: "
    "periksa, lalu kirim sekali lagi."
)
LOGGED_IN_AGAIN = (
    "Anda sudah masuk lagi. Sesi yang tadi berakhir sebelum isian ini terkirim, jadi belum ada yang "
    "dilakukan. Isian Anda masih ada: periksa, lalu kirim sekali lagi."
)
_MARK = "shows_form_again"
TYPIST = "pengisi"  # in a form: sessions.typist() of the page that held the form
_NOT_YOURS = (
    "Isian tadi diketik ketika akun lain yang masuk di browser ini, jadi tidak ditampilkan. Belum ada yang "
    "dilakukan, dan tidak ada yang diubah."
)
CHOOSE_FILE_AGAIN = "File yang tadi dipilih tidak ikut terbawa: pilih filenya sekali lagi."


def keeps_form(
    page: Callable[..., ResponseReturnValue],
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Mark a view that keeps its form. `page` takes the arguments of the view, shows its form with what the
    request holds, and does nothing else. It answers a POST that came without its CSRF token, and at the desk
    a POST that came after the end of the session."""

    def mark(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        setattr(view, _MARK, page)
        return view

    return mark


def can_show_form() -> bool:
    """Whether the view of this request keeps what was typed."""
    return hasattr(current_app.view_functions.get(request.endpoint or ""), _MARK)


def shown(status: int) -> Response:
    """The form of this request once more. Several people may share a computer, so nobody sees what another
    person has typed."""
    if sessions.visitor() and request.form.get(TYPIST, sessions.typist()) != sessions.typist():
        flash(_NOT_YOURS, "info")
        return make_response(redirect(sessions.page_above(), 303))
    page = getattr(current_app.view_functions[request.endpoint or ""], _MARK)
    response = make_response(page(**(request.view_args or {})))
    if response.status_code in (200, 422):
        response.status_code = status
    return response


def filled(form: F) -> F:
    """The form with what was typed, and why it is shown once more."""
    form.form_errors = [why()]
    return form


def why() -> str:
    return LOGGED_IN_AGAIN if g.get("has_logged_in_again") else LOST_CSRF


def with_file(form: F) -> F:
    """The same as `filled` for a form with a file: no browser lets a page keep the chosen file."""
    form.form_errors = [why(), CHOOSE_FILE_AGAIN]
    return form
