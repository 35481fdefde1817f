"""Who is at the other end of the connection itself, whatever headers say about it.

`request.remote_addr` is what TRUSTED_PROXIES makes of `X-Forwarded-For`. With one proxy too many it is what the client
has written there, so nothing that is for this machine alone may be decided by it.
"""

from ipaddress import ip_address
from typing import cast

from flask import request

# Written by proxies, and by nobody who asks directly.
_OF_PROXIES = ("FORWARDED", "X_FORWARDED", "VIA", "X_REAL_IP", "X_CLIENT_IP", "X_CLUSTER_CLIENT_IP", "X_ORIGINAL_FORWARDED",
               "TRUE_CLIENT_IP", "CF_CONNECTING_IP", "X_ENVOY", "CDN_LOOP")  # fmt: skip


def peer_address() -> str:
    """The address of the socket's other end: the last proxy's, where there is one."""
    before = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    return cast(str, before.get("REMOTE_ADDR") or "-")


def is_this_machine() -> bool:
    """Whether a program of this machine asks, and not for somebody else."""
    starts = tuple(f"HTTP_{name}" for name in _OF_PROXIES)
    try:
        return ip_address(peer_address()).is_loopback and not any(name.startswith(starts) for name in request.environ)
    except ValueError:
        return False
