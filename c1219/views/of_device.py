"""The views as methods of a device; each is loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from c1219.views.capabilities import Capabilities
    from c1219.views.clock import Clock
    from c1219.views.event_log import EventLog
    from c1219.views.identity import Identity
    from c1219.views.load_profile import LoadProfile
    from c1219.views.registers import Registers
    from c1219.views.security import Access

__all__ = ["Views"]


class Views:
    """What the tables of a device mean. Where tables are absent a view is empty, and its findings say so."""

    __slots__ = ()

    def identity(self) -> Identity:
        """Say who the meter is; see `c1219.views.identity`."""
        found: Identity = _view("identity")(self)
        return found

    def registers(self, **options: Any) -> Registers:
        """Return every register value; options as for `c1219.views.registers.registers`."""
        found: Registers = _view("registers")(self, **options)
        return found

    def load_profile(self, number: int = 1, **options: Any) -> LoadProfile:
        """Return the intervals of a load profile set; options as for `c1219.views.load_profile.load_profile`.

        Args:
            number: of the set, 1..4.
            options: ``since`` and ``until``, for example.
        """
        found: LoadProfile = _view("load_profile")(self, number, **options)
        return found

    def events(self, **options: Any) -> EventLog:
        """Return the entries of the logs; options as for `c1219.views.event_log.events`."""
        found: EventLog = _view("event_log", "events")(self, **options)
        return found

    def clock(self, **options: Any) -> Clock:
        """Say what time it is in the meter; options as for `c1219.views.clock.clock`."""
        found: Clock = _view("clock")(self, **options)
        return found

    def capabilities(self) -> Capabilities:
        """Say which tables, procedures and events the meter has; see `c1219.views.capabilities`."""
        found: Capabilities = _view("capabilities")(self)
        return found

    def access(self) -> Access:
        """Say who may read and write what; see `c1219.views.security`."""
        found: Access = _view("security", "access")(self)
        return found


def _view(module: str, name: str = "") -> Any:
    return getattr(import_module(f"c1219.views.{module}"), name or module)
