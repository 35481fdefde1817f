"""Long pages to read, compressed for visitors who are not logged in.

Other pages are not compressed. They hold a secret (the token of a form), and an attacker who puts text of
their own into the same page could learn the secret from the size (BREACH). The pages here hold neither.
Static files are compressed by assets.py and `make`.
"""

import gzip
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import make_response, request
from flask.typing import ResponseReturnValue

from app.web import sessions

P = ParamSpec("P")


def compressed_for_strangers(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Mark a view whose page holds no form, nothing taken from the address, and nothing about anybody."""

    @wraps(view)
    def lighter(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        page = make_response(view(*args, **kwargs))
        page.vary.add("Accept-Encoding")
        if (
            page.status_code == 200
            and sessions.visitor() is None
            and request.accept_encodings.quality("gzip") > 0
        ):
            page.set_data(gzip.compress(page.get_data(), mtime=0))
            page.content_encoding = "gzip"
        return page

    return lighter
