"""The page to which somebody returns after the login. It is one of this portal's own pages, and has a name
that the login page says."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.web.form_pages import page_of_form
from app.web.words.pages import NAMES_OF_PAGES


@dataclass(frozen=True)
class ReturnPage:
    name: str
    path: str


def this_page() -> str:
    """Where somebody returns who was here: this page, or the one with the form that was sent. What they have
    searched for is left out, because the next person at this screen may read the address."""
    return request.path if request.method in ("GET", "HEAD") else page_of_form()


def wanted_page() -> ReturnPage | None:
    """The page that the address of this request asks for. An address that is none of our pages, or of another
    host, is left out: nobody can be sent elsewhere by a link to the login."""
    wanted = request.args.get("next", "")
    if not _is_path_here(wanted):
        return None
    endpoint = _endpoint_of(urlsplit(wanted).path)
    name = NAMES_OF_PAGES.get(endpoint) or NAMES_OF_PAGES.get(endpoint.rpartition(".")[0])
    return ReturnPage(name, wanted) if name else None


def _is_path_here(wanted: str) -> bool:
    """Whether this is a path and nothing else: no host, no backslash, no scheme, no control characters."""
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted or not wanted.isprintable():
        return False
    parts = urlsplit(wanted)
    return not parts.scheme and not parts.netloc


def _endpoint_of(path: str) -> str:
    urls = current_app.create_url_adapter(request)
    assert urls is not None
    try:
        endpoint, _ = urls.match(path, method="GET")
    except RequestRedirect as slash_is_missing:
        endpoint, _ = urls.match(urlsplit(slash_is_missing.new_url).path, method="GET")
    except HTTPException:
        return ""
    return str(endpoint)
