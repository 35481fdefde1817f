"""A portal of its own for each measurement, run by its real commands."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.browser import Browser
from bench.people import write_instansi, write_staff
from config import ROOT

SECONDS_TO_START = 120.0


@dataclass(frozen=True)
class Served:
    """A web that is running, with its worker if it has one."""

    pid: int
    port: int


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


class Portal:
    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PORTAL_ENV": "test",
            "SECRET_KEY": "a key for measurements only, of no use elsewhere",
            "DATABASE_URL": f"sqlite:///{folder}/portal.db",
            "INSTANCE_PATH": str(folder / "instance"),
            "ADDRESS_LIMITS": "off",
            "DRAIN_SECONDS": "0",
            **environ,
        }

    def prepare(self, people: Iterable[int], password_hash: str = "") -> None:
        """Make the tables, and take these people over."""
        self.run("db", "upgrade")
        self.run("import-instansi", str(write_instansi(self.folder)))
        self.run("import-pegawai", str(write_staff(self.folder, people, password_hash)))

    def run(self, *command: str) -> Cost:
        """Run one command to its end."""
        start = time.perf_counter()
        process = subprocess.Popen(
            _mysapk(*command), env=self.environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout is not None
        said = process.stdout.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise AssertionError(f"mysapk {' '.join(command)}: {said[-2000:]}")
        return Cost(time.perf_counter() - start, _cpu(used), used.ru_maxrss / 1024)

    @contextmanager
    def serving(self, *options: str, command: tuple[str, ...] = ()) -> Iterator[Served]:
        """`mysapk serve`, or another command in its place, until it answers and as long as it is needed."""
        port = free_port()
        environ = {**self.environ, "PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        with self._running(command or _mysapk("serve", *options), environ) as process:
            wait_until_alive(port)
            yield Served(process.pid, port)

    @contextmanager
    def working(self) -> Iterator[int]:
        """`mysapk worker` alone."""
        with self._running(_mysapk("worker"), self.environ) as process:
            yield process.pid

    @contextmanager
    def _running(
        self, command: Iterable[str], environ: dict[str, str]
    ) -> Iterator["subprocess.Popen[bytes]"]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen([*command], env=environ, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _mysapk(*command: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "app", *command)


def _cpu(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_alive(port: int) -> None:
    last_moment = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < last_moment:
        try:
            if Browser(port).open("/healthz").status == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError("the portal has not started")
