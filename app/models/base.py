"""What all records share: constraint names, and moments that are always aware and in UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    BigInteger,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Enum,
    Executable,
    Index,
    Integer,
    MetaData,
    Table,
    TextClause,
    TypeDecorator,
    event,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.attributes import set_committed_value

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


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


class PartialIndex(Index):
    """An index over the few rows for which a condition holds.

    SQLAlchemy takes the condition once for each dialect, and loads the dialect to check the name of the
    argument. That was a thirtieth of each start, so the condition is told to a dialect when it makes tables.
    """

    def __init__(self, name: str, *columns: str, only: TextClause, unique: bool = False) -> None:
        super().__init__(name, *columns, unique=unique, info={"only": only})

    def tell(self, dialect: str) -> None:
        self.dialect_options[dialect]["where"] = self.info["only"]


def tell_conditions(metadata: MetaData, dialect: str) -> None:
    """Let the dialect know the conditions of all partial indexes."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if isinstance(index, PartialIndex):
                index.tell(dialect)


@event.listens_for(Base.metadata, "before_create")
def _tell_conditions(metadata: MetaData, connection: Connection, **_how: object) -> None:
    tell_conditions(metadata, connection.dialect.name)


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


def upsert(session: Session, table: type[Base]) -> "postgresql.Insert | sqlite.Insert":
    """An INSERT with `on_conflict_do_update`, in the dialect of this database."""
    return upsert_in(dialect_of(session), table)


def upsert_in(dialect: str, table: type[Base] | Table) -> "postgresql.Insert | sqlite.Insert":
    """The same in a dialect that is named, for a statement that is built once."""
    # Here, because a portal runs on one of them, and a start spends a twentieth on loading both
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


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
