"""The declaration: pyasn1 as the oracle of the decoder, and the module in specs/ as its readable twin."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from pyasn1.codec.ber import decoder, encoder

from c1222.errors import DecodeError
from c1222.message.acse import Acse, declaration, decode_acse, plan
from c1222.message.aptitle import ABSOLUTE_TAG, RELATIVE_TAG, RELATIVE_TAG_OF_2006
from c1222.message.tlv_plan import Node
from tests.c1222.message.known import OCTETS, apdus, mutated
from tests.c1222.message.oracle import our_values, pyasn1_values, same

MODULE = (Path(__file__).parents[3] / "specs/c1222.asn1").read_text("utf-8")
TAGS = {tag for element in plan().elements.values() for tag in element.tags} | {0x06, 0x80, 0x0D, 0x02}
TAGS |= {0x81, 0x82, 0x83, 0xA0, 0xA1}


@pytest.mark.parametrize("octets", OCTETS, ids=lambda o: o.hex()[:40])
def test_known_messages_as_pyasn1_reads_them(octets: bytes) -> None:
    theirs = pyasn1_values(octets)
    assert theirs is not None
    assert same(our_values(decode_acse(octets)), theirs)


def has_titles(acse: Acse) -> bool:
    # pyasn1 refuses the empty RELATIVE-OID, which stands for "no title yet" here.
    return not any(title is not None and title.is_empty for title in (acse.called, acse.calling))


@given(apdus.filter(has_titles))
@settings(max_examples=100)
def test_built_messages_as_pyasn1_reads_them(acse: Acse) -> None:
    theirs = pyasn1_values(acse.octets)
    assert theirs is not None
    assert same(our_values(acse), theirs)


@given(apdus.filter(has_titles))
@settings(max_examples=50)
def test_what_pyasn1_writes_is_read_alike(acse: Acse) -> None:
    value, _ = decoder.decode(acse.octets, asn1Spec=declaration())
    octets = encoder.encode(value)  # signed integers come back as they were: minimal two's complement
    assert decode_acse(octets).check() is None
    assert same(our_values(decode_acse(octets)), pyasn1_values(octets))


@given(mutated())
@settings(max_examples=200)
def test_what_pyasn1_takes_of_mutated_messages_ours_takes(octets: bytes) -> None:
    theirs = pyasn1_values(octets)
    if theirs is not None:
        assert taken(octets, theirs)


@pytest.mark.parametrize("octets", OCTETS, ids=lambda o: o.hex()[:40])
def test_what_pyasn1_takes_of_flipped_messages_ours_takes(octets: bytes) -> None:
    compared = 0
    for pos in range(len(octets)):
        for bit in (1, 4, 0x20, 0x80):
            flipped = bytearray(octets)
            flipped[pos] ^= bit
            theirs = pyasn1_values(bytes(flipped))
            if theirs is not None:
                compared += 1
                assert taken(bytes(flipped), theirs)
    assert compared > 20


def taken(octets: bytes, theirs: dict[str, Any]) -> bool:
    """Whether ours takes it too, with equal values, but for what pyasn1 alone lets pass (X.690 forbids all of it):

    - the bit of the tag that tells constructed from primitive, which pyasn1 ignores: put right, ours must agree;
    - the indefinite length;
    - an INTEGER without octets, or with more than five where the value would fit;
    """
    for _ in range(8):
        try:
            acse = decode_acse(octets)
            ours = our_values(acse)
        except DecodeError as error:
            if re.search(r"indefinite|^0 octets|^\d+ octets, 1 to 5", error.reason):
                return True
            wrong = error.offset
        else:
            if same(ours, theirs):
                return True
            wrong = next((begin for begin, _, _ in acse.unknown if octets[begin] ^ 0x20 in plan().elements), -1)
        if not 0 <= wrong < len(octets) or octets[wrong] ^ 0x20 not in TAGS:
            return False
        octets = octets[:wrong] + bytes((octets[wrong] ^ 0x20,)) + octets[wrong + 1 :]
    return False


def test_plan_is_that_of_the_wire() -> None:
    assert list(plan().elements) == [0xA1, 0xA2, 0xA3, 0xA4, 0xA6, 0xA7, 0xA8, 0x8B, 0xAC, 0xBE]
    assert plan().required == (0xA8,)
    assert plan().authentication.hex() == "ac0fa20da00ba109800100810400000000"  # what Elster's client insists on
    titles = plan().elements[plan().tags["called-AP-title"]]
    assert titles.members[0].tags == (ABSOLUTE_TAG,)
    assert [member.tags for member in titles.members[1:]] == [(RELATIVE_TAG,), (RELATIVE_TAG_OF_2006,)]


def test_module_in_specs_says_the_same() -> None:
    top = MODULE.split("APDU ::=")[1].split("\n}")[0]
    listed = re.findall(
        r"^    ([\w-]+) +\[(\d+)\] +(EXPLICIT )?(\S+).*?(OPTIONAL)?,? *-- ([0-9A-F]{2})", top, re.MULTILINE
    )
    assert [(name, int(tag, 16), bool(optional)) for name, _, _, _, optional, tag in listed] == [
        (element.name, tag, element.optional) for tag, element in plan().elements.items()
    ]
    for name, number, explicit, _, _, tag in listed:
        assert int(tag, 16) & 0x1F == int(number), name
        assert bool(explicit) == bool(int(tag, 16) & 0x20), name

    def nodes(node: Node) -> list[Node]:
        return [node, *(inner for member in node.members for inner in nodes(member))]

    sizes = {
        name: (int(low), int(high or low))
        for name, low, high in re.findall(r"([\w-]+) +\[\d\] OCTET STRING \(SIZE \((\d+)(?:\.\.(\d+))?\)\)", MODULE)
    }
    everything = [inner for element in plan().elements.values() for inner in nodes(element)]
    for node in everything:
        assert re.search(rf"^ +{re.escape(node.name)} ", MODULE, re.MULTILINE), node.name
        if node.name in sizes:
            assert (node.smallest, node.largest) == sizes.pop(node.name), node.name
    assert not sizes
