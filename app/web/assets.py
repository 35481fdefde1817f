"""Static files: named by their content, kept by browsers for good, and compressed.

Bundles of styles and scripts are compressed in memory. Pictures are compressed already.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, quote

from flask import Flask, current_app, request
from werkzeug import Request, Response
from whitenoise import WhiteNoise

from app.web.bundles import BUNDLES, bundle, folder_of, packed
from app.web.headers import COMMON
from config import ROOT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STATIC = ROOT / "static"
_FOR_GOOD = f"max-age={365 * 24 * 3600}, public, immutable"
_ASK_EACH_TIME = "no-cache"
_SEEN_ON_EVERY_PAGE = (".css", ".js")
_CONTENT_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_ENCODINGS = ("br", "gzip")  # the smallest first


@dataclass(frozen=True)
class StaticFile:
    """A file under static/ as this release has it, or a bundle. `path` is relative to static/."""

    path: str
    place: Path  # for a bundle: the folder of its components
    sha256: bytes

    @cached_property
    def version(self) -> str:
        return self.sha256.hex()[:12]

    @cached_property
    def address(self) -> str:
        return f"/static/{quote(self.path)}?v={self.version}"

    @property
    def integrity(self) -> str:
        """The hash that browsers check before they use the file: https://www.w3.org/TR/SRI/."""
        return integrity_of(self.sha256)

    @property
    def is_part_of_every_page(self) -> bool:
        """Whether the file is a style or script of every page. Files that are shown in one place or on the
        desk only do not count; the files of the service worker itself do not count either."""
        return (
            self.path.endswith(_SEEN_ON_EVERY_PAGE)
            and self.path != "js/worker.js"
            and not self.path.startswith("admin/")
        )


def init_app(app: Flask) -> None:
    contents = {path: bundle(STATIC, path) for path in BUNDLES}
    bundles = [
        StaticFile(path, STATIC / folder_of(path), hashlib.sha256(text).digest())
        for path, text in contents.items()
    ]
    others = list(_files_of(STATIC))
    files = {file.path: file for file in (*others, *bundles)}
    app.extensions["static_files"] = files
    app.jinja_env.globals["static_url"] = static_url
    served = WhiteNoise(
        app.wsgi_app,
        max_age=None,
        allow_all_origins=False,
        mimetypes={".speculationrules": "application/speculationrules+json"},
        add_headers_function=_add_headers,
    )
    for file in others:
        served.add_file_to_dictionary(f"/static/{file.path}", str(file.place))
    app.wsgi_app = _KeptForGood(_Bundled(served, contents), files)  # type: ignore[method-assign]


def static_url(path: str) -> str:
    """The address of a file under static/, with the hash of its content: new content has a new address."""
    return f"{request.root_path}{_static_files()[path].address}"


def release_files() -> list[StaticFile]:
    """The files that the pages of this release are made of."""
    return [file for file in _static_files().values() if file.is_part_of_every_page]


def text_of(path: str) -> str:
    """The text of a file under static/ that is no bundle."""
    return _static_files()[path].place.read_text()


def integrity_of(sha256: bytes) -> str:
    return f"sha256-{b64encode(sha256).decode()}"


class _Bundled:
    """Answers requests for bundles and passes on all others."""

    def __init__(self, others: "WSGIApplication", contents: dict[str, bytes]) -> None:
        self._others = others
        self._contents = {f"/static/{path}": content for path, content in contents.items()}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path not in self._contents:
            return self._others(environ, start_response)
        return _bundle_for(Request(environ), self._contents[path], Path(path).suffix)(environ, start_response)


class _KeptForGood:
    """Tells browsers to keep a file for good only where the address names the very content that is served.

    An address with an old or invented hash gets the file of today. If browsers kept that for good, they would
    still show it at that address after a return to the older release.
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


def _bundle_for(request: Request, content: bytes, suffix: str) -> Response:
    if request.method not in ("GET", "HEAD"):
        return Response(status=405, headers={"Allow": "GET, HEAD"})
    encoding = next((one for one in _ENCODINGS if request.accept_encodings.quality(one) > 0), None)
    body = packed(content, encoding) if encoding else content
    answer = Response(body, content_type=_CONTENT_TYPES[suffix], headers=COMMON)
    if encoding:
        answer.content_encoding = encoding
    answer.vary.add("Accept-Encoding")
    answer.set_etag(hashlib.sha256(body).hexdigest()[:12])
    return answer.make_conditional(request)


def _static_files() -> dict[str, StaticFile]:
    return cast("dict[str, StaticFile]", current_app.extensions["static_files"])


def _files_of(folder: Path) -> Iterator[StaticFile]:
    """All files but the components of bundles: components are served together and not one by one."""
    components = {folder / folder_of(path) for path in BUNDLES}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.parent not in components:
            yield StaticFile(
                file.relative_to(folder).as_posix(), file, hashlib.sha256(file.read_bytes()).digest()
            )


def _add_headers(headers: dict[str, str], _path: str, _url: str) -> None:
    for name, value in COMMON.items():
        headers[name] = value
