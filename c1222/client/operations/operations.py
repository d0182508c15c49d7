"""Every verb once: what a client can do with one meter, as generators over the core.

A verb yields steps (`c1222.client.steps`) and returns its result. `c1222.client.sync` and `c1222.client.aio` run them.
"""

from __future__ import annotations

from c1222.client.operations.meaning import MeaningVerbs
from c1222.client.operations.network import NetworkVerbs
from c1222.client.operations.sessions import SessionVerbs

__all__ = ["Operations"]


class Operations(SessionVerbs, MeaningVerbs, NetworkVerbs):
    """One conversation with one meter, with all verbs. See `Conversation` for what it is made from."""
