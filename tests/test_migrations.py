"""The schema goes up and down, and says what the records say."""

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect

from app.runtime import migrations


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
    assert migrations.is_at_head(engine)
    engine.dispose()
