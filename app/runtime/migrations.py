"""Bring the schema to this release, with plain Alembic, configured in pyproject.toml."""

from collections.abc import Callable
from sqlite3 import SQLITE_BUSY
from time import sleep

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.runtime.schema import Schema, State, look
from app.runtime.schema_lock import STATEMENT_TIMEOUT, HeldUp, log, schema_to_oneself
from config import ROOT

TRIES = 10
SECONDS_BETWEEN_TRIES = 2.0  # in this time the requests that waited behind the migration are served

# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_DEADLOCK, _NO_LOCK, _STATEMENT_TIMEOUT = "40P01", "55P03", "57014"


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
