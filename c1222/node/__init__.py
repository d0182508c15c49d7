"""Nodes: simulated meters that others can talk to, their stores, and a relay.

    from c1222 import node

    with node.running(node.Profile.from_file("meter.json"), keys={2: key}) as meter:
        ...  # meter.host, meter.port, meter.title

What is named here is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c1222.node.meter.profile import Profile
    from c1222.node.network.relay import Relay
    from c1222.node.network.runner import RunningNode, running
    from c1222.node.network.server import NodeServer
    from c1222.node.settings import Settings, make_fleet

__all__ = ["NodeServer", "Profile", "Relay", "RunningNode", "Settings", "make_fleet", "running"]

_HOMES = {
    "NodeServer": "network.server",
    "Profile": "meter.profile",
    "Relay": "network.relay",
    "RunningNode": "network.runner",
    "Settings": "settings",
    "make_fleet": "settings",
    "running": "network.runner",
}

if not TYPE_CHECKING:  # a misspelt name is an error to a type checker

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return value


def __dir__() -> list[str]:
    return __all__
