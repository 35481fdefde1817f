"""Alembic's entry. The database is the one that was handed in, or DATABASE_URL for the `alembic` command
itself."""

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Enum, create_engine, pool

from app.models import Base
from app.models.base import UtcDateTime
from config import Settings


def render_item(kind: str, item: object, _context: AutogenContext) -> str | bool:
    """A migration stands alone: it names plain types, never the portal's own."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum) and not item.create_constraint:
        return f"sa.String(length={item.length})"
    return False


def run() -> None:
    url = context.config.attributes.get("database_url") or Settings.from_env().database_url
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")  # tables are copied when SQLite alters them
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=engine.dialect.name == "sqlite",
            compare_type=True,
            render_item=render_item,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run()
