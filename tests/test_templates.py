"""The place and the name of a template say what it is: a page, or a part of pages with an underscore in
front."""

import ast
import re
from pathlib import Path

from jinja2 import Environment, meta

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"
_NAME = re.compile(r"[\w/]+\.(html|txt)")
# The parts of letters that the renderer writes once for many letters
_WRITTEN_ONCE = {"emails/_parts/contact.html", "emails/_parts/contact.txt"}


def _all() -> set[str]:
    return {file.relative_to(TEMPLATES).as_posix() for file in TEMPLATES.rglob("*") if file.is_file()}


def _rendered() -> set[str]:
    """The templates that the code names, and the three templates of each letter, whose names the code puts
    together."""
    files = [ast.parse(file.read_text()) for file in (ROOT / "app").rglob("*.py")]
    words = {node.value for tree in files for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    pages = {word for word in words if isinstance(word, str) and "/" in word and _NAME.fullmatch(word)}
    return pages | {name for name in _all() if name.startswith("emails/") and not _is_part(name)}


def _used_by_others() -> set[str]:
    """The templates that others extend, include or import. The names in letters begin at templates/emails."""
    found = set()
    for name in _all():
        above = "emails/" if name.startswith("emails/") else ""
        asked = meta.find_referenced_templates(Environment().parse((TEMPLATES / name).read_text()))
        found |= {f"{above}{one}" for one in asked if one}
    return found


def _is_part(name: str) -> bool:
    return any(part.startswith("_") for part in Path(name).parts)


def _is_layout(name: str) -> bool:
    return name.startswith("layouts/") and not _is_part(name)


def test_a_page_has_no_underscore() -> None:
    assert not [name for name in _rendered() if _is_part(name) or _is_layout(name)]


def test_what_only_other_templates_use_has_an_underscore_or_is_a_layout() -> None:
    assert not [name for name in _used_by_others() if not (_is_part(name) or _is_layout(name))]


def test_no_template_is_missing_and_none_is_left_over() -> None:
    assert _all() == _rendered() | _used_by_others() | _WRITTEN_ONCE


def test_every_sentence_stands_in_the_page_as_it_is_read() -> None:
    """There is one language, so nothing is looked up: no `_("...")`."""
    assert not [name for name in _all() if re.search(r"(?<!\w)n?_\(", (TEMPLATES / name).read_text())]


def test_no_address_in_a_template_holds_a_space() -> None:
    """The checker of the W3C refuses it, in a picture that is part of its own address too."""
    plain = {name: re.sub(r"{{.*?}}|{%.*?%}", "", (TEMPLATES / name).read_text()) for name in _all()}

    assert not [
        (name, address)
        for name, text in plain.items()
        for address in re.findall(r'\b(?:href|src|action)="([^"]*)"', text)
        if re.search(r"\s", address)
    ]


# -- classes. What a template fills in is left out: btn-{{ kind }} counts as the beginning of a name
_CLASSES = re.compile(r'class="([^"]*)"')
_FILLED_IN = re.compile(r"\{[{%].*?[%}]\}")
_RULE = re.compile(r"\.(-?[a-z][\w-]*)")


def _worn() -> set[str]:
    pages = [(TEMPLATES / name).read_text() for name in _all() if not name.startswith("emails/")]
    return {
        one for page in pages for worn in _CLASSES.findall(page) for one in _FILLED_IN.sub(" ", worn).split()
    }


def _styled() -> set[str]:
    return {one for file in STATIC.rglob("*.css") for one in _RULE.findall(file.read_text())}


def test_every_class_of_a_page_has_a_rule() -> None:
    styled = _styled()

    assert not [
        one
        for one in _worn()
        if not any(rule.startswith(one) if one.endswith("-") else rule == one for rule in styled)
    ]


def test_every_rule_has_a_page() -> None:
    """A class in a rule is worn by a page, as a whole or with its end filled in, or put on by a script."""
    worn = _worn()
    beginnings = tuple(one for one in worn if one.endswith("-"))
    scripts = "".join(file.read_text() for file in STATIC.rglob("*.js"))
    blocks = "".join((TEMPLATES / name).read_text() for name in _all())

    assert not [
        one
        for one in _styled()
        if one not in worn and not one.startswith(beginnings) and one not in scripts and one not in blocks
    ]
