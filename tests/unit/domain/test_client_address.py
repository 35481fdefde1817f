"""A client address is read once, in every form that servers and proxies write. One client is one line on
every way in."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.client import UNKNOWN_ADDRESS, line_of, mask_address, read_client_address, site_of

WRITTEN = {
    "203.0.113.5": "203.0.113.5",
    "203.0.113.5:40000": "203.0.113.5",
    " 203.0.113.5 ": "203.0.113.5",
    '"203.0.113.5:40000"': "203.0.113.5",
    "[203.0.113.5]:40000": "203.0.113.5",
    "::ffff:203.0.113.5": "203.0.113.5",
    "::FFFF:203.0.113.5": "203.0.113.5",
    "::ffff:cb00:7105": "203.0.113.5",
    "0:0:0:0:0:ffff:203.0.113.5": "203.0.113.5",
    "[::ffff:203.0.113.5]:40000": "203.0.113.5",
    "::ffff:203.0.113.5%eth0": "203.0.113.5",
    "::ffff:0:203.0.113.5": "203.0.113.5",
    "::203.0.113.5": "203.0.113.5",
    "64:ff9b::203.0.113.5": "203.0.113.5",
    "64:ff9b:1::203.0.113.5": "203.0.113.5",
    "2002:cb00:7105::1": "203.0.113.5",
    "2001:0:53aa:64c:0:63bf:34ff:8efa": "203.0.113.5",
    "2001:db8::5": "2001:db8::5",
    "[2001:db8::5]": "2001:db8::5",
    "[2001:db8::5]:51234": "2001:db8::5",
    '"[2001:DB8::5]:51234"': "2001:db8::5",
    "[2001:db8::5": "2001:db8::5",  # the address is complete
    "2001:0db8:0000::0005": "2001:db8::5",
    "2001:db8:0:0:0:0:0:5:443": "2001:db8::5",  # a ninth group is a port
    "2001:db8::5:51234": "2001:db8::5",
    "::ffff:203.0.113.5:40000": "203.0.113.5",
    "fe80::1%eth0": "fe80::1",
    "[fe80::1%25eth0]:80": "fe80::1",
    "::1": "::1",
    "::": "::",
    "127.0.0.1": "127.0.0.1",
    **dict.fromkeys(
        ("", " ", "-", "unknown", "_hidden", "localhost", "203.0.113", "203.0.113.256", "203.0.113.5.",
        "0203.0.113.5", "::1::",
         "[]", ":", ":80", "203.0.113.5:80:90", "2001:db8::5]:80", "/var/run/web.sock",
         "203.0.113.5, 198.51.100.9", "X203.0.113.5X",
         "٢٠٣.0.113.5", "9" * 10_000, "[" * 10_000, "%", "\x00"),
        UNKNOWN_ADDRESS,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "read"), WRITTEN.items(), ids=lambda text: text[:40])
def test_an_address_has_one_spelling(written: str, read: str) -> None:
    assert read_client_address(written) == read


@given(written=st.text(max_size=120) | st.ip_addresses().map(str))
def test_what_was_read_fits_the_table_and_reads_as_itself(written: str) -> None:
    read = read_client_address(written)

    assert len(read) <= 45
    assert read_client_address(read) == read
    assert read == UNKNOWN_ADDRESS or str(ip_address(read)) == read
    assert len(line_of(read)) <= 45
    assert mask_address(read)


@given(address=st.ip_addresses(v=4), port=st.integers(1, 65535))
def test_a_client_with_an_ipv4_address_is_one_line_by_every_way_in(address: IPv4Address, port: int) -> None:
    number = int(address)
    ways = [f"{address}", f"{address}:{port}", f"::ffff:{address}", f"[::ffff:{address}]:{port}",
    f"::ffff:0:{address}",
            f"64:ff9b::{address}", str(IPv6Address((0x2002 << 112) | (number << 80) | 1))]  # fmt: skip

    assert {line_of(read_client_address(way)) for way in ways} == {str(address)}


@given(address=st.ip_addresses(v=6), other=st.integers(0, 2**64 - 1))
def test_a_line_is_64_bits_of_ipv6_and_a_site_48(address: IPv6Address, other: int) -> None:
    read = read_client_address(str(address))
    neighbour = read_client_address(str(IPv6Address((int(address) >> 64 << 64) | other)))
    if ":" in read and ":" in neighbour:
        assert line_of(read) == line_of(neighbour)
        assert line_of(read).endswith("/64")
        assert site_of(read) == site_of(neighbour)
        assert site_of(read).endswith("/48")


def test_what_is_no_address_is_one_line() -> None:
    assert {line_of(read_client_address(junk)) for junk in ("", "x", "10.0.0", "y" * 500)} == {
        UNKNOWN_ADDRESS
    }
    assert mask_address(UNKNOWN_ADDRESS) == "tidak diketahui"
