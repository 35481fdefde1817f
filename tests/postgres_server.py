"""A throw-away PostgreSQL. It is made in a temporary folder, works over a socket, and is removed when the
tests end."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.cluster.postgres import NoPostgres, find_programs, unprivileged, within_reach

__all__ = ["NoPostgres", "find_programs", "throw_away_server"]


@contextmanager
def throw_away_server() -> Iterator[str]:
    """Start a server. Yields a SQLAlchemy URL in which `{}` stands for the name of the database."""
    folder = Path(tempfile.mkdtemp(prefix="portal-pg-"))
    data = folder / "data"
    run_as = unprivileged(folder)
    programs = within_reach(find_programs(), folder, run_as)
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


def _run(command: list[object]) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd="/", timeout=60
    )
    if done.returncode:
        raise RuntimeError(f"{command[-2:]} failed: {done.stdout[-500:]}{done.stderr[-500:]}")
