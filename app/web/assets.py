"""Static files: named by their content, cached for good, served compressed where a compressed copy lies
beside them."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs

from flask import Flask, current_app, url_for
from whitenoise import WhiteNoise

from app.web.headers import COMMON
from config import ROOT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STATIC = ROOT / "static"
_FOR_GOOD = f"max-age={365 * 24 * 3600}, public, immutable"
_ASK_EACH_TIME = "no-cache"
_SEEN_ON_EVERY_PAGE = (".css", ".js")


@dataclass(frozen=True)
class StaticFile:
    """A file under static/ as this release has it. `path` is relative to static/."""

    path: str
    place: Path
    sha256: bytes

    @property
    def version(self) -> str:
        return self.sha256.hex()[:12]

    @property
    def integrity(self) -> str:
        """As browsers check it before they believe it: https://www.w3.org/TR/SRI/."""
        return integrity_of(self.sha256)

    @property
    def is_part_of_every_page(self) -> bool:
        """Styles and script; not what is shown in one place or on the desk only, nor what the worker itself
        is made of."""
        return (
            self.path.endswith(_SEEN_ON_EVERY_PAGE)
            and self.path != "js/worker.js"
            and not self.path.startswith("admin/")
        )


def init_app(app: Flask) -> None:
    files = {file.path: file for file in _files_of(STATIC)}
    app.extensions["static_files"] = files
    app.jinja_env.globals["static_url"] = static_url
    served: WSGIApplication = WhiteNoise(
        app.wsgi_app,
        root=STATIC,
        prefix="static/",
        max_age=None,
        allow_all_origins=False,
        mimetypes={".speculationrules": "application/speculationrules+json"},
        add_headers_function=_add_headers,
    )
    app.wsgi_app = _KeptForGood(served, files)  # type: ignore[method-assign]


def static_url(path: str) -> str:
    """The address of a file under static/, with the hash of its content: a new content is a new address."""
    return url_for("static", filename=path, v=_static_files()[path].version)


def release_files() -> list[StaticFile]:
    """What the pages of this release are made of."""
    return [file for file in _static_files().values() if file.is_part_of_every_page]


def text_of(path: str) -> str:
    """What stands in a file under static/."""
    return _static_files()[path].place.read_text()


def integrity_of(sha256: bytes) -> str:
    return f"sha256-{b64encode(sha256).decode()}"


class _KeptForGood:
    """Tells browsers to keep a file for good only where the address names the very content that is served.

    Behind an old or invented hash stands the file of today; kept for good, it would come back at that address
    after a return to the older release.
    """

    def __init__(self, served: "WSGIApplication", files: dict[str, StaticFile]) -> None:
        self._served = served
        self._versions = {f"/static/{file.path}": file.version for file in files.values()}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        version = self._versions.get(environ.get("PATH_INFO", ""))
        if version is None:
            return self._served(environ, start_response)
        is_named = parse_qs(environ.get("QUERY_STRING", "")).get("v") == [version]
        rule = ("Cache-Control", _FOR_GOOD if is_named else _ASK_EACH_TIME)

        def start(status: str, headers: list[tuple[str, str]], *fault: object) -> object:
            return start_response(status, [*headers, rule], *fault)  # type: ignore[arg-type]

        return self._served(environ, cast("StartResponse", start))


def _static_files() -> dict[str, StaticFile]:
    return cast("dict[str, StaticFile]", current_app.extensions["static_files"])


def _files_of(folder: Path) -> Iterator[StaticFile]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix not in (".gz", ".br"):
            yield StaticFile(
                file.relative_to(folder).as_posix(), file, hashlib.sha256(file.read_bytes()).digest()
            )


def _add_headers(headers: dict[str, str], _path: str, _url: str) -> None:
    for name, value in COMMON.items():
        headers[name] = value
