"""From where a request came, for the audit trail and for letters."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address


@dataclass(frozen=True)
class Client:
    """One request's sender. The address is as the trusted proxies give it."""

    address: str
    user_agent: str
    request_id: str

    @property
    def masked_address(self) -> str:
        return mask_address(self.address)


COMMAND_LINE = Client("-", "command line", "-")


def mask_address(address: str) -> str:
    """Enough to know one's own office or home line again: 203.0.113.*, or the first 48 bits of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "tidak diketahui"
    if isinstance(parsed, IPv6Address):
        return ":".join(parsed.exploded.split(":")[:3]) + ":*"
    return ".".join(str(parsed).split(".")[:3]) + ".*"
