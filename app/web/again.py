"""A page whose form survives a lost CSRF token: it is shown once more with what was typed, and one click sends it."""

from collections.abc import Callable
from typing import ParamSpec

from flask.typing import ResponseReturnValue

P = ParamSpec("P")
LOST_CSRF = (
    "Halaman ini sudah terlalu lama terbuka, atau browser menolak cookie. Isian Anda masih ada: periksa, lalu kirim sekali lagi."
)


def shows_again(
    page: Callable[[], ResponseReturnValue],
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Mark a view: when its POST has lost the CSRF token, `page` answers instead of the general error page."""

    def mark(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        view.shows_form_again = page  # type: ignore[attr-defined]
        return view

    return mark
