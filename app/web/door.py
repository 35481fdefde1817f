"""The first that every request meets: from where it comes and to whom it is addressed are read here, once, before anything
else looks at either. Behind it `request.remote_addr` and `request.host` are in one spelling, and nobody has to read them again.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.domain.client import UNKNOWN_ADDRESS, read_client_address
from app.web.headers import COMMON
from config import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Asked by load balancers and monitors under whatever name or address they know this machine.
PROBES = frozenset(("/healthz", "/readyz", "/metrics"))
PEER = "portal.peer"  # in environ: who is at the other end of the connection, as the server wrote it
_USUAL_PORTS = {"https": ":443", "http": ":80"}


class AddressDoor:
    """Reads the client's address, which the trusted proxies have put in place before, into its one spelling."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ[PEER] = environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR") or UNKNOWN_ADDRESS
        environ["REMOTE_ADDR"] = read_client_address(environ.get("REMOTE_ADDR") or "")
        return self._application(environ, start_response)


class HostDoor:
    """Refuses requests for another Host, static files too: nobody is served under a name that is not ours.

    In plain text, because a page would carry links to that name. Behind this door the name has the spelling of PUBLIC_URL.
    """

    def __init__(self, application: "WSGIApplication", settings: Settings) -> None:
        self._application = application
        self._allowed_hosts = settings.allowed_hosts
        public = urlsplit(settings.public_url)
        self._own, self._usual_port = public.netloc, _USUAL_PORTS[public.scheme]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        host = self._read(environ.get("HTTP_HOST", ""))
        if host in self._allowed_hosts:
            environ["HTTP_HOST"] = host
            return self._application(environ, start_response)
        if environ.get("PATH_INFO", "").rstrip("/") in PROBES:
            environ["HTTP_HOST"] = self._own
            return self._application(environ, start_response)
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), *COMMON.items()]
        start_response("400 Bad Request", headers)
        return [b"Alamat situs ini tidak dikenal. Buka portal lewat alamat resminya.\n"]

    def _read(self, written: str) -> str:
        """In small letters, without the scheme's own port and the dot at the end of a name: both mean the same name."""
        name, colon, port = written.strip().lower().removesuffix(self._usual_port).partition(":")
        return f"{name.removesuffix('.')}{colon}{port}"
