import ipaddress

import pytest

from gqlstock.rules import addresses


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_an_address_of_the_internet_is_public(address):
    assert addresses.is_public(ipaddress.ip_address(address)) is True


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "fc00::1",
        "fd12:3456:789a::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_an_address_that_is_not_out_there_is_not(address):
    assert addresses.is_public(ipaddress.ip_address(address)) is False


# Both registries as IANA publishes them (iana-ipv4-special-registry, iana-ipv6-special-registry), but for the three
# IPv6 networks that have IPv4 addresses in them, which are tested by those.
REGISTRIES = """0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
  192.0.0.0/29 192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24
  192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4
  255.255.255.255/32 ::1/128 ::/128 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001:1::1/128 2001:1::2/128
  2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32
  2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10"""


@pytest.mark.parametrize("row", REGISTRIES.split())
def test_no_address_of_a_special_purpose_network_is_public(row):
    network = ipaddress.ip_network(row)
    within = [network[0], network[-1], network[network.num_addresses * 3 // 4]]

    assert [addresses.is_public(one) for one in within] == [False, False, False]


@pytest.mark.parametrize("row", [row for row in REGISTRIES.split() if "." in row])
@pytest.mark.parametrize("prefix", ["::ffff:0:0", "64:ff9b::", "6to4", "Teredo"])
def test_a_special_purpose_address_within_an_ipv6_address_is_not_public(row, prefix):
    inside = int(ipaddress.ip_network(row)[-1])
    packed = {
        "::ffff:0:0": 0xFFFF << 32 | inside,
        "64:ff9b::": int(ipaddress.ip_address("64:ff9b::")) | inside,
        "6to4": 0x2002 << 112 | inside << 80 | 1,
        "Teredo": 0x20010000 << 96 | 0x08080808 << 64 | (inside ^ 0xFFFFFFFF),
    }[prefix]

    assert addresses.is_public(ipaddress.IPv6Address(packed)) is False


@pytest.mark.parametrize("address", ["192.0.1.0", "191.255.255.255", "2000::", "2001:200::1", "2002:808:808::1"])
def test_an_address_beside_a_special_purpose_network_is_public(address):
    assert addresses.is_public(ipaddress.ip_address(address)) is True


@pytest.mark.parametrize("address", ["192.0.0.192", "192.88.99.1", "4000::1", "::8.8.8.8", "3fff::1", "5f00::1"])
def test_what_older_versions_of_the_standard_library_take_for_public_is_not(address):
    assert addresses.is_public(ipaddress.ip_address(address)) is False


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_known_in_every_notation(host, address):
    assert addresses.parse(host) == ipaddress.ip_address(address)


@pytest.mark.parametrize("host", ["shop.example", "127.0.0.1.example", "1.2.3.4.5", "xn--bcher-kva.example"])
def test_a_name_is_no_address(host):
    assert addresses.parse(host) is None


@pytest.mark.parametrize(("host", "local"), [("localhost", True), ("a.LOCALHOST.", True), ("localhost.example", False)])
def test_some_names_are_the_machine_itself(host, local):
    assert addresses.is_local_name(host) is local
