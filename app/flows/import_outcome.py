"""What became of one row of a file."""

from dataclasses import dataclass

from app.domain.staff_file import Fault


@dataclass(frozen=True)
class New:
    line: int


@dataclass(frozen=True)
class Changed:
    """`columns` are names of record fields, without what they hold."""

    line: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Unchanged:
    line: int


@dataclass(frozen=True)
class Refused:
    line: int
    faults: tuple[Fault, ...]


Outcome = New | Changed | Unchanged | Refused

BEING_CHANGED_ELSEWHERE = Fault(None, "Data ini sedang diubah di tempat lain. Jalankan impor sekali lagi.")
