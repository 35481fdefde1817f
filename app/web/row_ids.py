"""Ids of rows in addresses and forms: only numbers that the database can hold. Any other number is answered
like a row that is missing."""

import re
from collections.abc import Iterable

from flask import Flask
from werkzeug.routing import IntegerConverter


class RowId(IntegerConverter):
    """For tables whose ids have 32 bits."""

    regex = "[0-9]{1,9}"


class BigRowId(IntegerConverter):
    """For tables whose ids have 64 bits."""

    regex = "[0-9]{1,18}"


def init_app(app: Flask) -> None:
    app.url_map.converters |= {"row": RowId, "big_row": BigRowId}


def row_id(typed: str) -> int:
    """For `request.args.get(type=...)`: raises ValueError for a text that is no id, so the argument counts as
    missing."""
    return _id_like(RowId, typed)


def big_row_id(typed: str) -> int:
    """The same for a table whose ids have 64 bits."""
    return _id_like(BigRowId, typed)


def row_ids(typed: Iterable[str]) -> list[int]:
    """The ids among what was sent, each once and in order; everything else is left out."""
    return _ids_like(RowId, typed)


def big_row_ids(typed: Iterable[str]) -> list[int]:
    """The same for a table whose ids have 64 bits."""
    return _ids_like(BigRowId, typed)


def _ids_like(converter: type[IntegerConverter], typed: Iterable[str]) -> list[int]:
    return sorted({int(one) for one in typed if re.fullmatch(converter.regex, one)})


def _id_like(converter: type[IntegerConverter], typed: str) -> int:
    if not re.fullmatch(converter.regex, typed):
        raise ValueError("not an id")
    return int(typed)
