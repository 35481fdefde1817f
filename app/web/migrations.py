"""The state of the database's schema against this release's migrations (plain Alembic, configured in pyproject.toml).

A newer schema is none of this release's business: releases expand the schema first, and contract it only when no older
release runs any more. So the previous release goes on working while the next one arrives.
"""

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from config import ROOT


class State(Enum):
    """How the schema stands to this release."""

    CURRENT = auto()
    OLDER = auto()
    NEWER = auto()
    FOREIGN = auto()  # of no release that this one descends from, nor of a later one


@dataclass(frozen=True)
class Schema:
    state: State
    revision: str | None  # None where no migration has run

    @property
    def is_usable(self) -> bool:
        """Whether this release runs on it."""
        return self.state in (State.CURRENT, State.NEWER)

    @property
    def why_not(self) -> str:
        """What stands in the way of this release, and what to do."""
        if self.state is State.FOREIGN:
            return f"the schema is at {self.revision}, which is of no release of this portal; look at DATABASE_URL"
        return "migrations pending, run: mysapk db upgrade"


def config(url: str) -> Config:
    """Alembic's configuration for one database."""
    alembic = Config(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["database_url"] = url
    return alembic


def upgrade(url: str, revision: str = "head") -> None:
    command.upgrade(config(url), revision)


def look(engine: Engine) -> Schema:
    """Which schema is there."""
    with engine.connect().execution_options(portal_read_only=True) as connection:
        return _judged(MigrationContext.configure(connection).get_current_heads())


def _judged(heads: tuple[str, ...]) -> Schema:
    head, known = _releases()
    revision = max(heads, default=None)
    if revision is None or (revision in known and revision != head):
        return Schema(State.OLDER, revision)
    if revision == head:
        return Schema(State.CURRENT, revision)
    is_later = revision.isdigit() and revision > head  # revisions are numbers, of four digits
    return Schema(State.NEWER if is_later else State.FOREIGN, revision)


@cache
def _releases() -> tuple[str, frozenset[str]]:
    """The newest revision of this release, and all of them."""
    scripts = ScriptDirectory.from_config(config(""))
    head = scripts.get_current_head()
    assert head is not None
    return head, frozenset(script.revision for script in scripts.walk_revisions())
