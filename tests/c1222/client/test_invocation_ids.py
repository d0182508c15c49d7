"""How long the invocation ids of a client are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import pytest

import c1222
from c1222.client.aio import Network
from c1222.transport.memory import Wire
from tests.c1222.client.rig import METER, READER

if TYPE_CHECKING:
    from c1222.protocol.identity import Identity

pytestmark = pytest.mark.parametrize("bits", [16, 32])


def longest(identity: Identity) -> int:
    return max(identity.next_id(1000.5) for _ in range(0x9000))


def test_those_of_a_conversation(bits: Literal[16, 32]) -> None:
    wire = Wire()
    with c1222.connect(wire.endpoint(1, "node"), called=METER, calling=READER, clock=wire, id_bits=bits) as meter:
        assert (longest(meter._operations.conversation.initiator.identity) < 0x8000) == (bits == 16)


def test_those_of_many_conversations(bits: Literal[16, 32]) -> None:
    async def main() -> int:
        async with Network(calling=READER, id_bits=bits) as network:
            return longest(network.identity)

    assert (asyncio.run(main()) < 0x8000) == (bits == 16)
