"""Every table whose keys are members of an enum has an entry for each member.

A new letter, tag or state needs an entry in every table of its enum. Otherwise the first person who has one
gets an accident. These tests find the tables by themselves, so nobody has to list a new one.
"""

import ast
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest
from jinja2 import nodes

import app
from app.models.outbox_mail import Letter
from app.wiring import create_app
from config import ROOT, Settings

TEMPLATES = ROOT / "templates"
# Tables that leave members out, each with the reason why nobody gets an accident.
PARTIAL = {
    "app.flows.imports.run_batch._WAITS": "asked only for a state that is in it",
    "app.blueprints.admin.imports.Progress": "asked with .get for a batch whose worker is at work; the "
    "rest has no word",
    "app.web.asked.read_opened": "asked with .get: of the other reasons the moment is not told",
    "app.mail.delivery._YES": "asked only for the three commands that begin a letter",
    "app.mail.delivery._Talk": "the same three",
}


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(app.__path__, "app."):
        if found.name != "app.__main__":
            yield importlib.import_module(found.name)


MODULES = list(_modules())
ENUMS = {
    value.__name__: value
    for module in MODULES
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, Enum) and value.__module__.startswith("app.")
}


def _kept_tables() -> Iterator[tuple[str, Mapping[object, object]]]:
    """The tables that modules and classes keep under a name. It does not matter how they were made."""
    for module in MODULES:
        owners: list[ModuleType | type] = [
            module,
            *(
                one
                for one in vars(module).values()
                if isinstance(one, type) and one.__module__ == module.__name__
            ),
        ]
        for owner in owners:
            for name, value in vars(owner).items():
                if isinstance(value, Mapping) and value and all(isinstance(key, Enum) for key in value):
                    yield f"{module.__name__}.{name}", value


def _written_tables() -> Iterator[tuple[str, set[str], type[Enum]]]:
    """The tables that are written in the code, also within functions: `{Letter.TOKEN: ..., Letter.BULK_ACT:
    ...}`."""
    for path in sorted(Path(app.__file__).parent.rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for statement in ast.parse(path.read_text()).body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Dict) and (members := _members_in(node)):
                    name, keys = members
                    yield f"{module}.{_name_of(statement)}", keys, ENUMS[name]


def _members_in(table: ast.Dict) -> tuple[str, set[str]] | None:
    keys = [key for key in table.keys if isinstance(key, ast.Attribute) and isinstance(key.value, ast.Name)]
    names = {key.value.id for key in keys if isinstance(key.value, ast.Name)}
    if not keys or len(keys) < len(table.keys) or len(names) != 1 or not names <= ENUMS.keys():
        return None
    return names.pop(), {key.attr for key in keys}


def _name_of(statement: ast.stmt) -> str:
    match statement:
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
            return ast.unparse(target)
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return name
    return f"line {statement.lineno}"


def test_every_table_holds_every_member() -> None:
    lacking = {}
    for where, table in _kept_tables():
        kinds = {type(key) for key in table}
        if missing := {member for kind in kinds for member in kind} - table.keys():  # type: ignore[attr-defined]
            lacking[where] = missing
    for where, keys, kind in _written_tables():
        if missing := {member for member in kind if member.name not in keys}:
            lacking[where] = missing

    assert {where: missing for where, missing in lacking.items() if where not in PARTIAL} == {}
    assert PARTIAL.keys() <= lacking.keys(), "a table that is complete needs no excuse"


def test_the_search_finds_the_tables_that_there_are() -> None:
    """Otherwise the test above could pass because it looks in the wrong place."""
    kept, written = dict(_kept_tables()), {where for where, _, _ in _written_tables()}

    assert {"app.domain.email_warnings._SENTENCES", "app.mail.delivery.PATIENCE"} <= kept.keys()
    assert {
        "app.domain.email_warnings._SENTENCES",
        "app.domain.identity._COLUMNS",
        "app.models.stuck._COLUMNS",
    } <= written
    assert {"Letter", "Tag", "MailState", "BatchState", "ChangeKind", "IdentityCheck"} <= ENUMS.keys()


@pytest.mark.parametrize("kind", ENUMS.values(), ids=list(ENUMS))
def test_what_a_member_says_of_itself_it_can_say(kind: type[Enum]) -> None:
    """Labels, headings and the like are often look-ups in such a table."""
    for member in kind:
        for name, value in vars(kind).items():
            if isinstance(value, property):
                getattr(member, name)


def test_every_letter_has_its_three_templates_and_no_folder_is_left_over() -> None:
    parts = {"subject.txt", "body.txt", "body.html"}
    folders = {
        folder.name: {file.name for file in folder.iterdir()} for folder in (TEMPLATES / "emails").iterdir()
    }

    # What the letters about a correction say when it is not about an email
    of_record = {"record_correction"}
    assert {name: files for name, files in folders.items() if not name.startswith("_")} == dict.fromkeys(
        {letter.value for letter in Letter} | of_record, parts
    )


def test_tables_in_templates_hold_every_member_or_say_what_stands_for_the_rest(tmp_path: Path) -> None:
    """`{'baru': ..., 'diproses': ...}[state]` is an accident for each state that is missing; `.get(state,
    ...)` is not."""
    settings = {
        "PORTAL_ENV": "test",
        "SECRET_KEY": "-" * 32,
        "INSTANCE_PATH": str(tmp_path),
        "DATABASE_URL": "sqlite://",
    }
    jinja = create_app(Settings.from_env(settings)).jinja_env
    seen = 0
    for file in sorted(TEMPLATES.rglob("*.html")) + sorted(TEMPLATES.rglob("*.txt")):
        tree = jinja.parse(file.read_text())
        named = {
            one.target.name: one.node
            for one in tree.find_all(nodes.Assign)
            if isinstance(one.target, nodes.Name)
        }
        for look_up in tree.find_all(nodes.Getitem):
            table = named.get(look_up.node.name) if isinstance(look_up.node, nodes.Name) else look_up.node
            if isinstance(table, nodes.Dict):
                keys = {pair.key.value for pair in table.items if isinstance(pair.key, nodes.Const)}
                about = [
                    {member.value for member in kind}
                    for kind in ENUMS.values()
                    if keys <= {one.value for one in kind}
                ]
                seen += bool(about)
                assert not about or keys in about, f"{file}:{look_up.lineno}"
        for call in tree.find_all(nodes.Call):
            if (
                isinstance(call.node, nodes.Getattr)
                and call.node.attr == "get"
                and isinstance(call.node.node, nodes.Dict)
            ):
                seen += 1
                assert len(call.args) == 2, f"{file}:{call.lineno} says nothing for the rest"
    assert seen >= 5
