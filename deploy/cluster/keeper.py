"""Keeps programs running, as systemd does in production: what ends, or is killed, is started anew."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

SECONDS_BEFORE_THE_NEXT = 0.2
SECONDS_TO_END = 40  # a worker finishes its letter


class NoProgram(Exception):
    """A program that this machine lacks. It says how to get it."""


@dataclass(frozen=True)
class Part:
    """One program of the cluster."""

    name: str
    command: tuple[str, ...]
    log: Path
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    ends_at: signal.Signals = signal.SIGTERM  # which lets it finish what it is doing


class Kept:
    """A part that runs until it is told to stop, in the folder `code`."""

    def __init__(self, part: Part, code: Path) -> None:
        self.part = part
        self.code = code
        self.starts = 0
        self._log_began = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._is_wanted = False
        self._changing = threading.Lock()
        self._keeper: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Of its first process, while that is running."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def said(self) -> str:
        """What is in its log since it was last started."""
        with self.part.log.open("rb") as log:
            log.seek(self._log_began)
            return log.read().decode(errors="replace")

    def start(self) -> None:
        assert not self._is_wanted, f"{self.part.name} is running"
        self._is_wanted = True
        self._run()
        self._keeper = threading.Thread(target=self._keep, daemon=True, name=f"keeper of {self.part.name}")
        self._keeper.start()

    def kill(self) -> int:
        """End it without a warning. It is started anew. Returns the process id that it had."""
        with self._changing:
            process = self._process
            assert process is not None
            process.kill()
            return process.pid

    def send(self, number: signal.Signals) -> None:
        with self._changing, suppress(ProcessLookupError):
            assert self._process is not None
            self._process.send_signal(number)

    def stop(self, seconds: float = SECONDS_TO_END) -> int | None:
        """Let it finish and end, and not start again. Returns its exit code. What does not end in time is
        killed."""
        with self._changing:
            self._is_wanted = False
            if self._process is None:
                return None
            self._process.send_signal(self.part.ends_at)
        if self._keeper is not None:
            self._keeper.join(seconds)
            if self._keeper.is_alive():
                self._process.kill()
                self._keeper.join()
        return self._process.returncode

    def _keep(self) -> None:
        while True:
            assert self._process is not None
            self._process.wait()
            # Other processes of the part would hold its port: systemd ends them too
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            time.sleep(SECONDS_BEFORE_THE_NEXT if self._is_wanted else 0)
            with self._changing:
                if not self._is_wanted:
                    return
                self._run()

    def _run(self) -> None:
        with self.part.log.open("ab") as log:
            self._log_began = log.tell()
            self._process = subprocess.Popen(
                self.part.command,
                env=dict(self.part.environ),
                cwd=self.code,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1


def quiet_port() -> int:
    """A free port that the system gives to no outgoing connection. Otherwise somebody who connects while the
    part is away could be given its port, and it could not come back."""
    with Path("/proc/sys/net/ipv4/ip_local_port_range").open() as file:
        first_of_system = int(file.read().split()[0])
    for _ in range(1000):
        port = SystemRandom().randrange(10_000, max(first_of_system, 20_000))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def wait_for_port(port: int, seconds: float) -> None:
    """Until somebody listens there."""
    last_moment = time.monotonic() + seconds
    while time.monotonic() < last_moment:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"nobody listens at port {port}")
