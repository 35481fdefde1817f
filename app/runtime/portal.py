"""What every request may need of this portal: its settings, its keys, and who is asking."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app, g, request

from app.domain.client import UNKNOWN_ADDRESS, Client
from app.mail.delivery import Postman
from app.mail.rendering import Renderer
from app.security.signing import SigningKeys
from config import Settings


@dataclass(frozen=True)
class Portal:
    settings: Settings
    keys: SigningKeys
    renderer: Renderer
    postman: Callable[[], Postman]

    @property
    def name(self) -> str:
        return self.settings.portal_name

    @property
    def operator(self) -> str:
        return self.settings.portal_operator


def portal() -> Portal:
    """The portal of the current app."""
    return cast(Portal, current_app.extensions["portal"])


def request_id() -> str:
    """12 random hex digits that connect a page, its log lines and its events in the trail."""
    if "request_id" not in g:
        g.request_id = new_request_id()
    return cast(str, g.request_id)


def new_request_id() -> str:
    return secrets.token_hex(6)


def client_address() -> str:
    return request.remote_addr or UNKNOWN_ADDRESS


def client() -> Client:
    """Who sends the current request."""
    return Client(client_address(), request.user_agent.string[:300], request_id())
