import pytest

from c1222.errors import DecodeError
from c1222.message.tlv_plan import Node, Walk, emit


def leaf(name: str, *tags: int, optional: bool = False, smallest: int = 0, largest: int = 9) -> Node:
    return Node(name, tags, "leaf", optional, smallest, largest, (), frozenset(tags[:1]))


PAIR = Node(
    "pair",
    (0xA0, 0x30),
    "sequence",
    False,
    0,
    0,
    (
        leaf("first", 0x80, optional=True),
        Node(
            "either",
            (),
            "choice",
            False,
            0,
            0,
            (leaf("left", 0x81), leaf("right", 0xA2, 0x04)),
            frozenset((0x81, 0xA2)),
        ),
        leaf("last", 0x83, optional=True, smallest=1, largest=2),
    ),
    frozenset((0xA0,)),
)


@pytest.mark.parametrize(
    ("octets", "leaves"),
    [
        ("a0043002 8100", {"left": ""}),
        ("a0083006 800155 810166", {"first": "55", "left": "66"}),
        ("a0093007 a203040166 8300", None),
        ("a00a3008 a203040166 830177", {"right": "66", "last": "77"}),
    ],
)
def test_walked_and_emitted(octets: str, leaves: dict[str, str] | None) -> None:
    data = bytes.fromhex(octets)
    walk = Walk(data, "x")
    if leaves is None:
        with pytest.raises(DecodeError, match=r"x\.last at octet 11: 0 octets, 1 to 2"):
            walk.element(PAIR, 0, len(data))
        return
    walk.element(PAIR, 0, len(data))
    assert {name: data[start:end].hex() for name, (start, end) in walk.leaves.items()} == leaves
    assert emit(PAIR, {name: bytes.fromhex(text) for name, text in leaves.items()}) == data
    assert walk.findings == []


def test_nothing_given_is_nothing_emitted() -> None:
    assert emit(PAIR, {}) is None


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("", "x at octet 0: the tag A0 is missing"),
        ("a100", "x at octet 0: the tag A0 is expected, not A1"),
        ("a0023000", "x at octet 4: either is missing"),
        ("a0053002 810000", "x at octet 6: octets are left over"),
        ("a0043002 8100 00", "x at octet 6: octets are left over"),
        ("a0083006 a20304 0166 00", "x at octet 9: the tag 00 is not expected here"),
        ("a0073005 a203810100", "x.right at octet 6: the tag 04 is expected, not 81"),
        ("a0063004 81008000", "x at octet 6: the tag 80 is not expected here"),
    ],
)
def test_octets_beside_the_plan(octets: str, text: str) -> None:
    data = bytes.fromhex(octets)
    with pytest.raises(DecodeError) as caught:
        Walk(data, "x").element(PAIR, 0, len(data))
    assert str(caught.value) == text


def test_lengths_that_are_not_minimal_are_remarked() -> None:
    data = bytes.fromhex("a0073005 81820001 55".replace(" ", ""))
    walk = Walk(data, "x")
    walk.element(PAIR, 0, len(data))
    assert [(finding.path, finding.offset) for finding in walk.findings] == [("x.left", 5)]
