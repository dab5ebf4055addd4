"""Which addresses may be spoken to.

A tenant chooses where we connect, so a name must never lead into our own network:
not to the loopback, a private range or a cloud's metadata service, in no spelling.
"""

import socket
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

_INNER: Final = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the clouds' metadata services
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",  # unspecified, loopback, and the old form of IPv4 inside IPv6
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # protocol assignments, among them Teredo
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/9",  # link-local and the old site-local
        "ff00::/8",
    )
]
_NAT64: Final = ip_network("64:ff9b::/96")


class AddressRefused(ValueError):
    """The host leads to an address that may not be spoken to."""


def reachable(host: str, port: int, allowed_inner: Collection[str] = ()) -> str:
    """Resolve a host and return the one address to connect to.

    Connect to what is returned and to nothing else: a second look-up may answer
    differently. A host in `allowed_inner` may be an inner one. Raises `AddressRefused`
    if any of its addresses is an inner one, and `OSError` if it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = [str(entry[4][0]) for entry in found]
    if host.lower() not in allowed_inner:
        for address in addresses:
            if is_inner(ip_address(address.partition("%")[0])):
                raise AddressRefused(f"{host} leads to an address inside a private network.")
    return addresses[0]


def is_inner(address: Address) -> bool:
    """Whether an address is anything else than a public one.

    >>> is_inner(ip_address("169.254.169.254")), is_inner(ip_address("::ffff:10.0.0.1"))
    (True, True)
    >>> is_inner(ip_address("93.184.215.14"))
    False
    """
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or _nat64(address)
        if carried is not None:
            return is_inner(carried)
    return any(address in network for network in _INNER)


def _nat64(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None
