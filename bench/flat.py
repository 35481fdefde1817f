"""The portal over a demo, and over another demo with a million people beside it: nothing may get dearer.

`BENCH_PEOPLE=6000000 BENCH_DATABASE=postgresql python -m bench flat` is the long form. Both run at the same
time and take turns, so that whatever else the machine does meets both. Counted is processor time: for a page
of the desk and a chore that of the portal and of the database together, for an activation that of web and
worker. A search that finds nobody in the demo would be too easy to beat, so a page of a list is compared with
the demo's full list.
"""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.engine import make_url

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
from bench.processes import exact_cpu_seconds
from bench.sink import Sink, running_sink
from config import Settings
from tests.databases import on_server
from tests.postgres_server import throw_away_server

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "1000000"))
DATABASE = os.environ.get("BENCH_DATABASE", "sqlite")
WARM, ROUNDS, EACH_TIME = 8, 6, 16
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
    "/admin/pegawai?macet=tanpa-email",
    "/admin/pegawai?macet=password",
    "/admin/sekaligus",
    "/admin/perbaikan-email",
    "/admin/perbaikan-email?umur=lewat",
    "/admin/perbaikan-email?peringatan=berat",
    "/admin/perbaikan-email?cari=sri",
    "/admin/cpns",
    "/admin/instansi",
    "/admin/mandat",
    "/admin/mandat?cari=sari",
    "/admin/mandat?cari=1980",
    "/admin/mandat?cari=zzz",
    "/admin/mandat?cari=199912312020011999",
    "/admin/impor",
    "/admin/audit",
    "/admin/audit?jenis=reset",
    f"/admin/audit?nip={_SARI}",
    "/admin/pegawai/{sari}",
    "/metrics",
)
_TIMES = 12


@dataclass(frozen=True)
class Flat:
    """Processor seconds over the demo, and with everybody beside it, by page of an admin and by chore."""

    pages: dict[str, tuple[float, float]]
    chores: dict[str, tuple[float, float]]
    activation: tuple[float, float]

    @property
    def dearest_page(self) -> tuple[str, float]:
        """The page that costs most beside the demo's, and how much."""
        ratios = {page: after / before for page, (before, after) in self.pages.items()}
        dearest = max(ratios, key=lambda page: ratios[page])
        return dearest, ratios[dearest]


class Clock:
    """The processor time of this process, and of the database server if there is one."""

    def __init__(self, server: str | None) -> None:
        place = make_url(server).query["host"] if server else None
        self._server = int(Path(f"{place}/data/postmaster.pid").read_text().split()[0]) if place else None

    def seconds(self, act: Callable[[], object]) -> float:
        start = self._so_far()
        act()
        return self._so_far() - start

    def _so_far(self) -> float:
        return time.process_time() + (exact_cpu_seconds(self._server) if self._server else 0.0)


def measure(folder: Path) -> Flat:
    with ExitStack() as stack:
        server = stack.enter_context(throw_away_server()) if DATABASE == "postgresql" else None
        sinks = dict[Portal, Sink]()
        for name in ("demo", "many"):
            (folder / name).mkdir()
            sink = stack.enter_context(running_sink(folder / name))
            sinks[_prepared(folder / name, sink, server)] = sink
        demo, many = sinks
        population.add(many.environ["DATABASE_URL"], PEOPLE)
        many.run("audit", "verify")  # seals what is new
        clock = Clock(server)
        return Flat(_pages(demo, many, clock), _chores(demo, many, clock), _activations(sinks))


def _prepared(folder: Path, sink: Sink, server: str | None) -> Portal:
    database = {}
    if server:
        on_server(server, f"CREATE DATABASE {folder.name}")
        database = {"DATABASE_URL": server.format(folder.name)}
    portal = Portal(folder, PORTAL_ENV="demo", **sink.settings, **database)
    portal.run("demo")
    portal.run("import-instansi", str(write_instansi(folder)))
    portal.run("import-pegawai", str(write_staff(folder, range(WARM + ROUNDS * EACH_TIME))))
    return portal


def _activations(sinks: dict[Portal, Sink]) -> tuple[float, float]:
    demo, many = sinks
    rounds = [range(first, first + EACH_TIME) for first in range(WARM, WARM + ROUNDS * EACH_TIME, EACH_TIME)]
    with demo.serving() as on_demo, many.serving() as on_many:
        for served, sink in zip((on_demo, on_many), sinks.values(), strict=True):
            activation.activate(served, sink, range(WARM))
        spent = [
            [
                activation.activate(served, sink, people).cpu_seconds_each
                for served, sink in zip((on_demo, on_many), sinks.values(), strict=True)
            ]
            for people in rounds
        ]
    each, more_each = (mean(times) for times in zip(*spent, strict=True))
    return each, more_each


def _pages(demo: Portal, many: Portal, clock: Clock) -> dict[str, tuple[float, float]]:
    """Every page with the shortest time of several tries, over the demo and with everybody beside it."""
    apps = [_app(portal) for portal in (demo, many)]
    found = {}
    for who, nip in _ADMINS.items():
        clients = [_logged_in(app.test_client(), nip) for app in apps]
        for path in _PATHS:
            paths = [path.format(sari=_id_of_sari(app)) for app in apps]
            tries = [
                [
                    clock.seconds(partial(_open, client, path))
                    for client, path in zip(clients, paths, strict=True)
                ]
                for _ in range(_TIMES)
            ]
            on_demo, on_many = (min(times) for times in zip(*tries, strict=True))
            found[f"{who}: {path}"] = (on_demo, on_many)
    full_list = {page: found[f"{page.partition(':')[0]}: {_FULL_LIST}"][0] for page in found}
    return {
        page: (max(on_demo, full_list[page]) if _FULL_LIST in page else on_demo, on_many)
        for page, (on_demo, on_many) in found.items()
    }


def _app(portal: Portal) -> Flask:
    return create_app(Settings.from_env({**portal.environ, "PUBLIC_URL": "http://localhost"}))


def _id_of_sari(app: Flask) -> int:
    with app.app_context(), reading() as session:
        return session.scalars(select(User.id).where(User.nip == _SARI)).one()


def _chores(demo: Portal, many: Portal, clock: Clock) -> dict[str, tuple[float, float]]:
    """Every chore of the worker when there is little to do, and the count of everybody."""
    on_demo, on_many = dict[str, float](), dict[str, float]()
    for portal, found in ((demo, on_demo), (many, on_many)):
        with _app(portal).app_context():
            for name, chore in all_chores().items():
                one_step(chore, acts.act())
                found[name] = clock.seconds(partial(one_step, chore, acts.act()))
            found["count everybody"] = clock.seconds(count_everybody)
    return {name: (on_demo[name], on_many[name]) for name in on_demo}


def _logged_in(client: FlaskClient, nip: str) -> FlaskClient:
    token = (
        client.get("/login").text.partition('name="csrf_token" type="hidden" value="')[2].partition('"')[0]
    )
    answer = client.post("/login", data={"csrf_token": token, "nip": nip, "password": PASSWORD})
    assert answer.status_code == 303, answer.status_code
    return client


def _open(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
