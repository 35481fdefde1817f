"""Styles and scripts come to the browser as one file each, which holds exactly what is in the files of their
components, without comments and indents."""

import gzip
import re
from pathlib import Path

import brotli
import pytest

from app.web.assets import STATIC
from app.web.bundles import BUNDLES, folder_of
from tests.visitor import Visitor

EVERY_BUNDLE = pytest.mark.parametrize("path", BUNDLES)


def _components(path: str) -> dict[str, str]:
    files = (STATIC / folder_of(path)).glob(f"*{Path(path).suffix}")
    return {file.stem: file.read_text() for file in files}


def _lines_of(component: str) -> str:
    """The lines that a browser obeys."""
    without_blocks = re.sub(r"/\*.*?\*/", "", component, flags=re.DOTALL)
    lines = (line.strip() for line in without_blocks.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


@EVERY_BUNDLE
def test_every_component_has_its_place_in_the_order(path: str) -> None:
    assert sorted(BUNDLES[path]) == sorted(_components(path))


@EVERY_BUNDLE
def test_what_is_served_is_the_components_in_their_order(visitor: Visitor, path: str) -> None:
    components = _components(path)
    together = "\n".join(_lines_of(components[name]) for name in BUNDLES[path])

    plain = visitor.open(f"/static/{path}")

    is_script = path.endswith(".js")
    assert plain.text == (f'(() => {{\n"use strict";\n{together}}})();\n' if is_script else together)
    assert plain.headers["Content-Type"] == f"text/{'javascript' if is_script else 'css'}; charset=utf-8"
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    assert plain.headers["Vary"] == "Accept-Encoding"
    for encoding, unpack in (("br", brotli.decompress), ("gzip", gzip.decompress)):
        answer = visitor.client.get(f"/static/{path}", headers={"Accept-Encoding": encoding})
        assert answer.headers["Content-Encoding"] == encoding
        assert unpack(answer.data).decode() == plain.text
        assert len(answer.data) == int(answer.headers["Content-Length"]) < len(plain.data) / 2


def test_a_browser_takes_the_smallest_that_it_can_read(visitor: Visitor) -> None:
    def encoding(accepted: str) -> str | None:
        return visitor.client.get(
            "/static/css/portal.css", headers={"Accept-Encoding": accepted}
        ).headers.get("Content-Encoding")

    assert [encoding(accepted) for accepted in ("gzip, deflate, br", "gzip, br;q=0", "deflate")] == [
        "br",
        "gzip",
        None,
    ]


def test_who_has_a_bundle_is_not_sent_it_again(visitor: Visitor) -> None:
    mark = visitor.open("/static/css/portal.css").headers["ETag"]

    again = visitor.client.get("/static/css/portal.css", headers={"If-None-Match": mark})

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == "no-cache"


def test_a_bundle_can_be_read_and_nothing_else(visitor: Visitor) -> None:
    head, post = (visitor.client.open("/static/js/portal.js", method=method) for method in ("HEAD", "POST"))

    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) > 1000
    assert post.status_code == 405
