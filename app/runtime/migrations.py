"""The state of the database's schema compared with this release's migrations (plain Alembic, configured in
pyproject.toml).

This release does not care about a newer schema: releases expand the schema first, and contract it only when
no older release runs any more. So the previous release goes on working while the next one arrives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from sqlite3 import SQLITE_BUSY
from time import sleep

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from app.runtime.schema_lock import STATEMENT_TIMEOUT, HeldUp, log, schema_to_oneself
from config import ROOT

TRIES = 10
SECONDS_BETWEEN_TRIES = 2.0  # in this time the requests that waited behind the migration are served

# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_DEADLOCK, _NO_LOCK, _STATEMENT_TIMEOUT = "40P01", "55P03", "57014"


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


def config(url: str) -> Config:
    """Alembic's configuration for one database."""
    alembic = Config(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["database_url"] = url
    return alembic


def upgrade(url: str, revision: str = "head", say: Callable[[str], None] = log.warning) -> Schema:
    """Bring the schema to this release. Returns the schema that was found before. Raises HeldUp."""
    with schema_to_oneself(url, say) as connection:
        return upgrade_over(connection, revision, say)


def upgrade_over(
    connection: Connection, revision: str = "head", say: Callable[[str], None] = log.warning
) -> Schema:
    """The same as `upgrade` for a caller that already has the schema to itself. A migration that does not get
    its locks is undone and tried again; the migrations before it stay."""
    found = look(connection)
    if found.state in (State.NEWER, State.FOREIGN):
        return found
    alembic = config("")
    alembic.attributes["connection"] = connection
    for left in reversed(range(TRIES)):
        try:
            command.upgrade(alembic, revision)
            return found
        except DBAPIError as fault:
            if fault.connection_invalidated:
                raise
            connection.rollback()
            _judge(fault, look(connection).revision, left)
        say(
            f"Sebuah tabel sedang dipakai; dicoba lagi dalam {SECONDS_BETWEEN_TRIES:.0f} detik ({left} "
            "kali lagi)."
        )
        sleep(SECONDS_BETWEEN_TRIES)
    raise AssertionError("the last try returns or raises")


def look(where: Engine | Connection) -> Schema:
    """Find out which schema is there."""
    if isinstance(where, Engine):
        with where.connect().execution_options(portal_read_only=True) as connection:
            return _judged(MigrationContext.configure(connection).get_current_heads())
    where.execution_options(portal_read_only=True)
    heads = MigrationContext.configure(where).get_current_heads()
    where.rollback()  # no transaction stays open after a look
    where.execution_options(portal_read_only=False)
    return _judged(heads)


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


def _judge(fault: DBAPIError, stands_at: str | None, tries_left: int) -> None:
    """Raise the error that tells the operator what is wrong, unless the migration may be tried again."""
    state, code = getattr(fault.orig, "sqlstate", None), getattr(fault.orig, "sqlite_errorcode", None)
    stays = f"Skema tetap pada {stands_at or 'awal'}, migrasi sesudahnya dibatalkan seluruhnya"
    if state == _STATEMENT_TIMEOUT:
        words = (
            f"{stays}: satu perintahnya berjalan lebih lama daripada batasnya (biasanya {STATEMENT_TIMEOUT})"
        )
        raise HeldUp(f"{words}. Jalankan lagi pada jam sepi: mysapk db upgrade") from fault
    is_busy = state in (_DEADLOCK, _NO_LOCK) or (code is not None and code & 0xFF == SQLITE_BUSY)
    if not is_busy:
        raise fault
    if not tries_left:
        where = " (pg_stat_activity menunjukkannya)" if state else ""
        words = f"{stays}: tabelnya terus dipakai transaksi lain"
        raise HeldUp(
            f"{words}. Tunggu atau akhiri transaksi itu{where}, lalu jalankan lagi: mysapk db upgrade"
        ) from fault
