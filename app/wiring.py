"""`create_app` holds all wiring, on one page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask
from jinja2 import StrictUndefined

from app.blueprints import (
    account,
    admin,
    correction_answer,
    email_correction,
    email_stop,
    forgot_password,
    health,
    home,
    information,
    installed_app,
    login,
    mailbox,
    reset,
    status,
    token_confirmation,
)
from app.cli import Commands
from app.domain.indonesian_time import now
from app.runtime import logs
from app.runtime.furnishing import furnish
from app.security.signing import SigningKeys
from app.web import (
    addresses,
    assets,
    door,
    headers,
    kept_pages,
    limits,
    mailed_links,
    measured,
    page_door,
    pages,
    row_ids,
    service_state,
    sessions,
    template_filters,
    url_rules,
)
from app.web.session_cookies import SessionCookies
from app.web.template_filters import Templates
from config import ROOT, Settings

PAGES = (
    login,
    forgot_password,
    token_confirmation,
    reset,
    home,
    account,
    email_correction,
    correction_answer,
    email_stop,
    admin,
    information,
    status,
    installed_app,
    mailbox,
    health,
)
LONGEST_BODY = 64 * 1024  # bytes; no form here needs more


def create_app(settings: Settings) -> Flask:
    """The WSGI application for these settings. It opens no connection until it is asked something."""
    app = Flask(
        "app",
        root_path=str(ROOT / "app"),
        template_folder=str(ROOT / "templates"),
        static_folder=str(assets.STATIC),
        instance_path=str(settings.instance),
    )
    url_rules.init_app(app)
    furnish(app, settings)
    keys: SigningKeys = app.extensions["portal"].keys
    app.config.update(
        SECRET_KEY=settings.secret_keys[0],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[1:]),
        # Flask-WTF knows no fallbacks: a form that is open while keys rotate was lost
        WTF_CSRF_SECRET_KEY=keys.oldest_first,
        MAX_CONTENT_LENGTH=LONGEST_BODY,
        MAX_FORM_PARTS=50,
        SESSION_COOKIE_NAME="__Host-formulir" if settings.is_https else "formulir",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_absolute_hours),
        WTF_CSRF_TIME_LIMIT=None,  # people fetch their token in between, some for hours; the session ends it
        WTF_CSRF_SSL_STRICT=False,  # it asks for a Referer, which our no-referrer policy withholds
    )
    app.session_interface = SessionCookies(keys.oldest_first)
    app.jinja_environment = Templates
    app.ensure_sync = _as_it_is  # type: ignore[assignment,method-assign]
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True, "undefined": StrictUndefined}

    # The order is the order in which a request meets them. It has met the log already.
    measured.init_app(app)
    sessions.init_app(app)
    headers.init_app(app)
    limits.init_app(app, settings)
    pages.init_app(app)
    template_filters.init_app(app)
    addresses.init_app(app)
    kept_pages.init_app(app)
    service_state.init_app(app)
    assets.init_app(app)
    row_ids.init_app(app)
    mailed_links.init_app(app)
    for module in PAGES:
        app.register_blueprint(module.blueprint)
    app.cli = Commands()
    logs.keep_out(app, settings)

    app.wsgi_app = page_door.PageDoor(app.wsgi_app, app)  # type: ignore[method-assign]
    app.wsgi_app = door.AddressDoor(app.wsgi_app, settings)  # type: ignore[method-assign]
    app.wsgi_app = door.HostDoor(app.wsgi_app, settings)  # type: ignore[method-assign]

    @app.context_processor
    def for_every_template() -> dict[str, object]:
        return {
            "portal": app.extensions["portal"],
            "settings": settings,
            "visitor": sessions.visitor(),
            "is_app": sessions.is_app(),
            "session_ends": sessions.session_end(now()),
        }

    return app


def _as_it_is(view: Callable[..., Any]) -> Callable[..., Any]:
    """No view here is a coroutine. Flask would look again with every request and every hook."""
    return view
