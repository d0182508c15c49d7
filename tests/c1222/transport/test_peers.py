import pytest

from c1222.transport.peers import peer_of


@pytest.mark.parametrize("host", ["192.0.2.1", "localhost", "no:address"])
def test_what_has_no_prefix_counts_as_it_is(host: str) -> None:
    assert peer_of(host) == host


def test_ipv6_counts_by_its_first_64_bits() -> None:
    assert peer_of("2001:db8:1:2:3:4:5:6") == bytes.fromhex("20010db800010002")
    assert peer_of("2001:db8:1:2::ffff") == peer_of("2001:db8:1:2:3:4:5:6")
    assert peer_of("2001:db8:1:3::ffff") != peer_of("2001:db8:1:2:3:4:5:6")
    assert peer_of("fe80::1%eth0") == peer_of("fe80::2%eth1") == bytes.fromhex("fe80000000000000")


def test_ipv4_in_the_form_of_ipv6_counts_as_ipv4() -> None:
    assert peer_of("::ffff:192.0.2.1") == peer_of("192.0.2.1") != peer_of("::ffff:192.0.2.2")
