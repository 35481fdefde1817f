"""Every rule of the database has one name, the same in the records, on SQLite and on PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from alembic import command
from sqlalchemy import Connection, Inspector, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from app.models import Base
from app.runtime import migrations

DOUBLED = 13  # names, until migration 0019


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_names_are_those_of_the_records_and_none_is_doubled(connection: Connection) -> None:
    schema = None
    if connection.dialect.name == "postgresql":
        schema = "of_the_records"
        connection.execute(text(f"CREATE SCHEMA {schema}"))
        Base.metadata.create_all(connection.execution_options(schema_translate_map={None: schema}))
        of_the_records = names(inspect(connection), schema)
    else:
        made = create_engine("sqlite://")
        Base.metadata.create_all(made)
        of_the_records = names(inspect(made))
        made.dispose()

    migrated = names(inspect(connection))

    assert {name for name in migrated if name[1] != "alembic_version"} == of_the_records
    assert len(of_the_records) > 150
    assert not doubled(migrated)


def test_the_names_go_back_and_come_again(database_url: str, connection: Connection) -> None:
    config = migrations.config(database_url)

    command.downgrade(config, "0018")
    assert len(doubled(names(inspect(connection)))) == DOUBLED
    connection.rollback()

    command.upgrade(config, "0019")
    assert not doubled(names(inspect(connection)))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_keeps_its_tables_whole_and_its_rules_at_work(database_url: str) -> None:
    config, file = migrations.config(database_url), str(make_url(database_url).database)
    with closing(sqlite3.connect(file)) as open_all_the_while:
        command.downgrade(config, "0019")
        before = open_all_the_while.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        command.downgrade(config, "0018")
        assert (
            open_all_the_while.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
            != before
        )
        command.upgrade(config, "0019")
        assert (
            open_all_the_while.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
            == before
        )
        assert open_all_the_while.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_rule_is_named_when_it_is_broken(connection: Connection) -> None:
    words = text("INSERT INTO audit_head (id, seal_no, seal, mark) VALUES (2, 0, '', '')")

    with pytest.raises(IntegrityError, match=r"\Wck_audit_head_one_row\b"):
        connection.execute(words)


def names(found: Inspector, schema: str | None = None) -> set[tuple[str, str, str | None]]:
    """Kind, table and name of every constraint and index, and the condition of every partial index."""
    every: set[tuple[str, str, str | None]] = set()
    for table in found.get_table_names(schema):
        every.add(("pk", table, found.get_pk_constraint(table, schema)["name"]))
        every |= {("ck", table, one["name"]) for one in found.get_check_constraints(table, schema)}
        every |= {("uq", table, one["name"]) for one in found.get_unique_constraints(table, schema)}
        every |= {("fk", table, one["name"]) for one in found.get_foreign_keys(table, schema)}
        every |= {("ix", table, one["name"]) for one in found.get_indexes(table, schema)}
        every |= {
            ("only", table, f"{one['name']} {where}")
            for one in found.get_indexes(table, schema)
            for option, where in one.get("dialect_options", {}).items()
            if option.endswith("_where")
        }
    return every


def doubled(every: set[tuple[str, str, str | None]]) -> set[str]:
    return {
        name for kind, table, name in every if name and name.startswith(f"{kind}_{table}_{kind}_{table}_")
    }
