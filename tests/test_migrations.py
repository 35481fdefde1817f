"""The schema goes up and down, and is the same as the records say."""

import ast
import re
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from app.runtime import migrations, schema
from config import ROOT

# Older migrations are released already, and mix indexes with other changes
FIRST_THAT_KEEPS_THE_RULE = "0019"


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
    assert schema.look(engine).state is schema.State.CURRENT
    engine.dispose()


def test_revisions_are_numbers_that_grow() -> None:
    """The portal reads them off the names of the files. A number above the newest one belongs to a later
    release: app/runtime/schema.py"""
    assert all(path.name[:4].isdigit() and path.name[4] == "_" for path in migration_files())
    scripts = ScriptDirectory.from_config(migrations.config(""))
    assert scripts.get_heads() == [schema.newest()]
    assert {script.revision for script in scripts.walk_revisions()} == schema._revisions()


def test_migrations_build_no_index_under_the_hands_of_writers() -> None:
    bad = {path.name: indexes_under_lock(path.read_text()) for path in migration_files()}
    assert len([name for name in bad if name >= FIRST_THAT_KEEPS_THE_RULE]) >= 1
    assert not {name: found for name, found in bad.items() if found and name >= FIRST_THAT_KEEPS_THE_RULE}
    assert "create_index on user_account" in bad["0018_spoken_names.py"], "the look sees what it looks for"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("op.create_index('ix_a', 'a', ['b'])", ["create_index on a"]),
        ("op.create_index('ix_a', table_name='a', columns=['b'])", ["create_index on a"]),
        ("op.create_table('a')\n    op.create_index('ix_a', 'a', ['b'])", []),
        ("op.create_unique_constraint('uq_a', 'a', ['b'])", ["create_unique_constraint on a"]),
        (
            "with op.batch_alter_table('a') as batch_op:\n        batch_op.create_index('ix_a', ['b'])",
            ["create_index on a"],
        ),
        ("op.add_column('a', sa.Column('b', sa.Integer(), index=True))", ["index=True"]),
        ("op.execute('CREATE  UNIQUE index ix ON a (b)')", ["CREATE INDEX in words"]),
        ("for name in names:\n        op.create_index(name, table, ['b'])", ["create_index on ?"]),
        ("op.create_index_on_filled_table('ix_a', 'a', ['b'])", []),
        (
            "op.create_index_on_filled_table('ix_a', 'a', ['b'])\n    op.execute('SELECT 1')",
            ["create_index_on_filled_table is not alone"],
        ),
        ("op.drop_index('ix_a', 'a')", []),
    ],
)
def test_the_look_at_indexes_sees_every_way_to_make_one(body: str, found: list[str]) -> None:
    assert indexes_under_lock(f"def upgrade():\n    {body}\n") == found


def migration_files() -> list[Path]:
    return sorted((ROOT / "migrations" / "versions").glob("*.py"))


def indexes_under_lock(source: str) -> list[str]:
    """Calls that would lock out the writers of a table that was there before. `downgrade` is not checked."""
    upgrading = [node for node in ast.parse(source).body if getattr(node, "name", "") != "downgrade"]
    nodes = [node for top in upgrading for node in ast.walk(top)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    tables = {id(call): _table(call, nodes) for call in calls}
    names = {id(call): call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    new = {tables[id(call)] for call in calls if names[id(call)] == "create_table"}
    makers = ("create_index", "create_unique_constraint", "create_exclude_constraint", "create_primary_key")
    found = [
        f"{names[id(call)]} on {tables[id(call)]}"
        for call in calls
        if names[id(call)] in makers and tables[id(call)] not in new
    ]
    for call in calls:
        if names[id(call)] == "add_column":
            words = [word for node in ast.walk(call) if isinstance(node, ast.Call) for word in node.keywords]
            found += [f"{word.arg}=True" for word in words if word.arg in ("index", "unique")]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    found += [
        "CREATE INDEX in words" for words in texts if re.search(r"(?i)create\s+(unique\s+)?index", words)
    ]
    helper = "create_index_on_filled_table"
    if helper in names.values() and {name for call, name in names.items() if name != helper}:
        found.append(f"{helper} is not alone")
    return found


def _table(call: ast.Call, nodes: list[ast.AST]) -> str:
    """The table that a call of Alembic names. It is `?` if the name does not stand in the code."""
    assert isinstance(call.func, ast.Attribute)
    owner, place = call.func.value, 0 if call.func.attr in ("create_table", "batch_alter_table") else 1
    for node in nodes:
        if isinstance(node, ast.With) and isinstance(owner, ast.Name):
            for item in node.items:
                is_this = isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == owner.id
                if is_this and call in ast.walk(node) and isinstance(item.context_expr, ast.Call):
                    return _table(item.context_expr, nodes)
    named = [word.value for word in call.keywords if word.arg == "table_name"]
    table = named[0] if named else call.args[place] if len(call.args) > place else None
    return str(table.value) if isinstance(table, ast.Constant) else "?"
