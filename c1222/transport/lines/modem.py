"""A modem that is told to dial, without I/O: octets and instants in, commands out.

Commands and times are those of Elster MeteringSDK [1].
"""

from __future__ import annotations

import re
from typing import Final

from c1222.errors import InvalidUrl, Unreachable

__all__ = ["AFTER_CONNECT", "MODEM_INIT", "Dialing"]

MODEM_INIT: Final = "ATZE0Q0V1&C1&D2"
"""Reset, no echo, results in words, carrier shown, hang up when DTR falls [1]."""
AFTER_CONNECT: Final = 0.2
"""Seconds after CONNECT in which what comes in is dropped [1]."""
_COMMAND_TIMEOUT: Final = 10.0
_DIAL_TIMEOUT: Final = 60.0
_FAILURES: Final = ("NO CARRIER", "NO DIAL", "BUSY", "NO ANSWER", "ERROR")
_NUMBER: Final = re.compile(r"[0-9+*#,WTPwtp() -]{1,64}", re.ASCII)
_INIT: Final = re.compile(r"AT[ -~]{0,60}", re.ASCII | re.IGNORECASE)
_LONGEST_LINE: Final = 256


class Dialing:
    """One call. Give it what comes in until it is connected.

    Args:
        number: digits, and what modems take among them.
        init: the first command.

    Attributes:
        is_connected: whether the other end has answered.
        deadline: when it is given up.

    Raises:
        InvalidUrl: no modem takes such a number or command.
    """

    def __init__(self, number: str, init: str | None = None) -> None:
        init = MODEM_INIT if init is None else init
        if not _NUMBER.fullmatch(number) or not _INIT.fullmatch(init):
            raise InvalidUrl("a number to dial is digits and + * # , W T P, and what a modem is told begins with AT")
        self.is_connected = False
        self.deadline = 0.0
        self._number = number
        self._commands = [(init, "OK", _COMMAND_TIMEOUT), (f"ATD{number}", "CONNECT", _DIAL_TIMEOUT)]
        self._wanted = ""
        self._text = b""

    def begin(self, now: float) -> bytes:
        """Return the next command to send."""
        command, self._wanted, seconds = self._commands.pop(0)
        self.deadline = now + seconds
        return command.encode("ascii") + b"\r"

    def take(self, octets: bytes, now: float) -> bytes:
        """Take what came in, perhaps nothing; return what to send, perhaps nothing.

        Raises:
            Unreachable: the modem says that it cannot, or says nothing in time.
        """
        *lines, self._text = re.split(rb"[\r\n]+", self._text + octets)
        self._text = self._text[-_LONGEST_LINE:]
        for line in lines:
            words = line.decode("ascii", "replace").strip()
            if words.upper().startswith(_FAILURES):
                raise Unreachable(f"the modem dialled {self._number} and says {words!r}")
            if words.upper().startswith(self._wanted):
                if self._commands:
                    return self.begin(now)
                self.is_connected = True
                return b""
        if now >= self.deadline:
            raise Unreachable(f"the modem does not say {self._wanted} in time. Check its rate and its first command.")
        return b""
