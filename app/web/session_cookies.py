"""The anonymous session: Flask's own cookie. Flask makes a serializer for each cookie that it reads or
writes; here one is made for all of them."""

import hashlib
from collections.abc import Sequence

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from app.security.signing import KeptSerializer


class SessionCookies(SecureCookieSessionInterface):
    digest_method = staticmethod(hashlib.sha1)  # Flask's; its own wrapper would make Python do the HMAC

    def __init__(self, keys_oldest_first: Sequence[str]) -> None:
        self.kept = KeptSerializer(
            keys_oldest_first,
            salt=self.salt,
            serializer=self.serializer,
            signer_kwargs={"key_derivation": self.key_derivation, "digest_method": self.digest_method},
        )

    def get_signing_serializer(self, _app: Flask) -> KeptSerializer:
        return self.kept

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """What a page fetches beside itself renews nothing. Its answer may come after that of a form, and
        would bring the session back as it was before."""
        is_navigation = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        return session.modified or (is_navigation and super().should_set_cookie(app, session))
