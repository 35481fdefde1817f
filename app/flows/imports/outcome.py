"""What became of one row of a file."""

from dataclasses import dataclass

from app.domain.staff_file import CellFault


@dataclass(frozen=True)
class Replaced:
    """A field of the record: the old value, and the value that the file gives it."""

    column: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class New:
    """The row brings a new person. If the run has added them, `user_id` is set and `replaced` has the NIP. A
    dry run adds nobody."""

    line: int
    user_id: int | None = None
    replaced: tuple[Replaced, ...] = ()


@dataclass(frozen=True)
class Changed:
    """`columns` are names of fields of the record. `replaced` says what these fields hold for the person
    `user_id`, without secrets."""

    line: int
    columns: tuple[str, ...]
    user_id: int | None = None
    replaced: tuple[Replaced, ...] = ()


@dataclass(frozen=True)
class Unchanged:
    line: int


@dataclass(frozen=True)
class RowRefused:
    line: int
    faults: tuple[CellFault, ...]


Outcome = New | Changed | Unchanged | RowRefused

BEING_CHANGED_ELSEWHERE = CellFault(
    None, "Data ini sedang diubah di tempat lain. Jalankan impor sekali lagi."
)
