"""Responses that are not the ok to a known request: errors, and those whose request is not known."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, Self

from c1222.errors import DecodeError, EncodeError, Finding, ServiceError
from c1222.services.fields import REST, TITLES, U8, Beside, FieldForm
from c1222.services.results import RESULT_NAMES, SERVICE_ERRORS, Refusal, Rqtl, Rstl, Sgerr
from c1222.services.service import REDACTED, Response, beside, wire
from c1222.services.table_data import TableData

if TYPE_CHECKING:
    from c1222.message.ber import Octets

__all__ = ["ErrorResponse", "UnpairedResponse"]

_LEAST_TABLE_DATA = len(TableData(b"\0").write())


class _ErrorCode(FieldForm[int]):
    """A response code other than ok."""

    __slots__ = ()

    def check(self, value: int) -> int:
        if U8.check(value) not in SERVICE_ERRORS:
            raise EncodeError(f"{value:02X} is no response code other than ok")
        return value


class ErrorResponse(Response):
    """A response with a result other than ok.

    Args:
        code: the response code, 01..1F.
        parameters: octets after the code; :attr:`details` has those of rqtl, rstl, sgerr and a failed trace by name.
        service: name of the request this answers; None when that is not known or it answers a whole message.
    """

    codes = tuple(SERVICE_ERRORS)

    code: int = beside(_ErrorCode(), default=0x01)
    parameters: bytes = wire(REST, default=b"", hidden=True)
    service: str | None = beside(Beside(str, NoneType), default=None)

    @classmethod
    def decode(cls, octets: Octets, service: str | None = None) -> Self:
        """Read a response other than ok.

        Args:
            octets: all octets of the response.
            service: name of the request it answers.

        Raises:
            DecodeError: the first octet is no such code.
        """
        self = super().decode(octets)
        object.__setattr__(self, "code", octets[0])
        object.__setattr__(self, "service", service)
        return self

    @classmethod
    def of(cls, error: ServiceError, service: str | None = None) -> Self:
        """Make the response that tells an error to the peer.

        Args:
            error: what went wrong; its text is not sent.
            service: name of the request, unless the error has it.
        """
        if isinstance(error, Refusal):
            return cls(error.code, error.parameters, error.service or service)
        return cls(error.code, service=service)

    def error(self, detail: str = "") -> Refusal:
        """Return this response as an error to raise.

        Args:
            detail: what was asked for, for a person; never a secret.
        """
        return SERVICE_ERRORS[self.code](detail, parameters=self.parameters, service=self.service)

    @property
    def result(self) -> str:
        """Name of the response code."""
        return RESULT_NAMES[self.code]

    @property
    def details(self) -> dict[str, Any]:
        """The parameters by name.

        ``max_size`` (rqtl, rstl), ``offset`` and ``apdu_size`` (sgerr), all in octets; ``titles``, the relays that a
        failed trace had passed [1]. Empty when there are none, or in a form that is not known.
        """
        if details := SERVICE_ERRORS[self.code].read(self.parameters):
            return dict(details)
        if self.service == "trace" and self.parameters:
            try:
                titles, _ = TITLES.read(self.parameters, 0, len(self.parameters))
            except DecodeError:
                return {}
            return {"titles": titles}
        return {}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the response; offsets count from its first octet."""
        path = f"{self.service or 'response'}.parameters"
        if self.parameters:
            if self.details:
                return ()
            text = f"{len(self.parameters)} octets after the code {self.result} are not understood, kept as they are"
            return (Finding("warning", "trailing-octets", path, 1, text),)
        if issubclass(SERVICE_ERRORS[self.code], (Rqtl, Rstl, Sgerr)):
            return (Finding("note", "parameter-missing", path, 1, f"{self.result} comes without its sizes"),)
        return ()

    def as_dict(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return code, kind, result, service and what :attr:`details` holds, or the parameters in hex."""
        shown = super().as_dict(show_secrets=show_secrets)
        if self.parameters:
            if details := self.details:
                if "titles" in details:
                    details["titles"] = TITLES.show(details["titles"])
                shown.update(details)
            else:
                shown["parameters"] = self.parameters.hex()
        return shown

    def _key(self) -> tuple[Any, ...]:
        return self.code, self.parameters


class UnpairedResponse(Response):
    """A response ok whose request is not known.

    Args:
        parameters: octets after the code; concealed where they are enough for table data, since the table may be one of
            passwords or keys.
    """

    parameters: bytes = wire(REST, default=b"", hidden=True, secret=True)

    @property
    def conceals(self) -> bool:
        """Whether the parameters can be table data: a count, an octet and a checksum, be they damaged or not."""
        return len(self.parameters) >= _LEAST_TABLE_DATA

    @property
    def guess(self) -> TableData | None:
        """The parameters as table-data, if count, length and checksum fit; a likely reading, not a certain one."""
        try:
            data, after = TableData.read(self.parameters, 0, len(self.parameters))
        except DecodeError:
            return None
        return data if after == len(self.parameters) and data.checksum_ok else None

    @property
    def service(self) -> str | None:
        """Not known."""
        return None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """That the parameters could not be read for certain."""
        if not self.parameters:
            return ()
        if self.guess is None:
            text = f"{len(self.parameters)} octets of a response whose request is not known"
            return (Finding("note", "no-request", "response.parameters", 1, text),)
        text = f"the request is not known; count and checksum fit table data, {len(self.guess.data)} octets of it"
        return (Finding("note", "guessed", "response.parameters", 1, text),)

    def as_dict(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return code, kind, result, service (null), the parameters in hex, and under ``guessed`` a likely reading."""
        shown = super().as_dict(show_secrets=show_secrets)
        concealed = self.conceals and not show_secrets
        if self.parameters:
            shown["parameters"] = REDACTED if concealed else self.parameters.hex()
            if guess := self.guess:
                shown["guessed"] = guess.as_dict() | ({"data": REDACTED} if concealed else {})
        return shown
