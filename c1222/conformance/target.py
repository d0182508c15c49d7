"""Whom to check, in whose name, and how patiently."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from c1222.errors import StateError
from c1222.message.epsem import SecurityMode
from c1222.security.keys import KeyStore

if TYPE_CHECKING:
    from c1222.message.aptitle import ApTitle

__all__ = ["ATTEMPTS", "PATIENCE", "QUIET", "TIMEOUT", "Target"]

TIMEOUT: Final = 3.0
"""How long an answer may take, seconds."""
ATTEMPTS: Final = 3
"""How often the same octets are sent before a request counts as not answered."""
QUIET: Final = 1.0
"""How long to listen where no answer is expected, seconds."""
PATIENCE: Final = 5.0
"""How long a check may wait for something to happen in the node, such as an idle time-out, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom to check, in whose name, and how patiently.

    Attributes:
        called: title of the node.
        calling: our own title.
        keys: all keys known.
        key_id: which of them secures requests; needed in modes 1 and 2.
        mode: how requests are secured.
        user_id: number of the user.
        user: name of the user, for Logon.
        password: for what is not open to everybody; None for none.
        padding: octet that fills the password up.
        timeout: how long an answer may take, seconds.
        attempts: how often the same octets are sent; once over connections.
        quiet: how long to listen where no answer is expected, seconds.
        patience: how long a check may wait for something to happen in the node, seconds.
        writes: whether checks may change something in the node.
        sessions: whether checks may open sessions.
        sessionless: whether the node takes messages outside of sessions.
        ed_class: 4 octets to put into requests, or None.
        id_bits: length of invocation ids, 32, or 16 for nodes that store no more.

    Raises:
        StateError: a secured mode without key id, or a time or number that makes no sense.
    """

    called: ApTitle
    calling: ApTitle
    keys: KeyStore = field(default_factory=KeyStore)
    key_id: int | None = None
    mode: SecurityMode = SecurityMode.CLEARTEXT
    user_id: int = 0
    user: str | bytes = ""
    password: str | bytes | None = field(default=None, repr=False)
    padding: bytes = b" "
    timeout: float = TIMEOUT
    attempts: int = ATTEMPTS
    quiet: float = QUIET
    patience: float = PATIENCE
    writes: bool = False
    sessions: bool = True
    sessionless: bool = True
    ed_class: bytes | None = None
    id_bits: Literal[16, 32] = 32

    def __post_init__(self) -> None:
        if self.mode is SecurityMode.RESERVED:
            raise StateError("security mode 3 has no meaning")
        if self.mode and self.key_id is None:
            raise StateError("a secured mode needs a key id")
        if self.mode and self.key_id is not None:
            self.keys.get(self.called, self.calling, self.key_id)
        if self.timeout <= 0 or self.quiet <= 0 or self.patience < 0 or self.attempts < 1:
            raise StateError("times are more than 0, and there is at least one attempt")

    @property
    def secured(self) -> bool:
        """Whether requests are secured."""
        return self.mode is not SecurityMode.CLEARTEXT
