"""What a start costs beside the import of Flask and SQLAlchemy, as processor time until the web answers."""

import os
import statistics
import subprocess
import sys

from bench.portal import Portal
from bench.processes import cpu_seconds

TRIES = 5
_IMPORT = "import flask, sqlalchemy, sqlalchemy.orm"


def cpu_seconds_of_start_and_import(portal: Portal) -> tuple[float, float]:
    """The medians of some tries."""
    return (
        statistics.median(_start(portal) for _ in range(TRIES)),
        statistics.median(_import() for _ in range(TRIES)),
    )


def _start(portal: Portal) -> float:
    with portal.serving("--no-worker") as served:
        return cpu_seconds(served.pid)


def _import() -> float:
    process = subprocess.Popen([sys.executable, "-c", _IMPORT])
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return used.ru_utime + used.ru_stime
