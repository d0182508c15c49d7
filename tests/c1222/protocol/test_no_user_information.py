"""APDUs with nothing in them: no control octet, no body."""

from __future__ import annotations

import pytest

from c1222.errors import DecodeError
from c1222.message.acse import Acse
from c1222.message.aptitle import ApTitle
from c1222.message.segmentation import cut
from c1222.protocol.identity import Identity
from c1222.protocol.message import Message
from c1222.protocol.opening import decode, open_message
from c1222.protocol.policy import TCP_LINK, UDP_LINK, Link
from c1222.protocol.responder.responder import Responder
from c1222.security.keys import Key, KeyStore
from tests.c1222.protocol.rig import KEY, METER, READER, Store

EMPTY = Acse.build(user_information=b"", called=ApTitle(METER), calling=ApTitle(READER), calling_invocation_id=5)


def test_decoding_says_so() -> None:
    with pytest.raises(DecodeError, match="control octet is missing"):
        decode(EMPTY.octets)


def test_an_opened_one_has_findings_and_no_control() -> None:
    message = open_message(Message, EMPTY, KeyStore())
    assert [finding.text for finding in message.findings] == ["the control octet is missing"]
    for name in ("security_mode", "response_control", "ed_class"):
        with pytest.raises(DecodeError):
            getattr(message, name)


def test_neither_has_a_segment_without_octets() -> None:
    whole = Acse.build(user_information=bytes(60), called=ApTitle(METER), calling_invocation_id=5).octets
    segment = decode(cut(whole, 30)[0])
    assert segment.acse is not None
    fields = segment.acse.fields()
    empty = decode(Acse.build(user_information=b"", **fields).octets)
    with pytest.raises(DecodeError):
        _ = empty.security_mode


@pytest.mark.parametrize("link", [UDP_LINK, TCP_LINK], ids=["datagrams", "connection"])
@pytest.mark.parametrize("keys", [None, KEY], ids=["clear", "secured"])
def test_a_node_drops_it(keys: Key | None, link: Link) -> None:
    responder = Responder(Identity(METER, keys), Store())
    responder.receive(EMPTY.octets, now=0.0, utc=1e9, link=link)
    assert responder.apdus_to_send() == []
    assert responder.counters["malformed"] == 1
