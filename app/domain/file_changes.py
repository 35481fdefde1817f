"""How much a file of staff changes of what is on record, column by column, and how much is so large that it
must be said. Two columns that changed places, or rows that slipped by one, change nearly everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

# A column is wide when it changes for more than one in this many people, out of those in the file who are on
# record.
ONE_IN = 10

# The words that the file uses for its columns, in the order of its columns.
COLUMN_WORDS = {
    "name": "nama", "email": "email", "category": "kategori", "instansi": "kode instansi",
    "work_unit": "unit kerja",
    "phone": "telepon", "password_hash": "password",
}  # fmt: skip


@dataclass(frozen=True)
class ColumnCount:
    """For how many people of the file a column changes, out of those that are on record and not refused."""

    column: str
    people: int
    on_record: int

    @property
    def words(self) -> str:
        return COLUMN_WORDS.get(self.column, self.column)

    @property
    def percent(self) -> str:
        """With one decimal, as Indonesians write it: 12,5%."""
        return f"{100 * self.people / self.on_record:.1f}".replace(".", ",").removesuffix(",0") + "%"

    @property
    def is_wide(self) -> bool:
        return self.people * ONE_IN > self.on_record

    @property
    def warning(self) -> str:
        return (
            f"{self.words.capitalize()} berubah untuk {grouped(self.people)} dari {grouped(self.on_record)} "
            f"pegawai dalam file yang sudah terdaftar ({self.percent}). Periksa apakah isi kolomnya tertukar "
            "dengan kolom lain, atau bergeser baris."
        )


def column_counts(changed: Mapping[str, int], rows: Mapping[str, int]) -> list[ColumnCount]:
    """Only the columns that change. `changed` counts people by column; `rows` counts the rows of the file by
    what became of them."""
    on_record = rows.get("changed", 0) + rows.get("unchanged", 0)
    return [ColumnCount(column, changed[column], on_record) for column in COLUMN_WORDS if changed.get(column)]


def mark_of(wide: list[ColumnCount]) -> str:
    """What a form carries when its reader has acknowledged these warnings, and no others."""
    return sha256(" ".join(one.warning for one in wide).encode()).hexdigest()[:16]


def grouped(number: int) -> str:
    """12.345, as Indonesians write it."""
    return f"{number:,}".replace(",", ".")
