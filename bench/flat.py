"""The portal over a demo, and over the same demo with a million people beside it: nothing may get dearer.

`BENCH_PEOPLE=6000000 BENCH_DATABASE=postgresql python -m bench flat` is the long form. A page of the desk is
measured in this process, on the processor and while it waits for the database. A search that finds nobody in
the demo would be too easy to beat, so a page of a list is compared with the demo's full list.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import select

from app.cli.demo import PASSWORD
from app.models.user import User
from app.runtime.db import reading
from app.wiring import create_app
from app.worker import acts
from app.worker.cleaning import all_chores, one_step
from app.worker.duties import count_everybody
from bench import activation, population
from bench.people import write_instansi, write_staff
from bench.portal import Portal
from bench.sink import running_sink
from config import Settings
from tests.databases import on_server
from tests.postgres_server import throw_away_server

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "1000000"))
DATABASE = os.environ.get("BENCH_DATABASE", "sqlite")
ACTIVATIONS, WARM = 60, 8
_ADMINS = {"admin of an instansi": "198712242011012009", "admin of pusat": "197506302000122011"}
_SARI = "198503122010012001"
_FULL_LIST = "/admin/pegawai"
_PATHS = (
    "/beranda",
    "/akun",
    "/admin/",
    _FULL_LIST,
    "/admin/pegawai?nip=19800315",
    "/admin/pegawai?nip=1980",
    "/admin/pegawai?nama=sri",
    "/admin/pegawai?nama=sri+wahyuni",
    "/admin/pegawai?nama=wahyuni+sri+tri",
    "/admin/pegawai?nama=sri&status=deactivated",
    "/admin/pegawai?nama=sari",
    "/admin/pegawai?nama=tidak+ada",
    "/admin/pegawai?email=sari%40nusajaya.example",
    "/admin/pegawai?status=waiting_approval",
    "/admin/pegawai?status=deactivated&kategori=PPPK",
    "/admin/pegawai?kategori=CPNS&status=active",
    "/admin/pegawai?unit=Unit+7",
    "/admin/pegawai?macet=token",
    "/admin/pegawai?macet=email&kategori=CPNS",
    "/admin/perbaikan-email",
    "/admin/cpns",
    "/admin/instansi",
    "/admin/mandat",
    "/admin/impor",
    "/admin/audit",
    "/admin/audit?jenis=reset",
    f"/admin/audit?nip={_SARI}",
    "/admin/pegawai/{sari}",
    "/metrics",
)
_TIMES = 7


@dataclass(frozen=True)
class Flat:
    """Seconds over the demo, and with everybody beside it, by page of an admin and by chore."""

    pages: dict[str, tuple[float, float]]
    chores: dict[str, tuple[float, float]]
    activation: tuple[float, float]

    @property
    def dearest_page(self) -> tuple[str, float]:
        """The page that costs most beside the demo's, and how much."""
        ratios = {page: after / before for page, (before, after) in self.pages.items()}
        dearest = max(ratios, key=lambda page: ratios[page])
        return dearest, ratios[dearest]


def measure(folder: Path) -> Flat:
    with ExitStack() as stack:
        sink = stack.enter_context(running_sink(folder))
        database = {}
        if DATABASE == "postgresql":
            server = stack.enter_context(throw_away_server())
            on_server(server, "CREATE DATABASE flat")
            database = {"DATABASE_URL": server.format("flat")}
        portal = Portal(folder, PORTAL_ENV="demo", **sink.settings, **database)
        portal.run("demo")
        portal.run("import-instansi", str(write_instansi(folder)))
        found: list[tuple[dict[str, float], dict[str, float], float]] = []
        for people in (range(ACTIVATIONS + WARM), range(ACTIVATIONS + WARM, 2 * (ACTIVATIONS + WARM))):
            if found:
                population.add(portal.environ["DATABASE_URL"], PEOPLE)
                portal.run("audit", "verify")  # seals what is new
            portal.run("import-pegawai", str(write_staff(folder, people)))
            with portal.serving() as served:
                activation.activate(served, sink, people[:WARM])
                each = activation.activate(served, sink, people[WARM:]).cpu_seconds_each
            found.append((dict(_pages(portal.environ)), dict(_chores(portal.environ)), each))
    (pages, chores, each), (more_pages, more_chores, more_each) = found
    return Flat(
        {
            page: (max(pages[page], pages[_full_list(page)]) if _FULL_LIST in page else pages[page], after)
            for page, after in more_pages.items()
        },
        {name: (chores[name], after) for name, after in more_chores.items()},
        (each, more_each),
    )


def _full_list(page: str) -> str:
    return f"{page.partition(':')[0]}: {_FULL_LIST}"


def _pages(environ: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Every page with the shortest time of several tries."""
    app = create_app(Settings.from_env({**environ, "PUBLIC_URL": "http://localhost"}))
    with app.app_context(), reading() as session:
        sari = session.scalars(select(User.id).where(User.nip == _SARI)).one()
    for who, nip in _ADMINS.items():
        client = _logged_in(app.test_client(), nip)
        for path in _PATHS:
            yield f"{who}: {path}", min(_seconds(client, path.format(sari=sari)) for _ in range(_TIMES))


def _chores(environ: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Every chore of the worker when there is little to do, and the count of everybody."""
    app = create_app(Settings.from_env({**environ, "PUBLIC_URL": "http://localhost"}))
    with app.app_context():
        for name, chore in all_chores().items():
            one_step(chore, acts.act())
            start = time.perf_counter()
            one_step(chore, acts.act())
            yield name, time.perf_counter() - start
        start = time.perf_counter()
        count_everybody()
        yield "count everybody", time.perf_counter() - start


def _logged_in(client: FlaskClient, nip: str) -> FlaskClient:
    token = (
        client.get("/login").text.partition('name="csrf_token" type="hidden" value="')[2].partition('"')[0]
    )
    answer = client.post("/login", data={"csrf_token": token, "nip": nip, "password": PASSWORD})
    assert answer.status_code == 303, answer.status_code
    return client


def _seconds(client: FlaskClient, path: str) -> float:
    start = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return time.perf_counter() - start
