"""What all records share: constraint names, and moments that are always aware and in UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CursorResult,
    DateTime,
    Dialect,
    Enum,
    Executable,
    Integer,
    MetaData,
    Table,
    TypeDecorator,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.attributes import set_committed_value


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class AddedOnce:
    """A record with a unique column, so that a form that is sent twice writes it only once."""

    def add(self, session: Session) -> bool:
        """Insert the row unless there is one with the same unique value. If several send it at the same time,
        one gets True."""
        try:
            with session.begin_nested():
                session.add(self)
        except IntegrityError:
            return False
        return True


def table_of(record: type[Base]) -> Table:
    """The table itself, for statements that give no records: those cost less."""
    return cast(Table, record.__table__)


def without_records(
    session: Session, statement: Executable, values: Mapping[str, object] | None = None
) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement that reads no records and changes none of those in memory. The session would look for
    records first, and that costs several times as much as the statement."""
    session.flush()
    return session.connection().execute(statement, values)


def dialect_of(session: Session) -> str:
    """`sqlite` or `postgresql`: a statement that is built once is built once for each of them."""
    return session.get_bind().dialect.name


def upsert(session: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT with `on_conflict_do_update`, in the dialect of this database."""
    return upsert_in(dialect_of(session), table)


def upsert_in(dialect: str, table: type[Base] | Table) -> postgresql.Insert | sqlite.Insert:
    """The same in a dialect that is named, for a statement that is built once."""
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)


def note_written(record: Base, **values: object) -> None:
    """A statement has written these values for many records at once. Now the record in memory says so too."""
    for name, value in values.items():
        set_committed_value(record, name, value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment. SQLite keeps no time zone, so the zone is put back when a value is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Tables that grow with every act need more than 32 bits. SQLite counts its own rowid in 64 bits anyway.
BigId = BigInteger().with_variant(Integer, "sqlite")


def text_enum(kind: type[StrEnum], name: str, *, closed: bool = True) -> Enum:
    """A string column for the values of `kind`. If the list is `closed`, the database itself refuses other
    values."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=closed,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )
