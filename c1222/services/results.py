"""Response codes other than ok: what they say, what usually causes them, what to try.

Each code is a class of error. A responder raises one or turns it into an :class:`ErrorResponse`; a client gets one
from the response it received and shows it to a person.
Origin: names and codes as in Elster MeteringSDK, Itron's stack, icsnpp-c1222 and Wireshark [V]; causes from their
behaviour and from meters seen to answer so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from c1222.errors import EncodeError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "RESULT_NAMES",
    "SERVICE_ERRORS",
    "Bsy",
    "Dlk",
    "Dnr",
    "Err",
    "Iar",
    "Isc",
    "Isss",
    "Netr",
    "Nett",
    "Onp",
    "Refusal",
    "Reserved",
    "Rno",
    "Rqtl",
    "Rstl",
    "Sgerr",
    "Sgnp",
    "Sme",
    "Sns",
    "Uat",
]


class Refusal(ServiceError):
    """A response code other than ok, as an error.

    Args:
        detail: what was asked for, for a person; never a secret.
        parameters: octets that follow the code on the wire.
        service: name of the service that was refused.

    Attributes:
        code: the response code, 01..1F.
        name: its name, as ``result`` in JSON.
        title: its name in words.
        meaning: what the peer says with it.
        cause: what usually causes it.
        remedy: what to try.
        transient: whether the same request may succeed later, as it is.
        whole_message: whether a single such response may stand for a whole message of several requests.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    cause: ClassVar[str]
    remedy: ClassVar[str]
    transient: ClassVar[bool] = False
    whole_message: ClassVar[bool] = False

    def __init__(self, detail: str = "", *, parameters: bytes = b"", service: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.parameters = parameters
        self.service = service

    def __str__(self) -> str:
        what = f"{self.service}: " if self.service else ""
        detail = f" ({self.detail})" if self.detail else ""
        numbers = "".join(f"; {name.replace('_', ' ')} {value}" for name, value in self.read(self.parameters).items())
        return f"{what}{self.name}, {self.title}{detail}{numbers}. {self.meaning} {self.cause} {self.remedy}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.detail,), {"parameters": self.parameters, "service": self.service}

    @classmethod
    def read(cls, parameters: bytes) -> dict[str, int]:  # noqa: ARG003  (most codes have none)
        """Return the parameters by name; empty when there are none or they have an unknown form."""
        return {}


class Err(Refusal):
    """01: failed, no reason given."""

    code = 0x01
    name = "err"
    title = "error"
    meaning = "The peer could not do it and gives no reason."
    cause = "Usual causes: a wrong password (many meters answer Security so), a bad table checksum, an internal fault."
    remedy = "Check the password and the octets written; if both are right, look into the meter's own log."


class Sns(Refusal):
    """02: service not supported."""

    code = 0x02
    name = "sns"
    title = "service not supported"
    meaning = "The peer does not know this service, or not in this form."
    cause = "Usual causes: access by index and default reads, which few meters have; a service of another standard."
    remedy = "Use another form of the service, for example a read by offset instead of one by index."


class Isc(Refusal):
    """03: insufficient security clearance."""

    code = 0x03
    name = "isc"
    title = "insufficient security clearance"
    meaning = "The peer knows what is wanted and does not allow it to this user."
    cause = "Usual causes: no Security service before it, a wrong password, or a user without rights to the table."
    remedy = "Send Security with the right password in the same session or message, or use a user with more rights."


class Onp(Refusal):
    """04: operation not possible."""

    code = 0x04
    name = "onp"
    title = "operation not possible"
    meaning = "The request is understood, but the peer cannot do such a thing."
    cause = "Usual causes: partial access where only full access is possible, a message it cannot process as built."
    remedy = "Read or write the whole table, and send the services one by one."


class Iar(Refusal):
    """05: inappropriate action requested."""

    code = 0x05
    name = "iar"
    title = "inappropriate action requested"
    meaning = "The request asks for something that does not exist there or has a wrong parameter."
    cause = "Usual causes: a table that the meter lacks, an offset or count beyond its end, a malformed request."
    remedy = "See in table 0 which tables exist, and in their dimension tables how long they are."


class Bsy(Refusal):
    """06: device busy."""

    code = 0x06
    name = "bsy"
    title = "device busy"
    meaning = "The peer is occupied and did nothing."
    cause = "Usual causes: another session is open, or the meter is busy with itself."
    remedy = "Wait some seconds and send the request again."
    transient = True


class Dnr(Refusal):
    """07: data not ready."""

    code = 0x07
    name = "dnr"
    title = "data not ready"
    meaning = "The data exist but are not there yet."
    cause = "Usual causes: a procedure that still runs, data that are being collected, a link that is not up."
    remedy = "Wait some seconds and send the request again."
    transient = True


class Dlk(Refusal):
    """08: data locked."""

    code = 0x08
    name = "dlk"
    title = "data locked"
    meaning = "The data cannot be accessed at the moment."
    cause = "Usual causes: another session changes them, or a switch or seal on the meter locks them."
    remedy = "Try again later; if it stays, look for a lock on the meter itself."
    transient = True


class Rno(Refusal):
    """09: renegotiate request."""

    code = 0x09
    name = "rno"
    title = "renegotiate"
    meaning = "The peer has gone back to its base state and wants the link negotiated again."
    cause = "Usual cause: C12.18 or C12.21 link parameters that do not work. Not a C12.22 answer."
    remedy = "Start again with Identify and Negotiate."


class Isss(Refusal):
    """0A: invalid service sequence state."""

    code = 0x0A
    name = "isss"
    title = "invalid service sequence state"
    meaning = "The service is not accepted in the state the peer is in."
    cause = (
        "Usual causes: a service that needs a session outside one (the session may have timed out), or a second Logon."
    )
    remedy = "Log on first, or end the running session."


class Sme(Refusal):
    """0B: security mechanism error."""

    code = 0x0B
    name = "sme"
    title = "security mechanism error"
    meaning = "The peer refuses the message for how it is secured."
    cause = "Usual causes: cleartext where security is demanded, a key id it lacks, another key, a wrong clock."
    remedy = "Check key, key id, security mode and the time of both sides."
    whole_message = True


class Uat(Refusal):
    """0C: unknown application title."""

    code = 0x0C
    name = "uat"
    title = "unknown application title"
    meaning = "The node that answered knows no node of that title."
    cause = "Usual causes: a wrong called title, a node that has not registered, a wrong base for relative titles."
    remedy = "Check the title, and whether the node is registered with its relay."
    whole_message = True


class Nett(Refusal):
    """0D: network time-out."""

    code = 0x0D
    name = "nett"
    title = "network time-out"
    meaning = "A relay passed the message on and got no answer in time."
    cause = "Usual causes: a meter without power, poor radio, a slow network."
    remedy = "Try again later; a write may have been done all the same."
    transient = True
    whole_message = True


class Netr(Refusal):
    """0E: network not reachable."""

    code = 0x0E
    name = "netr"
    title = "network not reachable"
    meaning = "A relay has no way to the network of the node."
    cause = "Usual causes: a link that is down, or a relay still busy with an earlier message."
    remedy = "Try again later, or take another relay."
    transient = True
    whole_message = True


class _TooLarge(Refusal):
    """What rqtl and rstl share: a limit as their parameter."""

    whole_message = True

    @classmethod
    def of(cls, max_size: int, detail: str = "", *, service: str | None = None) -> Self:
        """Make the error with the limit of the responder.

        Args:
            max_size: the largest size accepted, in octets. Whether of the APDU or of its EPSEM part is not settled;
                Elster and this library take it as the APDU [?].
            detail: see the class.
            service: see the class.

        Raises:
            EncodeError: the limit does not fit 32 bits.
        """
        if not 0 <= max_size <= 0xFFFFFFFF:
            raise EncodeError(f"{cls.__name__}.max_size: {max_size} is not in 0..{0xFFFFFFFF}")
        return cls(detail, parameters=max_size.to_bytes(4, "big"), service=service)

    @classmethod
    def read(cls, parameters: bytes) -> dict[str, int]:
        """Return ``max_size``: 32 bits when sent by the book; 1 to 4 octets are taken, for one comment says 24 bits."""
        return {"max_size": int.from_bytes(parameters, "big")} if 1 <= len(parameters) <= 4 else {}

    @property
    def max_size(self) -> int | None:
        """The largest size the peer accepts, in octets, or None when it does not say."""
        return self.read(self.parameters).get("max_size")


class Rqtl(_TooLarge):
    """0F: request too large."""

    code = 0x0F
    name = "rqtl"
    title = "request too large"
    meaning = "The request is larger than what the peer takes."
    cause = "Usual cause: a write of a large table in one piece."
    remedy = "Write in pieces, by offset, that fit the size the peer gave."


class Rstl(_TooLarge):
    """10: response too large."""

    code = 0x10
    name = "rstl"
    title = "response too large"
    meaning = "The response would be larger than what the peer can send."
    cause = "Usual causes: a read of a large table in one piece, or many reads in one message."
    remedy = "Read in pieces, by offset, that fit the size the peer gave."


class Sgnp(Refusal):
    """11: segmentation not possible."""

    code = 0x11
    name = "sgnp"
    title = "segmentation not possible"
    meaning = "The message must be cut to pass a link, and that cannot be done."
    cause = "Usual cause: a node or relay on the way that cannot segment."
    remedy = "Send smaller requests, and ask for smaller responses."
    whole_message = True


class Sgerr(Refusal):
    """12: segmentation error."""

    code = 0x12
    name = "sgerr"
    title = "segmentation error"
    meaning = "The segments received do not make up a message."
    cause = "Usual causes: segments lost, mixed up, or with sizes that contradict each other."
    remedy = "Send the whole message again."
    transient = True
    whole_message = True

    @classmethod
    def of(cls, offset: int, apdu_size: int, detail: str = "", *, service: str | None = None) -> Self:
        """Make the error for a segment.

        Args:
            offset: where in the APDU the segment starts.
            apdu_size: size of the APDU; both are sent in the fewest octets, 1 to 3, that hold either.
            detail: see the class.
            service: see the class.

        Raises:
            EncodeError: a number does not fit 24 bits.
        """
        if not (0 <= offset <= 0xFFFFFF and 0 <= apdu_size <= 0xFFFFFF):
            raise EncodeError(f"{cls.__name__}: offset and size are in 0..{0xFFFFFF}")
        size = max(1, (max(offset, apdu_size).bit_length() + 7) // 8)
        return cls(detail, parameters=offset.to_bytes(size, "big") + apdu_size.to_bytes(size, "big"), service=service)

    @classmethod
    def read(cls, parameters: bytes) -> dict[str, int]:
        """Return ``offset`` and ``apdu_size``, sent in 1, 2 or 3 octets each [1]."""
        size = len(parameters) // 2
        if len(parameters) not in {2, 4, 6}:
            return {}
        return {
            "offset": int.from_bytes(parameters[:size], "big"),
            "apdu_size": int.from_bytes(parameters[size:], "big"),
        }


class Reserved(Refusal):
    """13..1F: codes without a meaning of their own."""

    title = "reserved code"
    meaning = "The standard gives this code no meaning."
    cause = 'Usual cause: a vendor\'s own use; 1E is "not registered to you" with Elster [1].'
    remedy = "Ask the vendor, or take it as a plain refusal."


def _reserved(code: int) -> type[Refusal]:
    doc = f"{code:02X}: reserved."
    return type(f"Reserved{code:02X}", (Reserved,), {"code": code, "name": f"reserved-{code:02x}", "__doc__": doc})


_NAMED: tuple[type[Refusal], ...] = (
    *(Err, Sns, Isc, Onp, Iar, Bsy, Dnr, Dlk, Rno, Isss),
    *(Sme, Uat, Nett, Netr, Rqtl, Rstl, Sgnp, Sgerr),
)

SERVICE_ERRORS: Mapping[int, type[Refusal]] = {
    **{error.code: error for error in _NAMED},
    **{code: _reserved(code) for code in range(0x13, 0x20)},
}
"""Response code to class of error, 01..1F."""

RESULT_NAMES: Mapping[int, str] = {0x00: "ok", **{code: error.name for code, error in SERVICE_ERRORS.items()}}
"""Response code to its name, 00..1F."""
