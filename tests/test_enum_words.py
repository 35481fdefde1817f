"""People read the label of a member of an enum, never the stored value.

Each enum of the portal is checked. Either it has labels, or it is listed below with the reason why nobody
reads it.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from jinja2 import nodes
from sqlalchemy.orm import Mapped

import app
from app.domain.labelled import Labelled
from app.wiring import create_app
from config import ROOT, Settings

TEMPLATES = ROOT / "templates"
NEVER_SHOWN = {
    "app.blueprints.admin.corrections_bulk.WhyStillOpen": "a whole sentence tells it: `.sentence`",
    "app.domain.email_warnings.Weight": "decides what has to be acknowledged",
    "app.domain.identity.Course": "decides what happens next; the pages tell what that is",
    "app.domain.mail_domains.DomainClass": "labels a metric",
    "app.domain.old_hash.Scheme": "names how an old password was hashed, for the code that reads it",
    "app.domain.person_name.Likeness": "leads to a warning, which has the words",
    "app.files.seen_values.Kind": "keeps values of a file apart",
    "app.flows.cpns.cpns_verdict.Ending": "the page has a sentence for each, with names and moments in it",
    "app.mail.outcomes.Phase": "tells the code where a talk with a mail server broke off",
    "app.mail.outcomes.RefusalScope": "tells the code which letters wait",
    "app.models.noted.Noted": "tells the code what to count",
    "app.models.outbox_mail.Urgency": "orders the letters",
    "app.runtime.schema.State": "`Schema.why_not` tells the operator what to do",
    "app.runtime.tally.Kind": "tells the code how numbers are added up",
    "app.web.sessions.SessionOver": "the login page has a sentence for each, with numbers in it",
    "app.security.sealing.Why": "stands in the log alone, as an English sentence",
}
# These are not members of an enum with labels, although they have such a name: a colour, and fields of forms.
OTHERS = {
    "pdm.kind",
    "portal_state.kind",
    "mails.kind",
    "state.kind",
    "approval.identity_check",
    "form.identity_check",
    "form.kind",
}


def _modules() -> Iterator[object]:
    for found in pkgutil.walk_packages(app.__path__, "app."):
        if found.name != "app.__main__":
            yield importlib.import_module(found.name)


MODULES = list(_modules())
CLASSES = {
    f"{one.__module__}.{one.__name__}": one
    for module in MODULES
    for one in vars(module).values()
    if isinstance(one, type) and one.__module__.startswith("app.")
}
ENUMS = {name: one for name, one in CLASSES.items() if issubclass(one, Enum) and one is not Labelled}


@pytest.mark.parametrize("name", ENUMS)
def test_every_enum_has_labels_or_is_never_shown(name: str) -> None:
    kind = ENUMS[name]

    if name in NEVER_SHOWN:
        assert not issubclass(kind, Labelled), "it has labels, so it needs no excuse"
        return
    assert issubclass(kind, Labelled), "give it labels, or say above why nobody reads it"
    labels = [member.label for member in kind]
    assert all(label == label.strip() != "" for label in labels)
    assert len(set(labels)) == len(labels), "two members look the same"


def test_the_walk_finds_the_enums_that_there_are() -> None:
    assert NEVER_SHOWN.keys() <= ENUMS.keys()
    assert {
        "app.models.audit_event.Tag",
        "app.models.mail_fault.MailFaultKind",
        "app.security.sealing.TrailFaultKind",
        "app.models.stuck.Stuck",
    } <= ENUMS.keys()


def test_a_member_without_a_label_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="no label"):

        class _Kind(Labelled):
            ONE = "one"


def _attributes() -> set[str]:
    """The names under which records and outcomes hold members of enums with labels."""
    return {
        name
        for one in CLASSES.values()
        if hasattr(one, "__dataclass_fields__") or hasattr(one, "__tablename__")
        if not one.__module__.startswith("app.cli.")  # commands have no templates
        for name, hint in _hints(one).items()
        if any(isinstance(part, type) and issubclass(part, Labelled) for part in (hint, *get_args(hint)))
    }


def _hints(one: type) -> dict[str, object]:
    try:
        hints = get_type_hints(one)
    except NameError:  # a name that only the type checker knows
        hints = {}
    return {
        name: get_args(hint)[0] if getattr(hint, "__origin__", None) is Mapped else hint
        for name, hint in hints.items()
    }


def _shown(node: nodes.Node | None) -> Iterator[nodes.Expr]:
    """The parts of an expression that may be shown on the screen, without those that are only compared or
    looked up."""
    match node:
        case nodes.CondExpr(expr1=one, expr2=other):
            yield from _shown(one)
            yield from _shown(other)
        case nodes.Filter(node=one):
            yield from _shown(one)
        case nodes.Concat() | nodes.Tuple() | nodes.List() | nodes.And() | nodes.Or() | nodes.Add():
            for part in node.iter_child_nodes():
                yield from _shown(part)
        case nodes.Call(node=nodes.Name(name="url_for")) | nodes.Call(node=nodes.Getattr(attr="get")):
            return
        case nodes.Call(args=given, kwargs=named):
            for part in (*given, *(pair.value for pair in named)):
                yield from _shown(part)
        case nodes.Getattr(attr="value", node=one):
            yield from _shown(one)
        case nodes.Expr():
            yield node


def test_no_page_and_no_letter_shows_a_value(tmp_path: Path) -> None:
    settings = {
        "PORTAL_ENV": "test",
        "SECRET_KEY": "-" * 32,
        "INSTANCE_PATH": str(tmp_path),
        "DATABASE_URL": "sqlite://",
    }
    jinja = create_app(Settings.from_env(settings)).jinja_env
    attributes = _attributes()
    found, labels = [], 0
    for file in sorted(TEMPLATES.rglob("*.html")) + sorted(TEMPLATES.rglob("*.txt")):
        for output in jinja.parse(file.read_text()).find_all(nodes.Output):
            before = ""
            for part in output.nodes:
                if isinstance(part, nodes.TemplateData):
                    before = part.data
                    continue
                for one in _shown(part):
                    labels += isinstance(one, nodes.Getattr) and one.attr == "label"
                    is_for_the_browser = before.endswith('="')  # a form or a script sends it back
                    if isinstance(one, nodes.Getattr) and one.attr in attributes and not is_for_the_browser:
                        owner = one.node.name if isinstance(one.node, nodes.Name) else "?"
                        found.append((f"{owner}.{one.attr}", f"{file.relative_to(ROOT)}:{one.lineno}"))

    assert {"state", "kind", "category", "activation", "verdict", "letter"} <= attributes
    assert labels > 20, "it looks in the wrong place"
    assert [one for one in found if one[0] not in OTHERS] == []
    assert {name for name, _ in found} == OTHERS
