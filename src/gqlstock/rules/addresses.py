"""Which network addresses are the public's: webhooks go nowhere else unless the operator says so."""

import ipaddress
import socket
from collections.abc import Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Tables of our own: what the standard library takes for special depends on its version.
_SPECIAL_IPV4 = {
    # The IANA IPv4 special-purpose address registry. Rows that are globally reachable are listed as well: they are
    # anycast addresses of network equipment, and nobody receives webhooks there.
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private use",
    "100.64.0.0/10": "shared address space",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link local",
    "172.16.0.0/12": "private use",
    "192.0.0.0/24": "IETF protocol assignments",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "AS112",
    "192.52.193.0/24": "automatic multicast tunneling",
    "192.88.99.0/24": "6to4 relay anycast",
    "192.168.0.0/16": "private use",
    "192.175.48.0/24": "AS112",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "240.0.0.0/4": "reserved, limited broadcast",
    # A registry of its own.
    "224.0.0.0/4": "multicast",
}
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that IANA gives out of IPv6. Loopback, link local, unique local, multicast and the rest lie outside of it."""
_SPECIAL_IPV6 = {
    # The rows of the IANA IPv6 special-purpose address registry that are within global unicast.
    "2001::/23": "IETF protocol assignments",
    "2001:db8::/32": "documentation",
    "2620:4f:8000::/48": "AS112",
    "3fff::/20": "documentation",
}
_NETWORKS_IPV4 = tuple(ipaddress.IPv4Network(network) for network in _SPECIAL_IPV4)
_NETWORKS_IPV6 = tuple(ipaddress.IPv6Network(network) for network in _SPECIAL_IPV6)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


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
    """Whether an address is out in the internet; one that has IPv4 addresses in it, whether all of those are."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NETWORKS_IPV4)
    if embedded := list(_inside(address)):
        return all(is_public(one) for one in embedded)
    return address in _GLOBAL_UNICAST and not any(address in network for network in _NETWORKS_IPV6)


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
