"""From where a request came, for the audit trail and for letters."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


@dataclass(frozen=True)
class Client:
    """One request's sender. The address is as the trusted proxies give it."""

    address: str
    user_agent: str
    request_id: str


COMMAND_LINE = Client("-", "command line", "-")
WORKER = Client("-", "worker", "-")


def line_of(address: str) -> str:
    """One office, one line: an IPv4 address, or the 64 bits of an IPv6 address that one subscriber is given."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), 64), strict=False))
    return str(parsed or address)


def mask_address(address: str) -> str:
    """Enough to know one's own office or home line again: 203.0.113.*, or the first 48 bits of an IPv6 address."""
    parsed = _parsed(address)
    if parsed is None:
        return "tidak diketahui"
    if isinstance(parsed, IPv6Address):
        return ":".join(parsed.exploded.split(":")[:3]) + ":*"
    return ".".join(str(parsed).split(".")[:3]) + ".*"


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """A server that listens on both kinds writes an IPv4 address as ::ffff:203.0.113.7: all of these are not one line."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


# In this order: every browser claims to be some of those below it.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "Mac", "Linux": "Linux"}


def browser_name(user_agent: str) -> str:
    """Chrome di Android: enough for people to know their own devices apart."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in user_agent), "Browser lain")
    system = next((name for mark, name in _SYSTEMS.items() if mark in user_agent), None)
    return f"{browser} di {system}" if system else browser
