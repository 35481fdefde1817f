"""Expand, deploy, contract: a release works with a newer schema, and does not start on an older one."""

from pathlib import Path

import pytest
from alembic import command
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from app.cli import serve as serving
from app.domain.contact import Contact
from app.domain.indonesian_time import Zone
from app.models import Instansi
from app.runtime import migrations
from app.runtime.db import engine, reading
from app.runtime.schema import Schema, State, look, newest
from tests.later_release import LaterRelease

ADDS_A_COLUMN = "op.add_column('instansi', sa.Column('motto', sa.String(length=20), nullable=True))"
PENDING = "migrations pending, run: mysapk db upgrade"
STRANGE = "the schema is at 0013, which is of no release of this portal; look at DATABASE_URL"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands note here what they would have started, and do not start it."""
    done: list[str] = []
    monkeypatch.setattr(serving, "run_web", lambda *_, **__: done.append("serve"))
    monkeypatch.setattr("app.worker.loop.work", lambda *_: done.append("worker"))
    monkeypatch.setattr("app.cli.serve.signal.signal", lambda *_: None)
    return done


def test_a_release_goes_on_over_a_newer_schema(peopled: Flask, tmp_path: Path, started: list[str]) -> None:
    with LaterRelease(tmp_path, ADDS_A_COLUMN) as release:
        assert mysapk(peopled, "db", "upgrade").output == "Skema database mutakhir.\n"
    (revision,) = release.revisions

    again = mysapk(peopled, "db", "upgrade")
    assert (again.exit_code, again.output) == (
        0,
        f"Skema database ({revision}) lebih baru daripada rilis ini; tidak ada yang diubah.\n",
    )
    assert schema(peopled) == Schema(State.NEWER, revision)
    assert peopled.test_client().get("/readyz").text == "ok\n"
    said = (
        f"warning: migrations: those of this release and newer ones, up to {revision}; install the "
        "newer release here too"
    )
    assert said in mysapk(peopled, "check").output.splitlines()
    assert [mysapk(peopled, name).exit_code for name in ("serve", "worker")] == [0, 0]
    assert started == ["serve", "worker"]


def test_a_release_does_not_start_on_an_older_schema(
    app: Flask, database_url: str, started: list[str]
) -> None:
    command.downgrade(migrations.config(database_url), "0018")

    assert schema(app) == Schema(State.OLDER, "0018")
    assert app.test_client().get("/readyz").status_code == 503
    assert f"fault: {PENDING}" in mysapk(app, "check").output.splitlines()
    for name in ("serve", "worker"):
        refused = mysapk(app, name)
        assert (refused.exit_code, refused.output) == (1, f"Error: {PENDING}\n")
    assert not started

    assert mysapk(app, "db", "upgrade").exit_code == 0
    assert schema(app) == Schema(State.CURRENT, newest())


def test_the_release_before_the_fields_of_a_contact_goes_on_over_this_schema(
    app: Flask, database_url: str
) -> None:
    config = migrations.config(database_url)
    row = "INSERT INTO instansi (code, name, helpdesk_contact) VALUES (:code, :name, :words)"
    kept = {"code": "7301", "name": "Kabupaten Rekaan", "words": "Loket 3, telepon 0411-555017"}
    command.downgrade(config, "0022")
    with app.app_context(), engine().begin() as connection:
        connection.execute(text(row), kept)

    command.upgrade(config, "head")
    with app.app_context(), engine().begin() as connection:
        connection.execute(text(row), {"code": "3402", "name": "Kementerian Rekaan", "words": "Biro"})
        connection.execute(text("UPDATE instansi SET helpdesk_contact = 'Loket 4' WHERE code = '7301'"))

    with app.app_context(), reading() as session:
        found = {one.code: (one.contact, one.zone) for one in Instansi.all(session)}
    assert found == {
        "7301": (Contact(words="Loket 4"), Zone.WITA),
        "3402": (Contact(words="Biro"), Zone.WIB),
    }


def test_a_schema_of_nobody_is_left_alone(app: Flask, started: list[str]) -> None:
    with app.app_context(), engine().begin() as connection:
        # A number that was never given
        connection.execute(text("UPDATE alembic_version SET version_num = '0013'"))

    assert schema(app).state is State.FOREIGN
    assert f"fault: {STRANGE}" in mysapk(app, "check").output.splitlines()
    for words in (["serve"], ["worker"], ["db", "upgrade"]):
        refused = mysapk(app, *words)
        assert (refused.exit_code, refused.output) == (1, f"Error: {STRANGE}\n")
    assert not started
    assert schema(app).state is State.FOREIGN


def mysapk(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def schema(app: Flask) -> Schema:
    with app.app_context():
        return look(engine())
