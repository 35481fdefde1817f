"""Who is at the other end of the connection itself, whatever the headers say.

`request.remote_addr` is what TRUSTED_PROXIES makes of `X-Forwarded-For`. If that setting counts one proxy too
many, it is what the client has written there. So it must not decide about anything that is for this machine
alone.
"""

from ipaddress import ip_address
from typing import cast

from flask import request

from app.web.door import PEER

# Headers that proxies write, and that nobody writes who asks directly.
_OF_PROXIES = ("FORWARDED", "X_FORWARDED", "VIA", "X_REAL_IP", "X_CLIENT_IP", "X_CLUSTER_CLIENT_IP",
"X_ORIGINAL_FORWARDED",
               "TRUE_CLIENT_IP", "CF_CONNECTING_IP", "X_ENVOY", "CDN_LOOP")  # fmt: skip


def peer_address() -> str:
    """The address of the socket's other end, as the server wrote it: that of the last proxy, where there is
    one."""
    return cast(str, request.environ[PEER])


def is_this_machine() -> bool:
    """Whether a program on this machine asks for itself, and not for somebody else."""
    starts = tuple(f"HTTP_{name}" for name in _OF_PROXIES)
    try:
        # Not as the limits read an address: 2002:7f00:1::5 carries 127.0.0.1, but comes from elsewhere
        peer = ip_address(peer_address())
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return peer.is_loopback and not any(name.startswith(starts) for name in request.environ)
    except ValueError:
        return False
