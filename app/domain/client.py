"""Where a request came from, for the trail and for letters."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

UNKNOWN_ADDRESS = "unknown"  # stands for everything that is no address
_LONGEST_ADDRESS = 100  # characters that are looked at
_ADDRESSES_KEPT = 1000  # an office sends many requests, and each browser several
# Blocks of IPv6 whose last 32 bits are the IPv4 address of the client: mapped (RFC 4291), translated by SIIT
# (RFC 2765, RFC 7915) and by NAT64 under the well-known and the local prefix (RFC 6052, RFC 8215).
_ENDS_IN_IPV4 = tuple(
    map(IPv6Network, ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"))
)
# A port that some servers put after an IPv6 address without brackets: a ninth group, or a group with more
# letters than a group can have.
_BARE_PORT = re.compile(
    r"((?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}):[0-9]{1,5}|([0-9a-f:.]+):[0-9]{5}", re.IGNORECASE
)
# IPv4-compatible addresses, an older form; "::" and "::1" lie at the beginning of this block
_COMPATIBLE = IPv6Network("::/96")


@dataclass(frozen=True)
class Client:
    """The sender of one request. `read_client_address` has read the address from what the trusted proxies
    give."""

    address: str
    user_agent: str
    request_id: str


COMMAND_LINE = Client("-", "command line", "-")
WORKER = Client("-", "worker", "-")


def worker_for(address: str) -> Client:
    """The worker, when it acts for somebody who asked from this address."""
    return Client(address, WORKER.user_agent, WORKER.request_id)


def read_client_address(written: str) -> str:
    """An address in the one spelling that limits, trail and letters know. It reads whatever proxies and
    servers write: with a port, in brackets or quotes, with a zone, or an IPv4 address inside an IPv6 one.
    Anything that is no address becomes UNKNOWN_ADDRESS.
    """
    return _read(written[:_LONGEST_ADDRESS].strip(" \t\"'"))


@lru_cache(_ADDRESSES_KEPT)
def _read(text: str) -> str:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    elif (with_port := _BARE_PORT.fullmatch(text)) is not None:
        text = with_port[1] or with_port[2]
    parsed = _parsed(text.partition("%")[0])
    return UNKNOWN_ADDRESS if parsed is None else str(parsed)


def line_of(address: str) -> str:
    """The line of one office or home: an IPv4 address, or the 64 bits of an IPv6 address that one subscriber
    gets."""
    return _network_of(address, 64)


def site_of(address: str) -> str:
    """What one owner of IPv6 addresses may hold: 48 bits, which are 65,536 lines. For an IPv4 address, the
    address itself."""
    return _network_of(address, 48)


def mask_address(address: str) -> str:
    """Enough for people to recognise their own office or home line: 203.0.113.*, or the first 48 bits of an
    IPv6 address."""
    parsed = _parsed(address)
    if parsed is None:
        return "tidak diketahui"
    if isinstance(parsed, IPv6Address):
        return ":".join(parsed.exploded.split(":")[:3]) + ":*"
    return ".".join(str(parsed).split(".")[:3]) + ".*"


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """A server that listens on both kinds writes an IPv4 address as ::ffff:203.0.113.7. Without this step all
    such addresses would be one line."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return parsed if isinstance(parsed, IPv4Address) else _ipv4_within(parsed) or IPv6Address(int(parsed))


def _ipv4_within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address only carries, so that nobody gets more lines by another
    spelling."""
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in block for block in _ENDS_IN_IPV4):
        return last
    if address in _COMPATIBLE:
        return last if last.packed[0] else None
    teredo = address.teredo
    return address.sixtofour or (teredo[1] if teredo else None)


@lru_cache(_ADDRESSES_KEPT)
def _network_of(address: str, bits: int) -> str:
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), bits), strict=False))
    return str(parsed or UNKNOWN_ADDRESS)


# In this order: every browser claims to be some of those below it.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux": "Linux",
}


def browser_name(user_agent: str) -> str:
    """For example "Chrome di Android": enough for people to tell their own devices apart."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in user_agent), "Browser lain")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), None)
    return f"{browser} di {system}" if system else browser
