"""A portal for each test: its own database (SQLite, and PostgreSQL too for everything that talks to one),
people, mail."""

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import psycopg
import pytest
from argon2 import low_level
from argon2.exceptions import VerifyMismatchError
from flask import Flask
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.engine import make_url
from werkzeug.routing import Rule

from app import create_app
from app.cli import demo
from app.domain.indonesian_time import now
from app.runtime import migrations
from app.runtime.db import engine, unit_of_work
from app.security import passwords
from config import Settings
from tests.inbox import Inbox
from tests.postgres_server import NoPostgres, throw_away_server
from tests.visitor import Visitor

# HYPOTHESIS_PROFILE=soak looks much longer for an example that breaks a rule; `make soak` does so with the
# state machines.
settings.register_profile("test", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))

SECRET_KEY = "a key for tests only, of no use elsewhere"
_numbers = count(1)
_kept = TemporaryDirectory(prefix="templates-")
# Else every test's own portal would compile its pages anew
COMPILED_TEMPLATES = FileSystemBytecodeCache(_kept.name)

# Nor its addresses: what builds an address is the same in every portal.
_compiled: dict[tuple[object, ...], object] = {}
_compile_builder = Rule._compile_builder


def _compile_once(rule: Rule, append_unknown: bool = True) -> object:  # noqa: FBT001 (as it is called)
    kinds = tuple(sorted((name, type(converter)) for name, converter in rule._converters.items()))
    key = (rule.rule, append_unknown, repr(rule.defaults), repr(kinds), rule.subdomain, rule.host)
    if key not in _compiled:
        _compiled[key] = _compile_builder(rule, append_unknown)
    return _compiled[key]


Rule._compile_builder = _compile_once  # type: ignore[method-assign,assignment]

# A hash is as dear as in production. The same password against the same hash is tried once in each process.
_tried: dict[tuple[bytes, bytes, low_level.Type], VerifyMismatchError | None] = {}
_verify_secret = low_level.verify_secret


def _verify_once(hash: bytes, secret: bytes, type: low_level.Type) -> Literal[True]:
    if (hash, secret, type) not in _tried:
        try:
            _verify_secret(hash, secret, type)
            _tried[hash, secret, type] = None
        except VerifyMismatchError as wrong:
            _tried[hash, secret, type] = wrong
    if wrong_once := _tried[hash, secret, type]:
        raise VerifyMismatchError(*wrong_once.args)
    return True


low_level.verify_secret = _verify_once

MakeApp = Callable[..., Flask]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A running throw-away server with a migrated template database."""
    try:
        with throw_away_server() as url:
            _on_server(url, "CREATE DATABASE portal_template")
            migrations.upgrade(url.format("portal_template"))
            yield url
    except NoPostgres as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrations.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of the test's own."""
    if request.param == "sqlite":
        file = tmp_path / "portal.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    server, name = request.getfixturevalue("postgres"), f"portal_{next(_numbers)}"
    _on_server(server, f"CREATE DATABASE {name} TEMPLATE portal_template", since_15="STRATEGY FILE_COPY")
    yield server.format(name)
    _on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def make_app(database_url: str, tmp_path: Path) -> Iterator[MakeApp]:
    """Make the portal with other settings: make_app(TOKEN_LIFETIME_MINUTES="5")."""
    made: list[Flask] = []

    def make(**environ: str) -> Flask:
        usual = {
            "PORTAL_ENV": "test",
            "DATABASE_URL": database_url,
            "SECRET_KEY": SECRET_KEY,
            "PUBLIC_URL": "http://localhost",
            "INSTANCE_PATH": str(tmp_path / "instance"),
        }
        app = create_app(Settings.from_env({**usual, **environ}))
        app.jinja_env.bytecode_cache = COMPILED_TEMPLATES
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            engine().dispose()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The portal with its usual settings and an empty database."""
    return make_app()


@pytest.fixture(scope="session")
def password_hash() -> str:
    return passwords.hashed(demo.PASSWORD)


@pytest.fixture
def peopled(app: Flask, password_hash: str) -> Flask:
    """The portal with the whole cast in it."""
    people(app, password_hash)
    return app


def people(app: Flask, password_hash: str) -> None:
    with app.app_context(), unit_of_work() as session:
        demo.load(session, password_hash, now())


@pytest.fixture
def inbox(peopled: Flask) -> Inbox:
    return Inbox(peopled)


@pytest.fixture
def visitor(peopled: Flask) -> Visitor:
    """A browser that has never been here."""
    return Visitor(peopled)


def _on_server(url: str, statement: str, since_15: str = "") -> None:
    """`since_15` is added where the server knows it: copied as files, a database is there in half the
    time."""
    parts = make_url(url.format("postgres"))
    with psycopg.connect(
        host=str(parts.query["host"]), user=parts.username, dbname="postgres", autocommit=True
    ) as connection:
        knows_it = connection.info.server_version >= 150_000
        connection.execute(f"{statement} {since_15 if knows_it else ''}")
