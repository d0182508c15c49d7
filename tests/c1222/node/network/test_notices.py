"""Notices: what the event log takes in goes to a host, one way."""

from __future__ import annotations

from c1219.codes.events import EventCode
from c1222.message.epsem import ResponseControl
from c1222.node.network.notices import Notices
from c1222.protocol.identity import Identity
from c1222.protocol.opening import decode
from c1222.protocol.responder.responder import Responder
from c1222.services import tables
from tests.c1222.node.rig import KEY, MASTER, Rig


def rig_with_notices(**options: object) -> tuple[Rig, Notices]:
    rig = Rig(keys={2: KEY}, cleartext=True)
    station = next(iter(rig.fleet.stations.values()))
    return rig, Notices(rig.meter, station.responder.identity, ".77", **options)


def sent(rig: Rig, notices: Notices) -> list[bytes]:
    notices.tick(now=rig.now, utc=rig.utc)
    return notices.apdus_to_send(now=rig.now, utc=rig.utc)


def test_an_entry_of_the_event_log_is_sent_as_it_stands_there() -> None:
    rig, notices = rig_with_notices(mode=2, key_id=2)
    assert sent(rig, notices) == []
    rig.caller().log_in(MASTER).call(9, b"\1")
    apdus = sent(rig, notices)
    assert sent(rig, notices) == []
    messages = [decode(apdu, keys={2: KEY}) for apdu in apdus]
    log = rig.device()[76]
    assert messages
    for message in messages:
        assert message.authenticated
        assert message.calling_ae_qualifier == 4, "NOTIFICATION"
        assert message.response_control is ResponseControl.NEVER
        assert message.ed_class == b"DEMO"
        assert not message.is_response
        (request,) = message.services
        assert isinstance(request, tables.WriteOffsetRequest)
        assert request.table == 76
        assert log.raw[request.offset : request.offset + len(request.data)] == request.data
        element = log.layout.at_offset(request.offset)
        assert element.path.startswith("ST76.ENTRIES[")


def test_a_host_takes_it_and_says_nothing() -> None:
    rig, notices = rig_with_notices()
    rig.caller().log_in(MASTER).call(9, b"\1")
    told = []

    def host(request: object, context: object) -> object:
        told.append((request, context.is_notification))
        return tables.WriteOffsetResponse()

    responder = Responder(Identity(".77"), host)
    for apdu in sent(rig, notices):
        responder.receive(apdu, source="meter", now=rig.now, utc=rig.utc)
    assert responder.apdus_to_send() == []
    assert told
    assert all(is_notification for _, is_notification in told)


def test_only_chosen_events_and_not_too_many() -> None:
    rig, notices = rig_with_notices(events={EventCode.SELF_READ})
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {20, 21})
    rig.caller().log_in(MASTER).call(9, b"\2")
    assert len(sent(rig, notices)) == 1
    for _ in range(150):
        rig.meter.log(EventCode.SELF_READ)
    assert len(sent(rig, notices)) == 100
    assert notices.lost == 50
