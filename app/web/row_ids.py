"""Ids of rows in addresses and forms: only numbers that the database can hold, so that any other is a missing
row like the rest."""

import re
from collections.abc import Iterable

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


def row_id(typed: str) -> int:
    """For `request.args.get(type=...)`: ValueError, and so none, for what is no id."""
    return _id_like(RowId, typed)


def big_row_id(typed: str) -> int:
    """The same of a table that counts in 64 bits."""
    return _id_like(BigRowId, typed)


def row_ids(typed: Iterable[str]) -> list[int]:
    """The ids among what was sent, each once and in order; what is none is left out."""
    return _ids_like(RowId, typed)


def big_row_ids(typed: Iterable[str]) -> list[int]:
    """The same of a table that counts in 64 bits."""
    return _ids_like(BigRowId, typed)


def _ids_like(converter: type[IntegerConverter], typed: Iterable[str]) -> list[int]:
    return sorted({int(one) for one in typed if re.fullmatch(converter.regex, one)})


def _id_like(converter: type[IntegerConverter], typed: str) -> int:
    if not re.fullmatch(converter.regex, typed):
        raise ValueError("not an id")
    return int(typed)
