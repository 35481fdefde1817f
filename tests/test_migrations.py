"""The schema goes up and down, and says what the records say."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect

from app.runtime import migrations
from config import ROOT


def test_all_migrations_go_down_and_up_again(database_url: str) -> None:
    config = migrations.config(database_url)

    command.downgrade(config, "base")
    engine = create_engine(database_url)
    assert inspect(engine).get_table_names() == ["alembic_version"]

    command.upgrade(config, "head")
    assert "user_account" in inspect(engine).get_table_names()
    engine.dispose()


def test_the_records_need_no_migration_that_is_missing(database_url: str) -> None:
    command.check(migrations.config(database_url))


@pytest.mark.parametrize("times", [2])
def test_upgrading_again_changes_nothing(database_url: str, times: int) -> None:
    for _ in range(times):
        migrations.upgrade(database_url)

    engine = create_engine(database_url)
    assert migrations.look(engine).state is migrations.State.CURRENT
    engine.dispose()


def test_revisions_are_numbers_that_grow() -> None:
    """What is higher than the newest is a later release's: app/runtime/migrations.py"""
    assert all(path.name[:4].isdigit() and path.name[4] == "_" for path in migration_files())
    head, known = migrations._releases()
    assert head == max(known)
    assert known == {path.name[:4] for path in migration_files()}


def migration_files() -> list[Path]:
    return sorted((ROOT / "migrations" / "versions").glob("*.py"))
