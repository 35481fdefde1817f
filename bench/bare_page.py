"""`mysapk serve` with one bare Flask page in place of the portal: `python -m bench.bare_page serve`."""

from flask import Flask

from app import wiring
from config import Settings

_create_portal = wiring.create_app


def _create_bare(settings: Settings) -> Flask:
    """The portal with its commands and its server; every request goes to another application."""
    portal, page = _create_portal(settings), Flask("bare")
    page.add_url_rule("/login", "login", lambda: "<h1>Masuk</h1>")
    page.add_url_rule("/healthz", "alive", lambda: "ok\n")
    portal.wsgi_app = page.wsgi_app  # type: ignore[method-assign]
    return portal


if __name__ == "__main__":
    wiring.create_app = _create_bare
    from app.__main__ import main  # only now, so that it takes the function above

    main()
