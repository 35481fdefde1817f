"""What a migration may call in addition to Alembic's own operations: `op.takes_long(...)`,
`op.create_index_on_filled_table(...)`.

They are attributes of `op`, so that a migration imports nothing of the portal, whose code goes on changing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import Connection, text

_LEFT_OVER = """
    SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = pg_index.indexrelid
    WHERE pg_class.relname = :name AND NOT indisvalid
    AND pg_class.relnamespace = current_schema()::regnamespace
"""


@Operations.register_operation("takes_long")
class TakesLong(MigrateOperation):
    @classmethod
    def takes_long(cls, operations: Operations, minutes: int) -> None:
        """Each statement of this migration may take this many minutes. The limit ends with the migration's
        transaction. SQLite has no time limit for statements."""
        if operations.get_bind().dialect.name == "postgresql":
            operations.execute(f"SET LOCAL statement_timeout = '{minutes}min'")


@Operations.register_operation("create_index_on_filled_table")
class CreateIndexOnFilledTable(MigrateOperation):
    @classmethod
    def create_index_on_filled_table(
        cls,
        operations: Operations,
        name: str,
        table: str,
        columns: list[str],
        only: str | None = None,
        *,
        unique: bool = False,
    ) -> None:
        """Create an index without making any writer wait. `only` is the condition of a partial index. This
        cannot be part of a transaction, so the migration does nothing else. The migration may be run again
        after it was broken off: finished work stays, and an incomplete index that PostgreSQL left behind is
        made anew."""
        where = None if only is None else text(only)
        if operations.get_bind().dialect.name != "postgresql":
            operations.create_index(name, table, columns, unique=unique, sqlite_where=where)
            return
        with operations.get_context().autocommit_block(), _unhurried(operations.get_bind()) as connection:
            if connection.scalar(text(_LEFT_OVER), {"name": name}):
                operations.drop_index(name, table, postgresql_concurrently=True)
            operations.create_index(
                name,
                table,
                columns,
                unique=unique,
                postgresql_where=where,
                postgresql_concurrently=True,
                if_not_exists=True,
            )


@contextmanager
def _unhurried(connection: Connection) -> Iterator[Connection]:
    """A connection without a lock time-out. Its statement waits for every older transaction, and makes nobody
    wait meanwhile."""
    names = ("lock_timeout", "statement_timeout")
    usual = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names}
    for name in names:
        connection.exec_driver_sql(f"SET {name} = 0")
    try:
        yield connection
    finally:
        for name, value in usual.items():
            connection.exec_driver_sql(f"SET {name} = '{value}'")
