"""What every portal of a test would make anew, although it is always the same. Here it is made once in each
process.

`make_once()` switches this on. Nothing here changes what a portal answers.
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any, Literal

from argon2 import low_level
from argon2.exceptions import VerifyMismatchError
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule
from whitenoise import WhiteNoise
from whitenoise.responders import StaticFile

from app.web import assets


class _CompiledTemplates(BytecodeCache):
    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._code[bucket.key, bucket.checksum] = bucket.code


_MEMORY = Path("/dev/shm")
_ENOUGH = 2 * 1024**3  # bytes; three processes with a PostgreSQL each use less than half of it
_PAGES, _LETTERS = _CompiledTemplates(), _CompiledTemplates()


def make_once() -> None:
    Rule.compile = _compiled_once(Rule.compile)  # type: ignore[method-assign,assignment]
    WhiteNoise.get_static_file = _served_once(WhiteNoise.get_static_file)
    assets._files_of = _hashed_once(assets._files_of)  # type: ignore[assignment]
    low_level.verify_secret = _verified_once(low_level.verify_secret)


def compile_templates_once(app: Flask) -> None:
    """Let this portal take the templates of pages and letters that an earlier one has compiled."""
    app.jinja_env.bytecode_cache = _PAGES
    app.extensions["portal"].renderer._templates.bytecode_cache = _LETTERS


def work_in_memory() -> None:
    """Keep temporary files in memory if there is enough of it, so that no commit waits for a disk."""
    if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH:
        os.environ["TMPDIR"] = str(_MEMORY)  # other processes use it too
        tempfile.tempdir = None


def import_without_collecting() -> None:
    """Look for no garbage among modules and tests while they are made, because they stay until the end."""
    gc.disable()


def keep_what_is_imported() -> None:
    """Make the garbage collector run seldom, and skip what has been imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    gc.enable()


def _compiled_once(compile_rule: Callable[[Rule], None]) -> Callable[[Rule], None]:
    """Keep what finds a URL and what builds it."""
    compiled: dict[tuple[object, ...], Rule] = {}

    def once(rule: Rule) -> None:
        kinds = tuple(rule.map.converters.values())
        key = (rule.rule, repr(rule.defaults), rule.subdomain, rule.host, rule.merge_slashes, kinds)
        if key not in compiled:
            compile_rule(rule)
            compiled[key] = rule
            return
        first = compiled[key]
        rule._parts, rule._trace, rule._converters = first._parts, first._trace, first._converters
        rule.arguments |= first.arguments
        rule._build = first._build.__func__.__get__(rule)  # type: ignore[attr-defined]
        rule._build_unknown = first._build_unknown.__func__.__get__(rule)  # type: ignore[attr-defined]

    return once


def _served_once(read: Callable[..., StaticFile]) -> Callable[..., StaticFile]:
    """Keep the headers of a static file."""
    known: dict[tuple[str, str], StaticFile] = {}

    def once(served: WhiteNoise, path: str, url: str, **found: object) -> StaticFile:
        if (path, url) not in known:
            known[path, url] = read(served, path, url, **found)
        return known[path, url]

    return once


def _hashed_once(files_of: Callable[[Path], Any]) -> Callable[[Path], tuple[assets.StaticFile, ...]]:
    """Keep the content of the static files."""

    @cache
    def once(folder: Path) -> tuple[assets.StaticFile, ...]:
        return tuple(files_of(folder))

    return once


def _verified_once(verify: Callable[..., Literal[True]]) -> Callable[..., Literal[True]]:
    """Keep the result for each password and hash, so that each pair is tried only once: a hash costs as much
    as in production."""
    tried: dict[tuple[bytes, bytes, low_level.Type], VerifyMismatchError | None] = {}

    def once(hash: bytes, secret: bytes, type: low_level.Type) -> Literal[True]:
        if (hash, secret, type) not in tried:
            try:
                verify(hash, secret, type)
                tried[hash, secret, type] = None
            except VerifyMismatchError as wrong:
                tried[hash, secret, type] = wrong
        if wrong_once := tried[hash, secret, type]:
            raise VerifyMismatchError(*wrong_once.args)
        return True

    return once
