"""Links in mails, as they arrive in addresses: mail programs take what stands after a link for a part of it.

This may be a full stop, a bracket, a quote, `%20`, `&utm_source=mail`, or the rest of a broken line. The
views get the link alone, so the page opens, and a limit per link counts all spellings of one link together.
If there is no link, the views get an empty text, which opens nothing.
"""

import re
from typing import Any

from flask import Flask, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.domain.reset_secret import SIGNATURE, link_at_the_beginning, read_link

_SIGNED = rf"[A-Za-z0-9_-]{{4,200}}\.[A-Za-z0-9_-]{{6,12}}\.{SIGNATURE}"
_PATH = re.compile(r"[A-Za-z0-9/._-]*")  # the characters of page addresses without a link
_LONGEST = 2_000


def init_app(app: Flask) -> None:
    app.url_value_preprocessor(_leave_the_link_alone)


def page_meant(unseen: frozenset[str]) -> str | None:
    """The page that was meant by an address that leads nowhere, if only its end is wrong: `/login.`,
    `/perbaikan-email>`, a link and a slash. `unseen`: beginnings of addresses that do not exist for
    everybody."""
    path = request.path[:_LONGEST]
    meant = _meant_by_link(path) or _PATH.match(path)[0].rstrip("/._-")  # type: ignore[index]  # matches everything
    if (
        request.method not in ("GET", "HEAD")
        or meant in ("", request.path)
        or meant.strip("/").partition("/")[0] in unseen
    ):
        return None
    try:
        endpoint, _ = current_app.create_url_adapter(request).match(meant, method="GET")  # type: ignore[union-attr]
    except (HTTPException, RequestRedirect):
        return None
    return None if endpoint == "static" else meant


def _signed_link(behind: str) -> str:
    """The link of a correction or of a change: name, time, and signature."""
    return link_at_the_beginning(behind[:_LONGEST], _SIGNED) or ""


def _reset_link(behind: str) -> str:
    link = read_link(behind)
    return link.text if link else ""


_READERS = {
    "/konfirmasi-reset-password/": _reset_link,
    "/perbaikan-email/": _signed_link,
    "/bukan-saya/": _signed_link,
}


def _leave_the_link_alone(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    for beginning, read in _READERS.items():
        if values and "link" in values and request.path.startswith(beginning):
            values["link"] = read(values["link"])


def _meant_by_link(path: str) -> str | None:
    for beginning, read in _READERS.items():
        if path.startswith(beginning) and (link := read(path.removeprefix(beginning))):
            return beginning + link
    return None
