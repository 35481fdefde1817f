"""Alembic's entry. The database is the one that was handed in, or DATABASE_URL for the `alembic` command
itself."""

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, Enum

from app.models import Base
from app.models.base import UtcDateTime, tell_conditions
from app.runtime import migration_steps  # noqa: F401  # op.takes_long and op.create_index_on_filled_table
from app.runtime.schema_lock import schema_to_oneself
from config import Settings


def render_item(kind: str, item: object, _context: AutogenContext) -> str | bool:
    """A migration stands alone: it names plain types, never the portal's own."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum) and not item.create_constraint:
        return f"sa.String(length={item.length})"
    return False


def run() -> None:
    if connection := context.config.attributes.get("connection"):
        run_over(connection)
        return
    with schema_to_oneself(
        context.config.attributes.get("database_url") or Settings.from_env().database_url
    ) as own:
        run_over(own)


def run_over(connection: Connection) -> None:
    for dialect in ("sqlite", "postgresql"):  # so that a new migration is written for both
        tell_conditions(Base.metadata, dialect)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=render_item,
        transaction_per_migration=True,  # what is done stays done, and the one that fails leaves nothing
        transactional_ddl=True,  # Alembic would not believe it of SQLite
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


run()
