"""The words that people see, without running anything: of templates, Python texts, scripts and guides."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment

ROOT = Path(__file__).parent.parent
_OF_CODE = re.compile(r"[a-z0-9_./:#?=&%{}-]*")  # an identifier, an address, an id
_SCRIPT_TEXT = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.S)
_JINJA_COMMENT = re.compile(r"\{#.*?#\}", re.S)
_CODE_IN_A_GUIDE = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)", re.S)
_ELSE_SHOWN = "…"  # stands for what an expression puts there


def words_seen() -> Iterator[tuple[str, str]]:
    """Each text with its file. The words of one sentence stay together, across tags and lines of code."""
    for kind, files in (
        (_of_a_template, [*ROOT.glob("templates/**/*.html"), *ROOT.glob("templates/**/*.txt")]),
        (_of_a_page, ROOT.glob("deploy/nginx/pages/*.html")),
        (_of_python, ROOT.glob("app/**/*.py")),
        (_of_a_script, [*ROOT.glob("static/js/**/*.js"), *ROOT.glob("static/admin/**/*.js")]),
        (_of_a_guide, [*ROOT.glob("docs/panduan-*.md"), ROOT / "docs/play-store.md"]),
    ):
        for file in sorted(files):
            for text in kind(file.read_text()):
                yield file.relative_to(ROOT).as_posix(), re.sub(r"\s+", " ", text).strip()


def _of_a_template(source: str) -> Iterator[str]:
    source = _JINJA_COMMENT.sub("", source)
    for _line, kind, text in Environment().lex(source):
        if kind == "string" and _is_read(text[1:-1]):
            yield text[1:-1]
    yield from _of_a_page(_JINJA.sub(_in_place, source))


def _in_place(code: re.Match[str]) -> str:
    return _ELSE_SHOWN if code[0].startswith("{{") else " "


def _of_a_page(source: str) -> Iterator[str]:
    page = _Page()
    page.feed(source)
    page.close()
    yield "".join(page.text)
    yield from page.attributes


class _Page(HTMLParser):
    """The text without its tags, and the attributes that can be read or heard."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.attributes: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data.replace("\xad", ""))

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [value for name, value in attrs if value and name != "class" and _is_read(value)]


def _of_python(source: str) -> Iterator[str]:
    nodes = list(ast.walk(ast.parse(source)))
    joined = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    docstrings = [node.value for node in nodes if isinstance(node, ast.Expr)]
    elsewhere = {id(part) for whole in joined for part in whole.values} | {id(one) for one in docstrings}
    for whole in joined:
        yield "".join(_text_of(part) or _ELSE_SHOWN for part in whole.values)
    texts = [_text_of(node) for node in nodes if id(node) not in elsewhere]
    yield from (text for text in texts if text and _is_read(text))


def _text_of(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _of_a_script(source: str) -> Iterator[str]:
    yield from filter(_is_read, _SCRIPT_TEXT.findall(source))


def _of_a_guide(source: str) -> Iterator[str]:
    yield _CODE_IN_A_GUIDE.sub(" ", source)


def _is_read(text: str) -> bool:
    return not _OF_CODE.fullmatch(text)
