"""Rules of URLs whose builders are compiled at their first use. Werkzeug compiles two for each rule at once,
which was a twentieth of a start, and a page links to few others."""

from collections.abc import Callable
from functools import cache

from flask import Flask
from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class _BuiltWhenUsed(Rule):
    # Should Werkzeug ask for its builders in another way, it compiles them all at the start again.
    def _compile_builder(self, append_unknown: bool = True) -> Builder:  # noqa: FBT001  # Werkzeug's signature
        compiled = cache(super()._compile_builder)

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build


def init_app(app: Flask) -> None:
    app.url_rule_class = _BuiltWhenUsed
