"""From where a request came, for the audit trail and for letters."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network


@dataclass(frozen=True)
class Client:
    """One request's sender. The address is as the trusted proxies give it."""

    address: str
    user_agent: str
    request_id: str


COMMAND_LINE = Client("-", "command line", "-")


def line_of(address: str) -> str:
    """One office, one line: an IPv4 address, or the 64 bits of an IPv6 address that one subscriber is given."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def mask_address(address: str) -> str:
    """Enough to know one's own office or home line again: 203.0.113.*, or the first 48 bits of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "tidak diketahui"
    if isinstance(parsed, IPv6Address):
        return ":".join(parsed.exploded.split(":")[:3]) + ":*"
    return ".".join(str(parsed).split(".")[:3]) + ".*"


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
