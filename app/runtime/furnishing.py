"""What every process of the portal has: settings and keys, letters, the database and the log."""

from datetime import timedelta

from flask import Flask

from app.mail import delivery
from app.mail.rendering import Letterhead, Renderer
from app.runtime import db, logs
from app.runtime.portal import Portal
from app.security.signing import SigningKeys
from config import ROOT, Settings


def furnish(app: Flask, settings: Settings) -> None:
    """Give the app all that flows and letters need. No connection is opened."""
    keys = SigningKeys(settings.secret_keys)
    letterhead = Letterhead(
        settings.portal_name,
        settings.portal_operator,
        settings.public_url,
        timedelta(minutes=settings.token_lifetime_minutes),
    )
    renderer = Renderer(ROOT / "templates", letterhead, keys)
    app.extensions["portal"] = Portal(settings, keys, renderer, delivery.init_app(app, settings, keys))
    logs.init_app(app)
    db.init_app(app, settings.database_url, keys.fingerprint)


def app_without_pages(settings: Settings) -> Flask:
    """What the worker and most commands run in: without pages, they start in two thirds of the time."""
    app = Flask("app", root_path=str(ROOT / "app"), static_folder=None, instance_path=str(settings.instance))
    furnish(app, settings)
    logs.keep_out(app, settings)
    return app
