"""The portal's language and its ways of writing times and masking addresses, for every template."""

from flask import Flask
from flask_babel import Babel

from app.domain.client import mask_address
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import shown_clock, shown_date, shown_moment, shown_span


def init_app(app: Flask) -> None:
    Babel(app, default_locale="id", default_timezone="Asia/Jakarta")
    app.jinja_env.filters["clock"] = shown_clock
    app.jinja_env.filters["day"] = shown_date
    app.jinja_env.filters["moment"] = shown_moment
    app.jinja_env.filters["span"] = shown_span
    app.jinja_env.filters["masked_email"] = lambda text: EmailAddress(text).masked
    app.jinja_env.filters["masked_client"] = mask_address
