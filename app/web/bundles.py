"""Styles and scripts are written as one file per component and served as one file each: a bundle, put
together at the start.

A page on a slow line asks for few files, and there is no build step: anyone who edits a component starts the
portal again. Nothing is written to disk, so several processes can start at once, even from a folder that they
may only read. Comments and indents are for those who read the components, and are not sent.
"""

import gzip
import re
from functools import cache
from pathlib import Path

import brotli

# The order of styles matters within a layer. Scripts run in this order; what they share comes first.
BUNDLES = {
    "css/portal.css": (
        "layers", "reset", "tokens", "base",
        "frame", "masthead", "sections", "foot", "back", "button", "card", "icon", "ways", "pair",
        "pictures", "topics", "field", "password", "field_button", "password_rules", "needs_script",
        "install", "countdown", "error_summary", "notice", "facts", "steps", "table", "session_end", "dialog",
        "reference", "choice", "contact", "home", "door", "how", "board", "mailbox",
        "pages", "forced_colours", "print",
    ),
    "js/portal.js": (
        "shared",
        "nip", "password", "password_rules", "send_once", "photo", "worker", "in_app", "paste", "install",
        "countdown", "topics",
        "error_summary", "session_end",
    ),
    "admin/desk.css": (
        "tokens",
        "sections", "page", "field", "pick", "filter", "table", "compare", "progress", "lifeline", "tabs",
        "trail", "bars", "area", "figures",
    ),
    "admin/desk.js": ("shared", "list_keys", "pick_all", "progress"),
}  # fmt: skip


def folder_of(path: str) -> str:
    """The folder of a bundle's components: those of css/portal.css are in css/portal."""
    return Path(path).with_suffix("").as_posix()


@cache
def bundle(static: Path, path: str) -> bytes:
    """What is served at `path`: its components in their order."""
    suffix = Path(path).suffix
    text = "\n".join(
        _bare((static / folder_of(path) / f"{name}{suffix}").read_text()) for name in BUNDLES[path]
    )
    # Scripts share names with each other, and none with the page.
    return (f'(() => {{\n"use strict";\n{text}}})();\n' if suffix == ".js" else text).encode()


_COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"\s*\n\s*")


def _bare(text: str) -> str:
    """Without comments and indents. A comment after two slashes has a line of its own."""
    return _INDENT.sub("\n", _COMMENT.sub("", text)).strip()


@cache
def packed(content: bytes, encoding: str) -> bytes:
    """The content, compressed as far as possible. That takes a moment, so it is done at the first request for
    it, and only once in a process."""
    return brotli.compress(content) if encoding == "br" else gzip.compress(content, mtime=0)
