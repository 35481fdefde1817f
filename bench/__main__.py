"""`make bench`: how much load the portal can take on this machine, as ratios measured in one run.

A separate portal is started on a free port with a temporary SQLite database, and a few parallel clients send
requests to it. Seconds differ from machine to machine. Only the ratios can be compared: how a figure of the
portal relates to what the same machine does without the portal.
"""

import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from app.security import passwords
from bench import same_time, slow_line

CLIENTS = 8
SECONDS = 5.0
PASSWORD = "Kopi-Tubruk-2021"
PEOPLE = 400
_CSRF = re.compile(r'name="csrf_token" type="hidden" value="([^"]+)"')


class Browser:
    """One connection that stays open, with its cookies."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, urlencode(fields) if fields is not None else None, headers)
        answer = self._connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";")[0].partition("=")
            self._cookies[name] = value
        return answer.status, answer.read().decode()

    def token(self, page: str) -> str:
        found = _CSRF.search(self.ask("GET", page)[1])
        assert found
        return found[1]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, portal(Path(folder)) as port:
        activation = slow_line.measure(
            port, nip_of(PEOPLE), f"p{PEOPLE}@contoh.example", Path(folder) / "instance" / "mail"
        )
        bare_hashes = rate(lambda _client, _number: passwords.hashed(PASSWORD), clients=os.cpu_count() or 1)
        alive = rate(lambda client, _number: client.ask("GET", "/healthz"), port)
        page = rate(lambda client, _number: client.ask("GET", "/login"), port)
        asked, delivered_after = ask_for_tokens(port)
        logins = rate(log_in, port, rounds=PEOPLE // CLIENTS)
    print(f"argon2id hashes, bare              {bare_hashes:8.0f} /s")
    print(
        f"logins (form, hash, session)       {logins:8.0f} /s   {logins / bare_hashes:5.2f} of the bare "
        "hashes"
    )
    print(f"/healthz                           {alive:8.0f} /s")
    print(f"/login page                        {page:8.0f} /s   {page / alive:5.2f} of /healthz")
    print(f"requests for a token                 {asked:8.0f} /s   {asked / alive:5.2f} of /healthz")
    print(f"last token mail handed over        {delivered_after:8.1f} s after the last request")
    slow_line.report(activation)
    same_time.report(same_time.measure())


def rate(
    act: Callable[["Browser", int], object], port: int = 0, rounds: int | None = None, clients: int = CLIENTS
) -> float:
    """Acts per second by parallel clients, for SECONDS or for `rounds` acts each."""
    start = time.perf_counter()

    def run(client_number: int) -> int:
        client, done = Browser(port), 0
        while done < rounds if rounds else time.perf_counter() - start < SECONDS:
            act(client, client_number * 1_000 + done)
            done += 1
        return done

    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(run, range(clients))) / (time.perf_counter() - start)


def log_in(known: Browser, number: int) -> None:
    client = Browser(known.port)
    fields = {"csrf_token": client.token("/login"), "nip": nip_of(person_of(number)), "password": PASSWORD}
    status, _ = client.ask("POST", "/login", fields)
    assert status == 303, status


def ask_for_tokens(port: int) -> tuple[float, float]:
    """Every person asks once. Returns requests per second, and how long the worker needs after the last
    request."""

    def ask(client: Browser, number: int) -> None:
        person = person_of(number)
        fields = {
            "csrf_token": client.token("/lupa-password"),
            "nip": nip_of(person),
            "email": f"p{person}@contoh.example",
        }
        status, _ = client.ask("POST", "/lupa-password", fields)
        assert status == 303, status

    asked = rate(ask, port, rounds=PEOPLE // CLIENTS)
    start, watcher = time.perf_counter(), Browser(port)
    while not _nothing_waits(watcher.ask("GET", "/metrics")[1]):
        time.sleep(0.05)
    return asked, time.perf_counter() - start


def _nothing_waits(metrics: str) -> bool:
    return 'state="menunggu"} 0.0' in metrics and 'state="mengirim"} 0.0' in metrics


def person_of(number: int) -> int:
    """Each client has its own people."""
    return (number // 1_000) * (PEOPLE // CLIENTS) + number % 1_000


def nip_of(person: int) -> str:
    return f"19800101200501{1 + person % 2}{person + 1:03d}"


@contextmanager
def portal(folder: Path) -> Iterator[int]:
    """A running portal with PEOPLE invented people, and one more for the slow line. All of them have
    PASSWORD."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environ = {
        **os.environ,
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{folder}/portal.db",
        "INSTANCE_PATH": str(folder / "instance"),
        "ADDRESS_LIMITS": "off",
        "PORTAL_ENV": "demo",
    }
    (folder / "instansi.csv").write_text("kode,nama,kontak\n1,Instansi Contoh,loket 1\n")
    header, password_hash = (
        "nip,nama,email,kategori,kode_instansi,unit_kerja,password_hash",
        passwords.hashed(PASSWORD),
    )
    # One more person, for the slow line
    rows = (
        f'{nip_of(n)},Orang Contoh,p{n}@contoh.example,PNS,1,Unit,"{password_hash}"'
        for n in range(PEOPLE + 1)
    )
    (folder / "pegawai.csv").write_text("\n".join((header, *rows)) + "\n")

    mysapk = [sys.executable, "-m", "app"]
    for command in (
        ["db", "upgrade"],
        ["import-instansi", f"{folder}/instansi.csv"],
        ["import-pegawai", f"{folder}/pegawai.csv"],
    ):
        subprocess.run([*mysapk, *command], env=environ, check=True, stdout=subprocess.DEVNULL)
    server = subprocess.Popen([*mysapk, "serve"], env=environ, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if Browser(port).ask("GET", "/readyz")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    main()
