"""What a meter can take and give at a time."""

from __future__ import annotations

from typing import Any

import pytest

from c1219.device import Device
from c1222.client.operations.peer_limits import PeerLimits
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import HEADER_ROOM, UDP_LINK
from c1222.services.results import Iar, Onp, Rstl, Sns
from tests.c1222.client.rig import METER, READER, Tiny, known


def limits_of(device: Device | None = None, chunk: int | None = None, **sizes: Any) -> PeerLimits:
    initiator = Initiator(Identity(READER), METER, link=UDP_LINK)
    for name, value in sizes.items():
        setattr(initiator, name, value)
    return PeerLimits(initiator, Device() if device is None else device, chunk)


def test_room_is_what_the_link_and_the_meter_leave() -> None:
    link = UDP_LINK.max_size - HEADER_ROOM
    assert (limits_of().answer_room, limits_of().request_room) == (link, link)
    assert limits_of(chunk=100).answer_room == limits_of(chunk=100).request_room == 100
    assert limits_of(max_request=1000).request_room == 1000 - HEADER_ROOM
    assert limits_of(max_request=1000).answer_room == link
    assert limits_of(max_request=9000).request_room == link  # the link is the smaller one
    assert limits_of(max_response=1000).answer_room == 1000 - HEADER_ROOM
    assert limits_of(max_response=90).answer_room == 30  # a third, where the header alone would not fit


@pytest.mark.parametrize(("refusal", "others"), [(Onp(), True), (Sns(), False)])
def test_a_refusal_of_parts_is_of_one_table_or_of_all(refusal: Any, others: bool) -> None:
    limits = limits_of()
    assert limits.takes_offsets(6)
    limits.learn_whole_only(6, refusal)
    assert not limits.takes_offsets(6)
    assert limits.takes_offsets(7) == others


def test_smaller_pieces_are_asked_for_only_where_the_answer_was_too_large() -> None:
    limits = limits_of()
    assert limits.smaller(100, Iar()) == 0
    assert limits.smaller(1, Rstl()) == 0
    before = limits.answer_room
    assert limits.smaller(400, Rstl.of(300)) == 300 - HEADER_ROOM
    assert limits.answer_room == before  # the initiator keeps what the meter has told
    assert limits.smaller(100, Rstl()) == limits.answer_room == 50  # without a size, half of it from now on
    assert limits.smaller(50, Rstl.of(1400)) == 25


def test_the_size_of_a_table_is_known_by_its_octets_or_its_layout() -> None:
    device = known(Tiny())
    limits = limits_of(device)
    held = device[23].raw
    assert limits.size_of(23) == len(held)
    device.drop(23)
    assert limits.size_of(23) == len(held)
    device.drop(0)
    assert limits.size_of(0) is None  # its own octets tell
    assert limits.size_of(2000) is None
