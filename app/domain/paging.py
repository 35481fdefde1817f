"""A long list is read page by page: how long a page is, and behind which row the next one begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

ROWS_A_PAGE = 50
TALL_ROWS_A_PAGE = 25  # of a list in which a row takes several lines, or stands beside other things
LINES_A_PAGE = 100  # of a file

Key = str | int | datetime
Row = TypeVar("Row")
Place = TypeVar("Place")


@dataclass(frozen=True)
class Cursor:
    """A row's place in the order of one index: the next page begins behind it. It names no one."""

    index: str
    keys: tuple[Key, ...]
    instansi_id: int | None = None  # whose part of the index; None where it is read as a whole


@dataclass(frozen=True)
class Page(Generic[Row, Place]):
    """`next` is the place of the last row; None where the list ends."""

    rows: Sequence[Row]
    next: Place | None


def cut(rows: Sequence[Row], most: int, place: Callable[[Row], Place]) -> Page[Row, Place]:
    """The page of a list that was read up to one row more than a page holds."""
    return Page(rows[:most], place(rows[most - 1]) if len(rows) > most else None)
