"""A portal for each test, with its own database, people and mail. A test that uses a database runs on SQLite
and on PostgreSQL."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import Phase, settings

from app.cli import demo
from app.domain.indonesian_time import now
from app.runtime import db, migrations, watched_postgres
from app.runtime.db import engine, unit_of_work
from app.security import passwords
from app.wiring import create_app
from config import Settings
from tests.browser.chromium import NoChromium
from tests.databases import (
    PostgresDatabase,
    SqliteDatabase,
    cases_for_the_other_database,
    first_cases,
    give_back,
    lent_engine,
    on_server,
    prepare_template,
)
from tests.inbox import Inbox
from tests.loaded_cast import load_cast
from tests.made_once import (
    compile_templates_once,
    import_without_collecting,
    keep_what_is_imported,
    make_once,
    work_in_memory,
)
from tests.postgres_server import NoPostgres, throw_away_server
from tests.visitor import Visitor

# HYPOTHESIS_PROFILE=machines makes Hypothesis look much longer for an example that breaks a rule: `make
# machines`. HYPOTHESIS_PROFILE=few makes a test short, and the same each time: `make mutants` runs it
# hundreds of times.
settings.register_profile("test", deadline=None)
settings.register_profile("machines", deadline=None, max_examples=2000, print_blob=True)
settings.register_profile(
    "few",
    deadline=None,
    max_examples=20,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # whichever example fails, the change is noticed
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))

SECRET_KEY = "a key for tests only, of no use elsewhere"
import_without_collecting()
work_in_memory()
make_once()
db.create_engine = lent_engine  # type: ignore[assignment,attr-defined]
# The machines that test are so busy that a server which works can be silent for a second
watched_postgres.IN_A_REQUEST = watched_postgres.ELSEWHERE


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-case-on-both",
        action="store_true",
        help="Run each case of a walk on SQLite and on PostgreSQL.",
    )
    parser.addoption(
        "--first-cases",
        action="store_true",
        help="Leave long files out, and of each test of a flow run only the first case, on SQLite.",
    )


def _place(item: pytest.Item) -> int:
    file = item.nodeid.partition("::")[0]
    return LONG_FILES.index(file) if file in LONG_FILES else len(LONG_FILES)


def _is_long(item: pytest.Item) -> bool:
    return _place(item) < len(LONG_FILES)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test meets both databases. A test of many cases runs each case on one of them, in turn: two walks
    over the same cases cost twice as much and find the same. Long files begin first."""
    items.sort(key=_place)
    if config.getoption("--every-case-on-both"):
        return
    if config.getoption("--first-cases"):
        left_out = set(items) - set(first_cases([item for item in items if not _is_long(item)]))
    else:
        left_out = set(cases_for_the_other_database(items))
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    keep_what_is_imported()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line tells how many tests of the browser did not run, and what they need."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    skipped = reporter.stats.get("skipped", [])
    if missing := sum(NoChromium.HOW_TO_GET_IT in str(report.longrepr) for report in skipped):
        reporter.write_line(f"{missing} tests of the browser were skipped: {NoChromium.HOW_TO_GET_IT}")


MakeApp = Callable[..., Flask]

# Files that take some ten seconds or more, working or waiting, the longest first. If one began late, it would
# run on alone.
LONG_FILES = (
    "tests/faults/test_soak.py",
    "tests/browser/test_every_page.py",
    "tests/browser/test_app_weight.py",
    "tests/browser/test_session_end.py",
    "tests/faults/test_processes.py",
    "tests/browser/test_correction.py",
    "tests/flows/correction/test_correction_attacks.py",
    "tests/browser/test_app_install.py",
    "tests/faults/test_cluster.py",
    "tests/flows/attacks/test_desk_attacks.py",
    "tests/faults/test_mail_faults.py",
    "tests/browser/test_twice_and_back.py",
    "tests/faults/test_delivery.py",
    "tests/flows/imports/test_admin_import.py",
    "tests/flows/imports/test_take_back.py",
    "tests/flows/identity/test_identity_gate.py",
    "tests/browser/test_activation.py",
    "tests/flows/attacks/test_throttles.py",
    "tests/flows/correction/test_correction_asked.py",
    "tests/browser/test_help_of_the_script.py",
    "tests/flows/attacks/test_same_answer.py",
    "tests/browser/test_keyboard.py",
    "tests/flows/attacks/test_rows_of_strangers.py",
    "tests/faults/test_bounces.py",
    "tests/unit/files/test_arriving_tables.py",
    "tests/test_upgrade.py",
    "tests/flows/people/test_people_scale.py",
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresDatabase]:
    """A database on a throw-away server that is running."""
    try:
        with throw_away_server() as server:
            on_server(server, f"CREATE DATABASE {PostgresDatabase.TEMPLATE}")
            migrations.upgrade(server.format(PostgresDatabase.TEMPLATE))
            prepare_template(server)
            database = PostgresDatabase(server)
            yield database
            database.drop()
    except NoPostgres as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrations.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def sqlite(sqlite_template: Path) -> SqliteDatabase:
    return SqliteDatabase(sqlite_template, sqlite_template.parent)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database, which only this test uses until it ends."""
    database = request.getfixturevalue("sqlite" if request.param == "sqlite" else "postgres")
    return str(database.emptied())


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
        compile_templates_once(app)
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            give_back(engine())


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
        load_cast(session, password_hash, now())


@pytest.fixture
def inbox(peopled: Flask) -> Inbox:
    return Inbox(peopled)


@pytest.fixture
def visitor(peopled: Flask) -> Visitor:
    """A browser that has never been here."""
    return Visitor(peopled)
