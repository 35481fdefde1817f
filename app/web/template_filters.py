"""How every template writes times and masks addresses."""

from collections.abc import MutableMapping
from typing import Any

from flask import Flask
from flask.templating import Environment

from app.domain.client import mask_address
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import shown_clock, shown_date, shown_moment, shown_span
from app.web.words.changes import effect_of


class Templates(Environment):
    """No template here has globals of its own. Jinja looked for them at each import, which took a twentieth
    of a page."""

    def make_globals(self, _of_template: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return self.globals


def init_app(app: Flask) -> None:
    app.jinja_env.filters["clock"] = shown_clock
    app.jinja_env.filters["day"] = shown_date
    app.jinja_env.filters["moment"] = shown_moment
    app.jinja_env.filters["span"] = shown_span
    app.jinja_env.filters["masked_email"] = lambda text: EmailAddress(text).masked
    app.jinja_env.filters["effect"] = effect_of
    app.jinja_env.filters["masked_client"] = mask_address
