"""What a node is to be, in one value, and the making of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from c1222.errors import StateError
from c1222.node.meter.meter import SimulatedMeter
from c1222.node.network.fleet import Fleet
from c1222.node.store.sqlite import SQLiteStore
from c1222.node.store.store import MemoryStore, Store
from c1222.protocol.policy import NodePolicy

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from c1222.node.meter.profile import Profile
    from c1222.node.network.faults import FaultPlan
    from c1222.security.keys import KeyStore
    from c1222.transport.tcpserver import TcpLimits

__all__ = ["MAX_METERS", "STORE_FILE", "Settings", "make_fleet", "open_store"]

MAX_METERS: Final = 100_000
"""Meters in one process."""
STORE_FILE: Final = "meters.sqlite"
"""Name of the store in its directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a node is to be.

    Attributes:
        profile: what its meters are made from.
        keys: of all of them; None for none.
        count: how many meters.
        store: directory to keep them in; None keeps them in memory.
        sync: wait for the disk at every change, see `SQLiteStore`.
        cleartext: take cleartext requests; None takes them only where there are no keys.
        rate: seconds of the meters' clocks in a second.
        simulate: whether the meters move.
        history_days: days of load before the first moment; as the profile says when None.
        seed: what chance follows from.
        faults: what goes wrong; None for nothing.
        policy: what else it allows; None for what is usual.
        tcp_limits: what its connections may be; None for what is usual.
    """

    profile: Profile
    keys: KeyStore | None = None
    count: int = 1
    store: str | os.PathLike[str] | None = None
    sync: bool = False
    cleartext: bool | None = None
    rate: float = 1.0
    simulate: bool = True
    history_days: float | None = None
    seed: int = 0
    faults: FaultPlan | None = None
    policy: NodePolicy | None = None
    tcp_limits: TcpLimits | None = None


def open_store(directory: str | os.PathLike[str] | None, *, sync: bool = False) -> Store:
    """Open the store in a directory, made when it is not there; None for one in memory.

    Raises:
        StateError: that cannot be done.
    """
    if directory is None:
        return MemoryStore()
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(f"{directory}: {error.strerror}") from None
    return SQLiteStore(Path(directory) / STORE_FILE, sync=sync)


def make_fleet(settings: Settings, *, utc: float, made: Callable[[int], None] = lambda _count: None) -> Fleet:
    """Make the meters of a node.

    Args:
        settings: what it is to be.
        utc: true time.
        made: called after each meter with how many there are.

    Raises:
        StateError: the store cannot be used, or there are too many meters.
    """
    if not 1 <= settings.count <= MAX_METERS:
        raise StateError(f"1 to {MAX_METERS} meters, not {settings.count}")
    policy = settings.policy or NodePolicy()
    policy = policy._replace(
        cleartext=policy.cleartext if settings.cleartext is None else settings.cleartext,
        max_sessions=settings.profile.options.max_sessions,
    )
    store = open_store(settings.store, sync=settings.sync)
    try:
        fleet = Fleet(store, settings.keys, policy=policy, faults=settings.faults)
        for number in range(settings.count):
            meter = SimulatedMeter(
                settings.profile,
                store,
                utc=utc,
                number=number,
                seed=settings.seed,
                rate=settings.rate,
                simulate=settings.simulate,
                history_days=settings.history_days,
            )
            fleet.add(meter, expected=settings.count)
            made(number + 1)
        fleet.apdus_to_send()  # which makes durable that they exist
    except StateError:
        store.close()
        raise
    return fleet
