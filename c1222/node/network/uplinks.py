"""What the meters of a node say without being asked: registrations with a relay, notices to a host."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from c1222.errors import EncodeError
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import SecurityMode
from c1222.node.network.notices import Notices
from c1222.node.network.registration import Registration
from c1222.node.network.relay import native_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.node.meter.meter import SimulatedMeter
    from c1222.node.network.fleet import Fleet
    from c1222.node.network.server import NodeServer
    from c1222.node.network.station import Station

__all__ = ["notify", "register"]


async def register(
    server: NodeServer,
    fleet: Fleet,
    relay: str,
    title: ApTitle | str | None = None,
    *,
    key_id: int | None = None,
    seed: int = 0,
) -> list[Registration]:
    """Have all meters of a node register with a relay, and keep them registered.

    Args:
        server: what serves them; it must listen on a UDP address of the relay's family.
        fleet: the meters.
        relay: where the relay is, ``udp://…``.
        title: its title; None when it is not known.
        key_id: key to register with, secured; in cleartext when None.
        seed: what random waits follow from.

    Raises:
        InvalidUrl, Unreachable, StateError: see `NodeServer.ask`.
        UnknownKey: there is no such key.
    """
    made = []
    own = next((native_address((url.host, url.port)) for url in server.urls if url.scheme == "udp"), b"")
    for number, station in enumerate(fleet.stations.values()):
        meter = station.meter
        registration = Registration(
            station.responder.identity,
            title,
            device_class=meter.device_class,
            native_address=own,
            serial_number=_serial(meter.tables.find("ST1.MFG_SERIAL_NUMBER")),
            mode=_mode(key_id),
            key_id=key_id,
            seed=seed + number,
            ended=partial(_ended, meter),
        )
        registration.renamed = partial(_rename, fleet, station, registration)
        meter.network = _network(registration, server)
        fleet.answers[registration.content] = registration
        await server.ask(registration, relay)
        made.append(registration)
    return made


async def notify(
    server: NodeServer, fleet: Fleet, host: str, title: ApTitle | str, *, key_id: int | None = None
) -> list[Notices]:
    """Have all meters of a node tell a host of what their event logs take in.

    Args:
        server: what serves them; it must listen on a UDP address of the host's family.
        fleet: the meters.
        host: where the host is, ``udp://…``.
        title: its title.
        key_id: key to secure notices with; in cleartext when None.

    Raises:
        InvalidUrl, Unreachable, StateError: see `NodeServer.ask`.
        UnknownKey: there is no such key.
    """
    made = []
    for station in fleet.stations.values():
        notices = _notices(station, title, key_id)
        await server.ask(notices, host)
        made.append(notices)
    return made


def _notices(station: Station, title: ApTitle | str, key_id: int | None) -> Notices:
    return Notices(station.meter, station.responder.identity, title, mode=_mode(key_id), key_id=key_id)


def _ended(meter: SimulatedMeter, result: int) -> None:
    meter.network_answered(result)


def _rename(fleet: Fleet, station: Station, registration: Registration, title: ApTitle) -> bool:
    if not fleet.rename(station, title):
        return False
    fleet.answers[title.absolute(fleet.keys.base_oid).content] = registration
    return True


def _mode(key_id: int | None) -> SecurityMode:
    return SecurityMode.CLEARTEXT if key_id is None else SecurityMode.CIPHERTEXT_AUTHENTICATION


def _network(registration: Registration, server: NodeServer) -> Callable[[str], bool]:
    def ask(what: str) -> bool:
        if what == "register":
            return registration.register()
        return registration.deregister(now=server.now(), utc=server.utc())

    return ask


def _serial(serial: object) -> ApTitle | None:
    """Return a serial number as the identifier that Register carries: its digits as one arc."""
    digits = "".join(filter(str.isdecimal, str(serial or "")))[:20].lstrip("0")
    try:
        return ApTitle(f".{digits}") if digits else None
    except EncodeError:
        return None
