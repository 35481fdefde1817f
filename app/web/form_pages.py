"""Which page holds the form that goes to an address. People are led there if they cannot be answered at the
address itself: a restored tab opens it with GET, or a form came too late."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from flask import current_app, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect

_V = TypeVar("_V", bound=Callable[..., ResponseReturnValue])
_MARK = "its_form_is_on"


def its_form_is_on(endpoint: str) -> Callable[[_V], _V]:
    """Mark a view that takes forms only, and whose form is not on the nearest page above its address."""

    def mark(view: _V) -> _V:
        setattr(view, _MARK, endpoint)
        return view

    return mark


def page_of_form() -> str:
    """The page from which a form of this request may have come: the one that its view names, otherwise its
    own address, or the nearest one above. It follows from the path alone, so that it tells nobody what there
    is."""
    urls = current_app.create_url_adapter(request)
    assert urls is not None
    return _named(urls) or _nearest(urls)


def _named(urls: MapAdapter) -> str | None:
    try:
        endpoint, _ = urls.match(request.path, method="POST")
    except HTTPException:
        return None
    named = getattr(current_app.view_functions[endpoint], _MARK, None)
    return url_for(named) if named else None


def _nearest(urls: MapAdapter) -> str:
    path = request.path
    while path.strip("/"):
        try:
            urls.match(path, method="GET")
            return path
        except RequestRedirect as slash_is_missing:
            return urlsplit(slash_is_missing.new_url).path
        except HTTPException:
            pass
        path = path.rstrip("/").rpartition("/")[0]
    return url_for("home.beranda")
