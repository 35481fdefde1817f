"""Whether the time of a refusal tells what is behind a NIP.

The groups must not be told apart by their time. They are asked in turns, round after round, and the processor
time is measured. Two of the groups are equal: how far they differ by chance is the measure for all others. A
ratio of a few is noise; a ratio that grows with the number of rounds is a leak.
"""

import gc
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from app.cli import demo
from app.domain.indonesian_time import now
from app.domain.old_hash import OldHash, Recipe, Scheme
from app.domain.reset_secret import new_reference, new_row_key
from app.models import ResetRequest, User
from app.models.guess_bucket import GuessBucket
from app.models.throttle_bucket import ThrottleBucket
from app.runtime import migrations
from app.runtime.db import engine, unit_of_work
from app.security import old_schemes, passwords
from app.wiring import create_app
from bench.results import Figure
from config import Settings

TOKEN_ROUNDS, LOGIN_ROUNDS, OLD_HASH_ROUNDS = 100, 60, 30
_CSRF = re.compile(r'name="csrf_token" type="hidden" value="([^"]+)"')
NOBODY = ("197001011995011999", "197001011995011988")
EQUAL = "nobody, once more"


@dataclass(frozen=True)
class Group:
    name: str
    nip: str


@dataclass(frozen=True)
class Apart:
    """How far a group is from the first one: in seconds of processor time, and as a multiple of the chance
    difference between equal groups."""

    name: str
    seconds: float
    ratio: float


def measure() -> dict[str, list[Apart]]:
    """The results, by what was refused."""
    with tempfile.TemporaryDirectory() as folder:
        app = _portal(Path(folder))
        active, never_set, deactivated, cpns = (_nip_of(name) for name in ("Sari", "Budi", "Tono", "Cinta"))
        pppk, ppt = _nip_of("Dewi"), _nip_of("Hadi")
        _ask(app, never_set, 1)
        _ask(app, pppk, 5, is_over=True)
        _ask(app, ppt, 25, is_over=True)
        tokens = [
            *_nobodies(),
            Group("never asked", active),
            Group("one live token", never_set),
            Group("five used ones", pppk),
            Group("twenty-five used ones", ppt),
        ]
        logins = [
            *_nobodies(),
            Group("active", active),
            Group("never set a password", never_set),
            Group("deactivated", deactivated),
            Group("CPNS", cpns),
        ]
        found = {
            "a wrong token": _compare(app, tokens, _guess_token, TOKEN_ROUNDS),
            "a wrong password": _compare(app, logins, _guess_password, LOGIN_ROUNDS),
        }
        _import_hash(app, deactivated, 5)
        _import_hash(app, active, 8)
        logins = [
            *_nobodies(),
            Group("imported, bcrypt 5", deactivated),
            Group("imported, bcrypt 8", active),
            Group("own hash", pppk),
        ]
        found["a wrong password, hashes imported"] = _compare(app, logins, _guess_password, OLD_HASH_ROUNDS)
        with app.app_context():
            engine().dispose()
    return found


def figures(found: dict[str, list[Apart]]) -> list[Figure]:
    """How far from a NIP of nobody; in brackets as a multiple of what equal groups lie apart by chance."""
    return [
        Figure(f"{what}: {group.name}", f"{group.seconds * 1e6:+.0f} us ({group.ratio:.1f})")
        for what, groups in found.items()
        for group in groups
    ]


def _compare(
    app: Flask, groups: Sequence[Group], guess: Callable[[FlaskClient, str, str], None], rounds: int
) -> list[Apart]:
    """All groups are asked once in each round, every time in another order. The medians of the differences
    within a round are compared."""
    client = app.test_client()
    page = client.get("/konfirmasi-reset-password").text
    found = _CSRF.search(page)
    assert found
    times: dict[str, list[float]] = {group.name: [] for group in groups}
    for number in range(-5, rounds):  # the first few rounds warm up
        _forget_tries(app)
        gc.collect()
        for group in random.sample(groups, len(groups)):
            gc.disable()
            start = time.process_time()
            guess(client, group.nip, found[1])
            spent = time.process_time() - start
            gc.enable()
            if number >= 0:
                times[group.name].append(spent)
    first, equal = times[groups[0].name], times[EQUAL]
    chance = [one - other for one, other in zip(equal, first, strict=True)]
    middle = statistics.median(chance)
    # The spread of such a median
    spread = 1.4826 * statistics.median(abs(one - middle) for one in chance) * 1.2533 / rounds**0.5
    apart = []
    for group in groups[1:]:
        seconds = statistics.median(one - other for one, other in zip(times[group.name], first, strict=True))
        apart.append(Apart(group.name, seconds, abs(seconds) / spread))
    return apart


def _guess_token(client: FlaskClient, nip: str, csrf: str) -> None:
    fields = {"csrf_token": csrf, "nip": nip, "token": "WDJB-MJHT", "password": "Kuda-Laut7"}
    assert client.post("/reset-password", data=fields).status_code == 422


def _guess_password(client: FlaskClient, nip: str, csrf: str) -> None:
    assert (
        client.post("/login", data={"csrf_token": csrf, "nip": nip, "password": "Salah-Sekali-1"}).status_code
        == 422
    )


def _nobodies() -> list[Group]:
    return [Group("nobody", NOBODY[0]), Group(EQUAL, NOBODY[1])]


def _nip_of(first_name: str) -> str:
    return next(person.nip for person in demo.CAST if person.name.startswith(first_name))


def _portal(folder: Path) -> Flask:
    environ = {
        "PORTAL_ENV": "test",
        "DATABASE_URL": f"sqlite:///{folder}/portal.db",
        "INSTANCE_PATH": str(folder / "instance"),
        "PUBLIC_URL": "http://localhost",
        "ADDRESS_LIMITS": "off",
    }
    settings = Settings.from_env(environ)
    migrations.upgrade(settings.database_url)
    app = create_app(settings)
    with app.app_context(), unit_of_work() as session:
        demo.load(session, passwords.hashed(demo.PASSWORD), now())
    return app


def _ask(app: Flask, nip: str, count: int, *, is_over: bool = False) -> None:
    """`count` tokens were handed over to this person."""
    with app.app_context(), unit_of_work() as session:
        owner = session.scalars(select(User).where(User.nip == nip)).one()
        for number in range(count):
            session.add(
                ResetRequest(
                    reference=new_reference(), key=new_row_key(), submission=f"{nip}-{number}", nip=nip,
                    typed_email="orang@contoh.example", user_id=owner.id,
                    credential_version=owner.credential_version,
                    asked_at=now(), mailed_at=now(), expires_at=now() + timedelta(hours=1),
                    client_address="-",
                    used_at=now() if is_over else None,
                )
            )  # fmt: skip


def _import_hash(app: Flask, nip: str, cost: int) -> None:
    recipe = Recipe(Scheme.BCRYPT, cost, "." * 22)
    old = OldHash(recipe, old_schemes.checksum(demo.PASSWORD, recipe, {}))
    with app.app_context(), unit_of_work() as session:
        user = session.scalars(select(User).where(User.nip == nip)).one()
        user.keep_hash(old.kept_as(passwords.hashed(old.checksum)))


def _forget_tries(app: Flask) -> None:
    with app.app_context(), unit_of_work() as session:
        session.execute(delete(ThrottleBucket))
        session.execute(delete(GuessBucket))
