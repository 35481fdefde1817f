"""Static files: named by their content, cached for good, served compressed where a compressed copy lies beside them."""

import hashlib
from functools import cache

from flask import Flask, url_for
from whitenoise import WhiteNoise

from app.web.headers import COMMON
from config import ROOT

STATIC = ROOT / "static"
_A_YEAR = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    app.jinja_env.globals["static_url"] = static_url
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=STATIC,
        prefix="static/",
        max_age=_A_YEAR,
        allow_all_origins=False,
        add_headers_function=_add_headers,
    )


def static_url(path: str) -> str:
    """The address of a file under static/, with the hash of its content: a new content is a new address."""
    return url_for("static", filename=path, v=_content_hash(path))


@cache
def _content_hash(path: str) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]


def _add_headers(headers: dict[str, str], path: str, url: str) -> None:
    for name, value in COMMON.items():
        headers[name] = value
