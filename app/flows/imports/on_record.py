"""What the portal has on record of the people whom a file names, and what a row of the file changes of it.

Most rows of most files change nothing, so no record of these people is loaded: a few columns are enough to
compare and to judge.
"""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.categories import Category
from app.domain.staff_file import StaffRow
from app.flows.imports.outcome import Replaced
from app.models.instansi import Instansi
from app.models.many_rows import one_of
from app.models.user import User

_OF_SOMEBODY_NEW = ("name", "email", "phone", "category", "instansi", "work_unit", "password_hash")


class OnRecord(NamedTuple):
    """A person as the portal has them."""

    nip: str
    id: int
    name: str
    email: str | None
    email_key: str | None
    phone: str | None
    category: Category
    instansi_id: int
    instansi_code: str
    work_unit: str
    has_password: bool
    is_in_use: bool

    @classmethod
    def of(cls, person: User) -> "OnRecord":
        return cls(
            person.nip,
            person.id,
            person.name,
            person.email,
            person.email_key,
            person.phone,
            person.category,
            person.instansi_id,
            person.instansi.code,
            person.work_unit,
            person.password_hash is not None,
            person.is_in_use,
        )

    def replaced_by(self, row: StaffRow, columns: Collection[str]) -> tuple[Replaced, ...]:
        """What these columns hold, and what the row gives them. Hashes are left out."""
        values = {
            "name": (self.name, row.name),
            "email": (self.email, row.email.text if row.email else None),
            "phone": (self.phone, row.phone),
            "category": (self.category.value, row.category.value),
            "instansi": (self.instansi_code, row.instansi_code),
            "work_unit": (self.work_unit, row.work_unit),
        }
        return tuple(Replaced(column, *values[column]) for column in columns if column in values)


def on_record(session: Session, nips: Collection[str]) -> dict[str, OnRecord]:
    """Those among these NIPs that somebody has, each with the person."""
    if not nips:
        return {}
    found = (
        select(
            User.nip,
            User.id,
            User.name,
            User.email,
            User.email_key,
            User.phone,
            User.category,
            User.instansi_id,
            Instansi.code,
            User.work_unit,
            User.password_hash.is_not(None),
            User.in_use(),
        )
        .join(Instansi, Instansi.id == User.instansi_id)
        .where(one_of(session, User.nip, nips))
    )
    return {nip: OnRecord(nip, *rest) for nip, *rest in session.execute(found)}


def differences(person: OnRecord | None, row: StaffRow) -> tuple[str, ...]:
    """The fields that the row changes. An address that differs only in capital letters is the same
    address."""
    if person is None:
        return _OF_SOMEBODY_NEW
    changes = (
        ("name", person.name != row.name),
        ("email", row.email is not None and person.email_key != row.email.key),
        ("phone", row.phone is not None and person.phone != row.phone),
        ("category", person.category is not row.category),
        ("instansi", person.instansi_code != row.instansi_code),
        ("work_unit", person.work_unit != row.work_unit),
        ("password_hash", row.password_hash is not None and not person.has_password),
    )
    return tuple([column for column, is_changed in changes if is_changed])
