"""Many rows at once: written without records in memory, and looked up by one parameter that holds all values.

A statement for each row, or a parameter for each value, would cost the database more than the row itself.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    String,
    any_,
    cast,
    column,
    func,
    literal,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from app.models.base import Base, dialect_of, table_of


def insert_many(
    session: Session, record: type[Base], columns: Sequence[str], rows: Collection[Sequence[object]]
) -> None:
    """Write rows of these columns with one statement. PostgreSQL takes them by COPY."""
    if not rows:
        return
    session.flush()  # what these rows refer to
    connection = session.connection()
    quoted = connection.dialect.identifier_preparer.quote
    into = f"{record.__tablename__} ({', '.join(map(quoted, columns))})"
    as_kept = _as_kept(connection.dialect, record, columns, rows)
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {into} FROM STDIN", as_kept)
    else:
        written = f"INSERT INTO {into} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  (no values)
        connection.exec_driver_sql(written, list(as_kept))


def one_of(
    session: Session,
    looked_up: ColumnElement[str] | InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    values: Collection[str],
) -> ColumnElement[bool]:
    """The condition that the column has one of these values. The statement is the same however many they
    are."""
    wanted = literal(json.dumps(list(values)), String)
    if dialect_of(session) == "postgresql":
        each = func.json_array_elements_text(cast(wanted, JSON)).column_valued("value")
        return looked_up == any_(func.array(select(each).scalar_subquery()))
    return looked_up.in_(select(func.json_each(wanted).table_valued(column("value")).c.value))


def _as_kept(
    dialect: Dialect, record: type[Base], columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterable[tuple[object, ...]]:
    """The rows as the database reads them: texts, numbers and None, which cost a driver least. A value that
    many rows share, like a moment, is written out once."""
    kinds = [table_of(record).c[name].type for name in columns]
    of_each = zip(*rows, strict=True)
    return zip(
        *(_written(dialect, kind, values) for kind, values in zip(kinds, of_each, strict=True)), strict=True
    )


def _written(dialect: Dialect, kind: TypeEngine[Any], values: Sequence[object]) -> Iterable[object]:
    if isinstance(kind, JSON):
        return map(json.dumps, values)
    made = kind.dialect_impl(dialect)
    if (write := made.bind_processor(dialect)) is None and not isinstance(kind, Boolean):
        return values
    texts = {value: write(value) if write else value for value in set(values)}
    if dialect.name == "postgresql":
        texts = {value: None if text is None else str(text) for value, text in texts.items()}
    return map(texts.__getitem__, values)


def _copy(connection: Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    from psycopg import Connection as PsycopgConnection  # only here: SQLite needs no psycopg
    from psycopg import Error

    driver = connection.connection.driver_connection
    assert isinstance(driver, PsycopgConnection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copying:
            for row in rows:
                copying.write_row(row)
    except Error as fault:  # which SQLAlchemy does not see, because it knows no COPY
        raise DBAPIError.instance(
            statement, None, fault, Error, hide_parameters=True, dialect=connection.dialect
        ) from fault
