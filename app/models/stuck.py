from typing import Any

from sqlalchemy import ColumnElement, and_, text
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.labelled import Labelled
from app.models.user import User


class Stuck(Labelled):
    """Where people get stuck, as the desk asks for it and counts it. One may be stuck in several ways."""

    NO_EMAIL = "tanpa-email", "Belum punya email di data"  # nothing can reach them
    EMAIL = "email", "Email ditolak atau dipantulkan server"  # the mail server refused their letter
    TOKEN = "token", "Dapat token, belum pernah masuk"  # got one, and never came in
    PASSWORD = "password", "Sudah membuat password, belum pernah masuk"  # of those who got one

    @property
    def condition(self) -> ColumnElement[bool]:
        return _CONDITIONS[self]

    @property
    def order(self) -> InstrumentedAttribute[Any]:
        """The column by which an index has them."""
        return _COLUMNS[self]


# The conditions of partial indexes, word for word. It is not `email_key`: SQLite would take the unique index
# over that, and read all people without an address to sort them
_CONDITIONS: dict[Stuck, ColumnElement[bool]] = {
    Stuck.NO_EMAIL: and_(text("user_account.email IS NULL AND user_account.activation != 'deactivated'")),
    Stuck.EMAIL: User.mail_failed_at.is_not(None),
    Stuck.TOKEN: User.stuck_since.is_not(None),
    Stuck.PASSWORD: and_(User.stuck_since.is_not(None), User.password_hash.is_not(None)),
}
_COLUMNS: dict[Stuck, InstrumentedAttribute[Any]] = {
    Stuck.NO_EMAIL: User.nip,
    Stuck.EMAIL: User.mail_failed_at,
    Stuck.TOKEN: User.stuck_since,
    Stuck.PASSWORD: User.stuck_since,
}
