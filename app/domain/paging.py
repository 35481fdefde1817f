"""A long list is read page by page: how long a page is, and after which row the next one begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

ROWS_A_PAGE = 50
TALL_ROWS_A_PAGE = 25  # of a list in which a row takes several lines, or has other things beside it
LINES_A_PAGE = 100  # of a file

Key = str | int | datetime
Row = TypeVar("Row")
Place = TypeVar("Place")


@dataclass(frozen=True)
class Cursor:
    """A row's place in the order of one index: the next page begins after it. It names nobody."""

    index: str
    keys: tuple[Key, ...]
    instansi_id: int | None = None  # the instansi whose part of the index is read; None for the whole index


@dataclass(frozen=True)
class Page(Generic[Row, Place]):
    """`next` is the place of the last row; None if the list ends here."""

    rows: Sequence[Row]
    next: Place | None


def cut(rows: Sequence[Row], most: int, place: Callable[[Row], Place]) -> Page[Row, Place]:
    """The page of a list. The list was read up to one row more than a page holds."""
    return Page(rows[:most], place(rows[most - 1]) if len(rows) > most else None)
