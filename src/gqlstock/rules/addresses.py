"""Which network addresses are the public's: webhooks go nowhere else unless the operator says so."""

import ipaddress
import socket
from collections.abc import Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def parse(host: str) -> Address | None:
    """The address that a host of a URL is, in every notation that resolvers take; None for a name."""
    text = host.removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        pass
    try:
        # 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to every resolver.
        return ipaddress.IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


def is_public(address: Address) -> bool:
    """Whether an address, and whatever address of the old kind is packed into it, is out in the internet."""
    packed: list[Address] = list(_inside(address)) if isinstance(address, ipaddress.IPv6Address) else []
    return all(_is_public(one) for one in packed or [address])


def _is_public(address: Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not special and not site_local


def _inside(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """Mapped, NAT64, 6to4, Teredo."""
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)


def is_local_name(host: str) -> bool:
    """Whether a name stands for the machine itself wherever it is looked up."""
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")
