"""An admin looks at what a file changes, old and new values, before and after the import. The page shows some
of it, a list to download shows all.

The old addresses and telephone numbers are masked, as in every list that leaves the portal. Otherwise
somebody could fetch them all with a file of invented ones. The new ones are shown as the file has them.
People who have left the admin's reach since then are left out.
"""

from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.domain.categories import Category
from app.domain.email_address import EmailAddress
from app.domain.file_changes import COLUMN_WORDS, ColumnCount, column_counts
from app.models.import_batch import ImportBatch
from app.models.import_change import ImportChange
from app.models.user import User
from app.security.authority import Authority

HEADER = ("baris", "nip", "nama", "kolom", "sebelumnya", "menjadi")
EXAMPLES = 20
_AT_ONCE = 1000
_KEPT_OF_PHONE = 4  # digits; these are the ones that tell the network
_NOTHING = "(kosong)"


@dataclass(frozen=True)
class ShownChange:
    """One changed field of one person. `name` is the name on record now."""

    line: int
    nip: str
    name: str
    column: str
    old: str
    new: str

    @property
    def cells(self) -> list[str]:
        return [str(self.line), self.nip, self.name, self.column, self.old, self.new]


def counts(batch: ImportBatch) -> list[ColumnCount]:
    """The counts of the last pass, which is the one that the page shows."""
    return column_counts(batch.column_counts, batch.result if batch.confirmed_at else batch.dry_run)


def wide_columns(batch: ImportBatch) -> list[ColumnCount]:
    """The columns that change for so many people that the admin has to acknowledge it."""
    return [one for one in counts(batch) if one.is_wide]


def examples(session: Session, authority: Authority, batch: ImportBatch) -> list[ShownChange]:
    """The first changes of every column, an equal share for each, in the order of the file."""
    columns = columns_of(batch)
    found: list[ShownChange] = []
    for place, column in enumerate(columns):
        share = (EXAMPLES - len(found)) // (len(columns) - place)
        found += _shown(session, _of_column(authority, batch, column).limit(share))
    return sorted(found, key=lambda change: change.line)


def columns_of(batch: ImportBatch) -> list[str]:
    return [column for column in COLUMN_WORDS if column in batch.column_counts]


def part(
    session: Session, authority: Authority, batch: ImportBatch, column: str, after: int
) -> tuple[list[list[str]], int | None]:
    """Some changes of a column after the row `after`, in the columns of HEADER, and the row after which the
    next part begins; None at the end."""
    some = list(
        session.execute(_of_column(authority, batch, column).where(ImportChange.id > after).limit(_AT_ONCE))
    )
    rows = [_as_shown(change, person).cells for change, person in some]
    return rows, some[-1][0].id if len(some) == _AT_ONCE else None


def _of_column(authority: Authority, batch: ImportBatch, column: str) -> Select[ImportChange, User]:
    found = select(ImportChange, User).join(User, User.id == ImportChange.user_id)
    is_its = (
        ImportChange.batch_id == batch.id,
        ImportChange.is_dry_run == (batch.confirmed_at is None),
        ImportChange.column == column,
        authority.within(User.instansi_id),
    )
    return found.where(*is_its).order_by(ImportChange.id)


def _shown(session: Session, found: Select[ImportChange, User]) -> list[ShownChange]:
    return [_as_shown(change, person) for change, person in session.execute(found)]


def _as_shown(change: ImportChange, person: User) -> ShownChange:
    old = _in_words(change.column, change.old_value)
    return ShownChange(
        change.line,
        person.nip,
        person.name,
        COLUMN_WORDS.get(change.column, change.column),
        _MASKS[change.column](old) if change.column in _MASKS and change.old_value else old,
        _in_words(change.column, change.new_value),
    )


def _in_words(column: str, value: str | None) -> str:
    if column == "category" and value:
        return next((category.label for category in Category if category == value), value)
    return value or _NOTHING


def _masked_email(address: str) -> str:
    return EmailAddress(address).masked


def _masked_phone(phone: str) -> str:
    return f"{phone[:_KEPT_OF_PHONE]}***"


_MASKS = {"email": _masked_email, "phone": _masked_phone}
