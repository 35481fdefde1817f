"""What became of one row of a file."""

from dataclasses import dataclass

from app.domain.staff_file import CellFault


@dataclass(frozen=True)
class Replaced:
    """A record field: what stood there, and what stands there by the file."""

    column: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class New:
    """Of a person whom a run has added, `user_id` and the NIP in `replaced`; a dry run adds nobody."""

    line: int
    user_id: int | None = None
    replaced: tuple[Replaced, ...] = ()


@dataclass(frozen=True)
class Changed:
    """`columns` are names of record fields. `replaced` says what they hold, secrets apart, of a person
    `user_id`."""

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
