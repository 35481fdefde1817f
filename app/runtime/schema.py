"""The state of the database's schema compared with the migrations of this release.

This release does not care about a newer schema: releases expand the schema first, and contract it only when
no older release runs any more. So the previous release goes on working while the next one arrives.

Every process looks at the schema when it starts. This loads nothing of Alembic, which only `mysapk db
upgrade` needs.
"""

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from sqlalchemy import Connection, Engine, column, inspect, select, table

from config import ROOT

MIGRATION_FILES = ROOT / "migrations" / "versions"  # each name begins with the number of its revision
_ALEMBIC_VERSION = table("alembic_version", column("version_num"))


class State(Enum):
    """How the schema compares with this release."""

    CURRENT = auto()
    OLDER = auto()
    NEWER = auto()
    FOREIGN = auto()  # of no earlier release that led to this one, and of no later release


@dataclass(frozen=True)
class Schema:
    state: State
    revision: str | None  # None where no migration has run

    @property
    def is_usable(self) -> bool:
        """Whether this release runs on this schema."""
        return self.state in (State.CURRENT, State.NEWER)

    @property
    def why_not(self) -> str:
        """Why this release cannot run on this schema, and what to do."""
        if self.state is State.FOREIGN:
            return (
                f"the schema is at {self.revision}, which is of no release of this portal; look at "
                "DATABASE_URL"
            )
        return "migrations pending, run: mysapk db upgrade"


def look(where: Engine | Connection) -> Schema:
    """Find out which schema is there."""
    if isinstance(where, Engine):
        with where.connect().execution_options(portal_read_only=True) as connection:
            return _judged(_revision(connection))
    where.execution_options(portal_read_only=True)
    revision = _revision(where)
    where.rollback()  # no transaction stays open after a look
    where.execution_options(portal_read_only=False)
    return _judged(revision)


def newest() -> str:
    """The newest revision of this release."""
    return max(_revisions())


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_ALEMBIC_VERSION.name):
        return None
    return max(connection.scalars(select(_ALEMBIC_VERSION.c.version_num)), default=None)


def _judged(revision: str | None) -> Schema:
    if revision == newest():
        return Schema(State.CURRENT, revision)
    if revision is None or revision in _revisions():
        return Schema(State.OLDER, revision)
    is_later = revision.isdigit() and revision > newest()  # revisions are numbers, of four digits
    return Schema(State.NEWER if is_later else State.FOREIGN, revision)


@cache
def _revisions() -> frozenset[str]:
    """All revisions of this release."""
    return frozenset(file.name[:4] for file in MIGRATION_FILES.glob("[0-9]*_*.py"))
