"""What became of one row of a file. These are tuples, because a file may have a million rows."""

from typing import NamedTuple

from app.domain.staff_file import CellFault


class Replaced(NamedTuple):
    """A field of the record: the old value, and the value that the file gives it."""

    column: str
    old: str | None
    new: str | None


class New(NamedTuple):
    """The row brings a new person. If the run has added them, `user_id` is set and `replaced` has the NIP. A
    dry run adds nobody."""

    line: int
    user_id: int | None = None
    replaced: tuple[Replaced, ...] = ()


class Changed(NamedTuple):
    """`columns` are names of fields of the record. `replaced` says what these fields hold for the person
    `user_id`, without secrets."""

    line: int
    columns: tuple[str, ...]
    user_id: int | None = None
    replaced: tuple[Replaced, ...] = ()


class Unchanged(NamedTuple):
    line: int


class RowRefused(NamedTuple):
    line: int
    faults: tuple[CellFault, ...]


Outcome = New | Changed | Unchanged | RowRefused

BEING_CHANGED_ELSEWHERE = CellFault(
    None, "Data ini sedang diubah di tempat lain. Jalankan impor sekali lagi."
)
