"""The parts of a portal with two nodes, how they are started, and what can be done to them."""

import http.client
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from bench.sink import Sink
from config import ROOT
from deploy.cluster import front
from deploy.cluster.keeper import Kept, NoProgram, Part, quiet_port, wait_for_port
from deploy.cluster.postgres import find_programs, unprivileged, within_reach

SECONDS_TO_START = 60
# After a restart nginx leaves a node for `fail_timeout`. Until then the other one must stay
SECONDS_BETWEEN_NODES = 2.5
WEB, WORKERS = ("web-1", "web-2"), ("worker-1", "worker-2")
_POSTGRES = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    # A server that is killed loses nothing without fsync; only a power cut would. All else is as in
    # production: a commit is with the kernel before it is answered, and a page that was torn is mended.
    "fsync": "off",
}


class Cluster:
    """`with Cluster(folder) as cluster:` everything runs, with the people of the demo, until the block ends.

    `settings` count for web, workers and commands.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port, self.plain_port = quiet_port(), quiet_port()
        self.address = f"https://{front.HOST}:{self.port}"
        self.certificate = folder / "nginx" / "certificate.pem"
        self.node_ports = {name: quiet_port() for name in WEB}
        self.metrics_ports = {**self.node_ports, **{name: quiet_port() for name in WORKERS}}
        self.metrics_token = secrets.token_urlsafe(32)
        self._postgres_port, self._redis_port, self._mail_port = quiet_port(), quiet_port(), quiet_port()
        self._database_password = secrets.token_urlsafe(24)
        # Outside of the folder, which another user than the one of PostgreSQL may have closed
        self._database_home: Path | None = None
        self._settings = settings
        self._parts: dict[str, Kept] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    # -- what a test asks
    @property
    def database_url(self) -> str:
        return f"postgresql+psycopg://portal:{self._database_password}@127.0.0.1:{self._postgres_port}/portal"

    @property
    def sink(self) -> Sink:
        """The mail server, with the newest letter to each address; all letters are in `letters/all`."""
        return Sink(self._mail_port, self.folder / "letters")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._parts)

    def pid(self, name: str) -> int | None:
        return self._parts[name].pid

    def starts(self, name: str) -> int:
        """How often it was started."""
        return self._parts[name].starts

    def log_of(self, name: str) -> str:
        return self._parts[name].part.log.read_text(errors="replace")

    def run(self, *command: str, at: str = WORKERS[0]) -> "subprocess.CompletedProcess[str]":
        """Run a command of `mysapk` to its end, as the operator does on the machine of this part."""
        environ = self._environ(at)
        return subprocess.run(
            _mysapk(*command), env=environ, cwd=ROOT, capture_output=True, text=True, timeout=600
        )

    # -- what a test does
    def kill(self, name: str) -> int:
        """End a part without a warning. It comes back by itself. Returns the process id that it had."""
        return self._parts[name].kill()

    def stop_part(self, name: str) -> int | None:
        """Tell a part to end, and wait until it has. It does not come back by itself."""
        return self._parts[name].stop()

    def start_part(self, name: str, code: Path = ROOT) -> None:
        """Start a part again, and wait until it is there. `code` is the folder of the release that a node or
        worker runs."""
        if name in (*WEB, *WORKERS):
            self._parts[name].code = code
        self._parts[name].start()
        self.wait_for(name)

    def send(self, name: str, number: signal.Signals) -> None:
        self._parts[name].send(number)

    def roll(self, code: Path = ROOT) -> None:
        """Start every worker and every node anew, one after the other, with the release in the folder
        `code`."""
        for name in (*WORKERS, *WEB):
            self.stop_part(name)
            self.start_part(name, code)
            if name in WEB:
                time.sleep(SECONDS_BETWEEN_NODES)

    def wait_for(self, name: str, seconds: float = SECONDS_TO_START) -> None:
        """Until the part does its work."""
        if name in WEB:
            _eventually(lambda: _is_ready(self.node_ports[name]), seconds, name)
        elif name in WORKERS:
            _eventually(lambda: '"worker started"' in self._parts[name].said, seconds, name)
        elif name == "postgres":
            _eventually(self._has_database, seconds, name)
        else:
            wait_for_port(
                {"redis": self._redis_port, "mail": self._mail_port, "nginx": self.port}[name], seconds
            )

    # -- from the beginning to the end
    def start(self) -> None:
        front.find_nginx()
        _find_redis()
        for name in ("log", "letters", "secrets"):
            (self.folder / name).mkdir(mode=0o700, parents=True)
        for name in (*WEB, *WORKERS):
            (self.folder / name).mkdir(mode=0o700)
        self._write_secrets()
        postgres = self._prepare_postgres()
        self._keep("redis", *self._redis())
        self._keep(
            "mail",
            sys.executable,
            "-m",
            "bench.sink",
            str(self._mail_port),
            str(self.folder / "letters"),
            "--all",
        )
        self._keep("postgres", *postgres, ends_at=signal.SIGINT)
        front.prepare(self.folder, self.port, self.plain_port, list(self.node_ports.values()))
        self.wait_for("postgres")
        self._load_people()
        for name in WEB:
            self._keep(name, *_mysapk("serve", "--no-worker"))
        for name in WORKERS:
            self._keep(name, *_mysapk("worker"))
        self._keep("nginx", *front.command(self.folder), ends_at=signal.SIGQUIT)
        for name in self.names:
            self.wait_for(name)

    def end(self) -> None:
        """End everything, those in front first."""
        for name in reversed(self.names):
            self._parts[name].send(self._parts[name].part.ends_at)
        for name in reversed(self.names):
            self._parts[name].stop()
        self._parts.clear()
        if self._database_home is not None:
            shutil.rmtree(self._database_home, ignore_errors=True)

    def _keep(self, name: str, *command: str, ends_at: signal.Signals = signal.SIGTERM) -> None:
        part = Part(name, command, self.folder / "log" / name, self._environ(name), ends_at)
        self._parts[name] = Kept(part, ROOT if command[0] == sys.executable else Path("/"))
        self._parts[name].start()

    def _environ(self, name: str) -> dict[str, str]:
        usual = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}
        if name not in (*WEB, *WORKERS):
            return usual
        return {
            **usual,
            "PORTAL_ENV": "production",
            "PUBLIC_URL": self.address,
            "TRUSTED_PROXIES": "1",
            "HOST": "127.0.0.1",
            "PORT": str(self.node_ports.get(name, 5000)),
            "INSTANCE_PATH": str(self.folder / name),
            "SECRET_KEY_FILE": str(self.folder / "secrets" / "secret_key"),
            "DATABASE_URL_FILE": str(self.folder / "secrets" / "database_url"),
            "METRICS_TOKEN_FILE": str(self.folder / "secrets" / "metrics_token"),
            "RATELIMIT_STORAGE_URI": f"redis://127.0.0.1:{self._redis_port}/0",
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(self._mail_port),
            "SSL_CERT_FILE": str(self.certificate),  # `mysapk check` asks through the public address
            **({"WORKER_METRICS_PORT": str(self.metrics_ports[name])} if name in WORKERS else {}),
            **self._settings,
        }

    def _write_secrets(self) -> None:
        for name, value in (
            ("secret_key", secrets.token_urlsafe(48)),
            ("database_url", self.database_url),
            ("metrics_token", self.metrics_token),
        ):
            file = self.folder / "secrets" / name
            file.touch(mode=0o600)
            file.write_text(value)

    # -- single parts
    def _prepare_postgres(self) -> list[str]:
        """Make an empty cluster of databases. Returns the command of the server."""
        home = self._database_home = Path(tempfile.mkdtemp(prefix="mysapk-pg-"))
        run_as = unprivileged(home)
        programs = within_reach(find_programs(), home, run_as)
        password = home / "password"
        password.write_text(self._database_password)
        if run_as:
            shutil.chown(password, "nobody")
        make = [str(programs / "initdb"), "-D", str(home / "data"), "-U", "portal", "-A", "scram-sha-256"]
        make += ["--pwfile", str(password), "-E", "UTF8", "--locale=C", "-N"]
        made = subprocess.run(
            [*run_as, *make], capture_output=True, text=True, cwd="/", timeout=120, check=False
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stdout[-500:]}{made.stderr[-500:]}")
        password.unlink()
        settings = {**_POSTGRES, "port": str(self._postgres_port), "unix_socket_directories": str(home)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [*run_as, str(programs / "postgres"), "-D", str(home / "data"), *options]

    def _redis(self) -> list[str]:
        # Nothing on disk: what it counts is forgotten within the hour anyway
        return [
            _find_redis(),
            "--bind",
            "127.0.0.1",
            "--port",
            str(self._redis_port),
            "--save",
            "",
            "--appendonly",
            "no",
        ]

    def _has_database(self) -> bool:
        try:
            with psycopg.connect(
                host="127.0.0.1", port=self._postgres_port, user="portal", password=self._database_password,
                dbname="postgres", connect_timeout=2, autocommit=True,
            ) as connection:  # fmt: skip
                row = connection.execute(
                    "SELECT count(*) FROM pg_database WHERE datname = 'portal'"
                ).fetchone()
                if row == (0,):
                    connection.execute("CREATE DATABASE portal")
        except psycopg.OperationalError:
            return False
        return True

    def _load_people(self) -> None:
        """The people of the demo, under the keys of this portal."""
        as_demo = {"PORTAL_ENV": "demo", "PUBLIC_URL": "", "TRUSTED_PROXIES": "", "MAIL_SERVER": ""}
        environ = {name: value for name, value in {**self._environ(WORKERS[0]), **as_demo}.items() if value}
        loaded = subprocess.run(
            _mysapk("demo"), env=environ, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if loaded.returncode:
            raise RuntimeError(f"mysapk demo: {loaded.stdout[-500:]}{loaded.stderr[-2000:]}")


def _find_redis() -> str:
    program = shutil.which("redis-server")
    if program is None:
        raise NoProgram("no redis-server: install Debian's redis-server")
    return program


def _mysapk(*command: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "app", *command)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _eventually(holds: Callable[[], bool], seconds: float, name: str) -> None:
    last_moment = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > last_moment:
            raise TimeoutError(f"{name} has not started within {seconds} s")
        time.sleep(0.02)
