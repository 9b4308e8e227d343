"""Which network addresses are public. Webhooks are sent to public addresses only, unless the operator allows others."""

import ipaddress
import socket
from collections.abc import Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Not the standard library's tables, which depend on the Python version.
_SPECIAL_IPV4 = {
    # The IANA IPv4 special-purpose address registry, including its globally reachable rows: those are
    # anycast addresses of network equipment, which receives no webhooks.
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
    # From the IANA IPv4 multicast registry.
    "224.0.0.0/4": "multicast",
}
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""Contains all public IPv6 addresses, and no loopback, link-local, unique local or multicast addresses."""
_SPECIAL_IPV6 = {
    # The rows of the IANA IPv6 special-purpose address registry within global unicast.
    "2001::/23": "IETF protocol assignments",
    "2001:db8::/32": "documentation",
    "2620:4f:8000::/48": "AS112",
    "3fff::/20": "documentation",
}
_NETWORKS_IPV4 = tuple(ipaddress.IPv4Network(network) for network in _SPECIAL_IPV4)
_NETWORKS_IPV6 = tuple(ipaddress.IPv6Network(network) for network in _SPECIAL_IPV6)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def parse(host: str) -> Address | None:
    """Parse the host of a URL as an address, in any notation that resolvers accept; None for a name."""
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
    """Whether an address is public. An IPv6 address that embeds IPv4 addresses is public if all of them are."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NETWORKS_IPV4)
    if embedded := list(_embedded(address)):
        return all(is_public(one) for one in embedded)
    return address in _GLOBAL_UNICAST and not any(address in network for network in _NETWORKS_IPV6)


def _embedded(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """The embedded IPv4 addresses: mapped, 6to4, Teredo, NAT64."""
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)


def is_local_name(host: str) -> bool:
    """Whether a host name always resolves to the local machine."""
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")
