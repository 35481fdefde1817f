"""The state of the database's schema against this release's migrations (plain Alembic, configured in
pyproject.toml)."""

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from config import ROOT


def config(url: str) -> Config:
    """Alembic's configuration for one database."""
    alembic = Config(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["database_url"] = url
    return alembic


def upgrade(url: str, revision: str = "head") -> None:
    command.upgrade(config(url), revision)


def is_at_head(engine: Engine) -> bool:
    """Whether the schema is the one this release was written for."""
    with engine.connect().execution_options(portal_read_only=True) as connection:
        return MigrationContext.configure(connection).get_current_revision() == _head()


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(config("")).get_current_head()
