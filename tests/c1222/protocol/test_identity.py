from typing import Literal

import pytest

from c1222.errors import EncodeError, InvalidKey
from c1222.message.aptitle import ApTitle
from c1222.protocol.identity import Identity, first_id
from c1222.security.keys import KeyStore
from c1222.security.receiving import Freshness, ReplayGuard
from c1222.security.sealing import SessionSecurity
from c1222.security.sending import SendGuard
from tests.c1222.protocol.rig import KEY, READER


def test_made_from_whatever_the_front_door_takes() -> None:
    assert Identity(READER).title == ApTitle(READER)
    assert Identity(None).title is None
    assert len(Identity(READER).keys) == 0
    assert len(Identity(READER, KEY).keys) == 1
    assert len(Identity(READER, {2: bytes(16)}).keys) == 1
    store = KeyStore([KEY])
    assert Identity(READER, store).keys is store
    with pytest.raises(EncodeError):
        Identity("reader")
    with pytest.raises(InvalidKey):
        Identity(READER, {2: b"short"})
    assert repr(Identity(READER, KEY)) == "<Identity .123.4>"


def test_ids_grow() -> None:
    identity = Identity(READER)
    ids = [identity.next_id(1000.9) for _ in range(1000)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("bits", [16, 32])
def test_ids_of_programs_that_follow_each_other_within_a_second_do_so_too(bits: Literal[16, 32]) -> None:
    for utc in (0.0, 1_700_000_000.0, 4_000_000_000.0):
        starts = [Identity(READER, id_bits=bits).next_id(utc + part / 1000) for part in range(1000)]
        assert starts == sorted(set(starts))
        assert {start.bit_length() for start in starts} == {bits - 2}
    assert len({first_id(5.5, bits) for _ in range(500)}) > (3 if bits == 16 else 300)
    short, long = Identity(READER, id_bits=16), Identity(READER)
    assert short.next_id(9.5) >> 2 == first_id(9.5, 16) >> 2
    assert long.next_id(9.5) + 1 == long.next_id(0.0)  # only the first follows the time
    assert long.next_id(9.5, answers=0xFFFF) >> 2 == first_id(9.5, 16) >> 2
    assert long.next_id(9.5, answers=0x10000) > 0xFFFF


@pytest.mark.parametrize("bits", [16, 32])
def test_a_thousand_nodes_asked_by_two_programs_within_a_second(bits: Literal[16, 32]) -> None:
    nodes = {ApTitle(f".9.{number}"): ReplayGuard(window=900) for number in range(1000)}
    for utc in (1000.05, 1000.55):
        identity = Identity(READER, KEY, id_bits=bits)
        sender = ApTitle(READER).absolute()
        for title, guard in nodes.items():
            number = identity.next_id(utc)
            opened, _ = identity.secure(2, number, utc, called=title, opens_session=True)
            assert guard.check(sender, 2, opened.iv, number, utc) is Freshness.FRESH
            assert not guard.is_used(sender, 2, opened.iv, number)
            for _ in range(2):
                number = identity.next_id(utc)
                same, carries = identity.secure(2, number, utc, called=title, session=opened)
                assert (same, carries) == (opened, False)
                assert guard.check_in_session(sender, 2, opened.iv, number) is Freshness.FRESH
        assert identity.lead(2, utc) == 0


def test_secured_under_the_time_and_in_a_session_under_its_vector() -> None:
    identity = Identity(READER, KEY)
    first, carries = identity.secure(2, 10, 1000.9)
    assert (first, carries) == (SessionSecurity(2, (1000).to_bytes(4)), True)
    assert identity.secure(2, 11, 1005.0, session=first) == (first, False)
    # an id that does not grow, a session under another key: a vector of its own
    again, carries = identity.secure(2, 11, 1005.0, session=first)
    assert (again.iv, carries) == ((1005).to_bytes(4), True)
    for number, utc in ((8, 1000.0), (9, 1010.0)):
        identity.secure(3, number, utc)
    other, carries = identity.secure(3, 12, 1011.0, session=again)
    assert (other, carries) == (SessionSecurity(3, (1011).to_bytes(4)), True)


def test_names_that_share_a_guard_do_not_get_into_each_others_way() -> None:
    guard = SendGuard()
    one, two = Identity(".1", KEY, guard=guard), Identity(".2", KEY, guard=guard)
    assert one.secure(2, 5, 1000.0)[0].iv == two.secure(2, 5, 1000.0)[0].iv == (1000).to_bytes(4)
    same = Identity(".1", KEY, guard=guard)
    assert same.secure(2, 5, 1000.0)[0].iv == (1001).to_bytes(4)


def test_both_forms_of_a_name_are_one_sender_under_the_configured_base() -> None:
    guard, keys = SendGuard(), KeyStore([KEY], base_oid="1.2.3")
    vectors = [Identity(title, keys, guard=guard).secure(2, 5, 1000.0)[0].iv for title in (".4", "1.2.3.4", ".5")]
    assert [int.from_bytes(iv) for iv in vectors] == [1000, 1001, 1000]


def test_titles_are_the_same_in_any_form() -> None:
    identity = Identity(READER)
    one, other = ApTitle(".1.2"), ApTitle(".1.3")
    assert identity.same(one, one.absolute())
    assert not identity.same(one, other)
    assert identity.same(None, None)
    assert not identity.same(one, None)
    assert not identity.same(None, one)
    assert not identity.same(ApTitle("."), one)
    base = ApTitle("1.3.6.1")
    based = Identity(READER, KeyStore(base_oid=base))
    assert based.same(one, ApTitle("1.3.6.1.1.2"))
    assert not identity.same(one, ApTitle("1.3.6.1.1.2"))
