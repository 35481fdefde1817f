"""Ids of rows in addresses: only numbers that the database can hold, so that any other is a missing page like the rest."""

from flask import Flask
from werkzeug.routing import IntegerConverter


class RowId(IntegerConverter):
    """Of tables that count in 32 bits."""

    regex = "[0-9]{1,9}"


class BigRowId(IntegerConverter):
    """Of tables that count in 64 bits."""

    regex = "[0-9]{1,18}"


def init_app(app: Flask) -> None:
    app.url_map.converters |= {"row": RowId, "big_row": BigRowId}
