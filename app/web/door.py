"""The first code that every request meets. It reads, once and before anything else does, where the request
comes from and to which host it is addressed. Behind it `request.remote_addr` and `request.host` have one
spelling, and nothing has to read them again."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.domain.client import UNKNOWN_ADDRESS, read_client_address
from app.web.headers import COMMON
from config import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Load balancers and monitors ask for these under whatever name or address they know this machine by.
PROBES = frozenset(("/healthz", "/readyz", "/metrics"))
PEER = "portal.peer"  # in environ: the other end of the connection, as the server wrote it
_USUAL_PORTS = {"https": ":443", "http": ":80"}


class AddressDoor:
    """Reads the client's address into its one spelling: behind proxies, the address that the outermost
    trusted proxy has added.

    The header is split at each comma, and not read as a list with quotes (as werkzeug's ProxyFix does): with
    one quotation mark a visitor could hide what the proxy adds after it.
    """

    def __init__(self, application: "WSGIApplication", settings: Settings) -> None:
        self._application = application
        self._trusted_proxies = settings.trusted_proxies

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ[PEER] = environ.get("REMOTE_ADDR") or UNKNOWN_ADDRESS
        environ["REMOTE_ADDR"] = read_client_address(self._written(environ))
        return self._application(environ, start_response)

    def _written(self, environ: "WSGIEnvironment") -> str:
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
        added = forwarded.split(",")[-self._trusted_proxies :] if self._trusted_proxies and forwarded else []
        return str(added[0] if len(added) == self._trusted_proxies > 0 else environ[PEER])


class HostDoor:
    """Refuses requests for another Host, also for static files: nobody is served under a name that is not
    ours.

    The refusal is plain text, because a page would carry links to that name. Behind this door, name and
    scheme are those of PUBLIC_URL.
    """

    def __init__(self, application: "WSGIApplication", settings: Settings) -> None:
        self._application = application
        self._allowed_hosts = settings.allowed_hosts
        public = urlsplit(settings.public_url)
        self._scheme, self._own, self._usual_port = public.scheme, public.netloc, _USUAL_PORTS[public.scheme]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        host = self._read(environ.get("HTTP_HOST", ""))
        if host not in self._allowed_hosts and environ.get("PATH_INFO", "").rstrip("/") in PROBES:
            host = self._own
        if host in self._allowed_hosts:
            environ["HTTP_HOST"], environ["wsgi.url_scheme"] = host, self._scheme
            return self._application(environ, start_response)
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Cache-Control", "no-store"),
            *COMMON.items(),
        ]
        start_response("400 Bad Request", headers)
        return [b"Alamat situs ini tidak dikenal. Buka portal lewat alamat resminya.\n"]

    def _read(self, written: str) -> str:
        """The host in small letters, without the default port of the scheme and without the dot at the end of
        a name: both spellings mean the same name."""
        name, colon, port = written.strip().lower().removesuffix(self._usual_port).partition(":")
        return f"{name.removesuffix('.')}{colon}{port}"
