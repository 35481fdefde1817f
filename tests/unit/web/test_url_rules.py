"""URLs are the same as Werkzeug's own, and cost nothing before somebody asks for one."""

import pytest
from flask import Flask
from werkzeug.routing import Map, Rule

from app.web import url_rules

ADDRESSES = [
    ("/a b/<int:row>/<path:rest>", {"row": 7, "rest": "x/y"}),
    ("/login", {}),
    ("/login", {"next": "/beranda?x=1", "rule": "yes"}),
]


@pytest.fixture
def lazy() -> type[Rule]:
    app = Flask("any", static_folder=None)
    url_rules.init_app(app)
    return app.url_rule_class


@pytest.mark.parametrize(("rule", "values"), ADDRESSES)
def test_a_url_is_built_as_by_werkzeug(lazy: type[Rule], rule: str, values: dict[str, object]) -> None:
    built = [
        Map([kind(rule, endpoint="page")]).bind("localhost").build("page", values) for kind in (lazy, Rule)
    ]

    assert built[0] == built[1]


def test_a_rule_compiles_a_builder_when_it_is_used(lazy: type[Rule], monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    of_werkzeug = Rule._compile_builder

    def counted(rule: Rule, *how: bool) -> object:
        compiled.append(rule.rule)
        return of_werkzeug(rule, *how)

    monkeypatch.setattr(Rule, "_compile_builder", counted)
    urls = Map([lazy("/a", endpoint="a"), lazy("/b", endpoint="b")]).bind("localhost")
    assert urls.match("/a") == ("a", {})
    assert compiled == []

    assert [urls.build("a"), urls.build("a")] == ["/a", "/a"]
    assert compiled == ["/a"]
