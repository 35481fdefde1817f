"""How every template writes times, addresses and numbers."""

import re
from collections.abc import MutableMapping
from typing import Any

from flask import Flask
from flask.templating import Environment
from markupsafe import Markup

from app.domain.client import mask_address
from app.domain.email_address import EmailAddress
from app.domain.indonesian_time import shown_span
from app.web import times
from app.web.words.changes import effect_of

_INDENT = re.compile(r"\n[ \t]+")


class Templates(Environment):
    """No template here has globals of its own. Jinja looked for them at each import, which took a twentieth
    of a page. The indents of a template are for those who read it, and are not sent."""

    def preprocess(self, source: str, name: str | None = None, filename: str | None = None) -> str:
        return _INDENT.sub("\n", super().preprocess(source, name, filename))

    def make_globals(self, _of_template: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return self.globals


def init_app(app: Flask) -> None:
    app.jinja_env.filters["clock"] = times.clock
    app.jinja_env.filters["day"] = times.day
    app.jinja_env.filters["day_of"] = times.day_of
    app.jinja_env.filters["lately"] = times.lately
    app.jinja_env.filters["moment"] = times.moment
    app.jinja_env.filters["span"] = shown_span
    app.jinja_env.filters["told"] = times.told
    app.jinja_env.filters["masked_email"] = lambda text: EmailAddress(text).masked
    app.jinja_env.filters["effect"] = effect_of
    app.jinja_env.filters["masked_client"] = mask_address
    app.jinja_env.filters["whole"] = whole


def whole(text: object, then: str = "") -> Markup:
    """An email, a NIP or a ticket on one line, where it fits there, instead of a part of it on each of two.
    `then`: the mark that ends its clause, which stays beside it."""
    return Markup("<bdi>{}{}</bdi>").format(text, then)
