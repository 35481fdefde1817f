"""The door of kept pages: it answers strangers who open one, before Flask does.

On a busy evening most requests are these, and Flask's work costs several times what it takes to fill in a
page. The door sends what Flask would send, but for the tokens, and writes the same line to the log. Whoever
brings anything that may change the page goes on to Flask.
"""

import secrets
from collections.abc import Iterable, Mapping
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.http import dump_cookie, parse_cookie

from app.runtime import logs, measures
from app.runtime.lanes import ARRIVED_AT
from app.runtime.portal import new_request_id
from app.web import sessions
from app.web.kept_pages import USUAL, KeptPage, kept_in

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Flask-WTF's names: of the 20 random bytes that a session keeps for its forms, and of the purpose for which
# they are signed
_SECRET, _PURPOSE = "csrf_token", "wtf-csrf-token"


class PageDoor:
    """It stands before the application when all routes are there."""

    def __init__(self, application: "WSGIApplication", app: Flask) -> None:
        self._application, self._kept = application, kept_in(app)
        rules = (rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()))
        self._endpoints = {rule.rule: rule.endpoint for rule in rules}
        self._sessions = _AnonymousSessions(app)
        self._csrf_tokens = URLSafeTimedSerializer(app.config["WTF_CSRF_SECRET_KEY"], salt=_PURPOSE)
        with app.app_context():
            self._of_login, self._of_app = sessions.cookie_name("masuk"), sessions.cookie_name("aplikasi")

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        began_at, path = perf_counter(), environ.get("PATH_INFO", "")
        cookies = _cookies_of_a_plain_get(environ) if path in self._endpoints else None
        page = self._page(path, cookies) if cookies is not None else None
        session = self._sessions.kept_in(cookies) if cookies is not None and page else None
        if page is None or session is None:
            return self._application(environ, start_response)
        number, own = new_request_id(), []
        csrf_token = ""
        if page.has_form:
            if not session:
                session = {_SECRET: secrets.token_hex(20)}
                own.append(("Set-Cookie", self._sessions.cookie_of(session)))
            csrf_token = self._csrf_tokens.dumps(session[_SECRET])
        body = page.filled(csrf_token).encode()
        logs.note_answer("GET", path, 200, environ["REMOTE_ADDR"], began_at, number)
        measures.count_request(path, "GET", 200, monotonic() - environ.get(ARRIVED_AT, monotonic()))
        own += [("Content-Length", str(len(body))), ("X-Request-ID", number)]
        start_response("200 OK", [*page.headers, *own])
        return [body]

    def _page(self, path: str, cookies: Mapping[str, str]) -> KeptPage | None:
        """The page that a stranger with these cookies gets at this path, if it is kept."""
        if cookies.get(self._of_login):
            return None
        page = self._kept.get((self._endpoints[path], USUAL, cookies.get(self._of_app) == "1"))
        return None if page is None or page.is_over else page


class _AnonymousSessions:
    """Flask's sessions, as far as they hold nothing but the secret of their forms."""

    def __init__(self, app: Flask) -> None:
        flasks = app.session_interface
        assert isinstance(flasks, SecureCookieSessionInterface), "the portal keeps sessions in cookies"
        sealer = flasks.get_signing_serializer(app)
        assert sealer is not None, "the portal has a secret key"
        self._sealer, self._name = sealer, flasks.get_cookie_name(app)
        self._longest_life = int(app.permanent_session_lifetime.total_seconds())
        self._rules: dict[str, Any] = {
            "path": flasks.get_cookie_path(app),
            "secure": flasks.get_cookie_secure(app),
            "httponly": flasks.get_cookie_httponly(app),
            "samesite": flasks.get_cookie_samesite(app),
        }

    def kept_in(self, cookies: Mapping[str, str]) -> dict[str, str] | None:
        """The session of this browser. It is empty if there is none, and None if it holds more."""
        try:
            kept = self._sealer.loads(cookies.get(self._name, ""), max_age=self._longest_life)
        except BadSignature:
            return {}
        return kept if isinstance(kept, dict) and set(kept) == {_SECRET} else None

    def cookie_of(self, session: dict[str, str]) -> str:
        return dump_cookie(self._name, self._sealer.dumps(session), **self._rules)


def _cookies_of_a_plain_get(environ: "WSGIEnvironment") -> Mapping[str, str] | None:
    """What a GET without a query brings. None for all other requests."""
    if environ["REQUEST_METHOD"] != "GET" or environ.get("QUERY_STRING"):
        return None
    try:
        return parse_cookie(environ)
    except UnicodeDecodeError:
        return None
