"""The blocking client.

with c1222.connect("udp://127.0.0.1:1153", called=".123.8437", calling=".123.4", key=c1222.Key(2, key)) as meter:
    meter.read("ST23.TOT_DATA_BLOCK")
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

from c1222.client.clock import SystemClock
from c1222.client.operations.operations import Operations
from c1222.client.serial_endpoint import SerialEndpoint
from c1222.client.serial_initiator import SerialInitiator
from c1222.client.serial_line import line_at
from c1222.client.signatures import described, given_timeout, opened
from c1222.client.steps import Pause, begin
from c1222.errors import C1222Error, StateError, Unreachable
from c1222.protocol.events import Completed, Failed
from c1222.protocol.policy import Link, link_over
from c1222.protocol.state import ExchangeState
from c1222.transport.lines.blocking import open_line
from c1222.transport.lines.line_url import is_line_url
from c1222.transport.schemes import Endpoint, parse_url, transport_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from c1219.device import Device
    from c1222.client.serial_line import SerialLine
    from c1222.client.steps import Operation, Outcome, Step
    from c1222.protocol.initiator.exchange import Exchange
    from c1222.transport.url import Url

__all__ = ["Endpoint", "Meter", "connect"]

_KEEP_ALIVE_LOOK = 0.25
"""Seconds between two looks at a line between verbs, where the first thing that ends a session takes some seconds."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _blocking(verb: Callable[Concatenate[Operations, _P], Operation[_T]]) -> Callable[Concatenate[Meter, _P], _T]:
    """Make the method of a `Meter` that runs a verb to its end."""

    def method(self: Meter, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return self._run(verb(self._operations, *args, **kwargs))

    return described(method, verb)


class Meter:
    """A meter to talk to, blocking. Make it with `connect`.

    One thread uses it at a time: a verb, or `close`, called while another one runs raises StateError. Over a serial
    line a thread of its own keeps the session alive between them.

    Args:
        operations: the verbs.
        endpoint: the transport; closed with the meter.
    """

    def __init__(self, operations: Operations, endpoint: Endpoint) -> None:
        self._operations = operations
        self._conversation = operations.conversation
        self._endpoint = endpoint
        self._closed = False
        self._busy = threading.Lock()
        self._credit = 0
        self._broken: C1222Error | None = None
        self._line = threading.Lock()
        self._ended = threading.Event()
        is_real = isinstance(self._conversation.clock, SystemClock)
        if is_real and isinstance(self._conversation.initiator, SerialInitiator):
            threading.Thread(target=self._keep_alive, name="c1222 keep-alive", daemon=True).start()

    identify = _blocking(Operations.identify)
    logon = _blocking(Operations.logon)
    security = _blocking(Operations.security)
    wait = _blocking(Operations.wait)
    logoff = _blocking(Operations.logoff)
    terminate = _blocking(Operations.terminate)
    disconnect = _blocking(Operations.disconnect)
    ask = _blocking(Operations.ask)
    repeat = _blocking(Operations.repeat)
    read = _blocking(Operations.read)
    read_octets = _blocking(Operations.read_octets)
    write = _blocking(Operations.write)
    write_octets = _blocking(Operations.write_octets)
    procedure = _blocking(Operations.procedure)
    identity = _blocking(Operations.identity)
    registers = _blocking(Operations.registers)
    load_profile = _blocking(Operations.load_profile)
    events = _blocking(Operations.events)
    clock = _blocking(Operations.clock)
    set_clock = _blocking(Operations.set_clock)
    register = _blocking(Operations.register)
    deregister = _blocking(Operations.deregister)
    resolve = _blocking(Operations.resolve)
    trace = _blocking(Operations.trace)
    notify = _blocking(Operations.notify)

    @property
    def device(self) -> Device:
        """The tables read so far, with their findings; those that others depend on are read once."""
        return self._operations.device

    def close(self) -> None:
        """Log off if there is a session, and close the endpoint. May be called twice.

        Raises:
            StateError: a verb of this meter still runs.
        """
        self._begin()
        try:
            with self._line:
                if self._closed:
                    return
                try:
                    self._do(self._conversation.close_session())
                except C1222Error:
                    pass  # whether the meter heard it or not, the session ends: by its idle time-out at the latest
                finally:
                    self._closed = True
                    self._ended.set()
                    self._endpoint.close()
        finally:
            self._busy.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Meter {self._conversation.initiator.called or 'without a title'}>"

    # The pump.

    def _begin(self) -> None:
        """Claim the meter, until `_busy` is released."""
        if not self._busy.acquire(blocking=False):
            raise StateError("another verb of this meter runs, in another thread or around this one: wait for its end")

    def _keep_alive(self) -> None:
        """Say something on the line when it would be silent for too long between verbs."""
        conversation = self._conversation
        initiator = conversation.initiator
        assert isinstance(initiator, SerialInitiator)  # noqa: S101 - others need none
        while not self._ended.wait(_KEEP_ALIVE_LOOK):
            with self._line:
                if not self._closed and initiator.is_talking(conversation.clock.now):
                    self._wait(None, conversation.clock.now + _KEEP_ALIVE_LOOK)

    def _run(self, operation: Operation[_T]) -> _T:
        """Run a verb, alone."""
        self._begin()
        try:
            with self._line:
                if self._closed:
                    raise StateError("the meter is closed: connect again")
                return self._do(operation)
        finally:
            self._busy.release()

    def _do(self, operation: Operation[_T]) -> _T:
        """Do the steps of a verb, tell it what came of them, return its result."""
        self._conversation.look_at_session()
        try:
            step = next(operation)
            while True:
                try:
                    outcome = self._carry_out(step)
                except C1222Error as error:
                    step = operation.throw(error)
                else:
                    step = operation.send(outcome)
        except StopIteration as stop:
            result: _T = stop.value
            return result

    def _carry_out(self, step: Step) -> Outcome:
        initiator, clock = self._conversation.initiator, self._conversation.clock
        if isinstance(step, Pause):
            self._wait(None, clock.now + step.seconds)
            return None
        exchange = begin(step, initiator, clock)
        try:
            return self._wait(exchange, None)
        finally:
            if not exchange.is_over:
                initiator.cancel(exchange, now=clock.now, utc=clock.utc)

    def _wait(self, exchange: Exchange | None, until: float | None) -> Outcome:
        """Send, receive and keep time until an exchange is over, or for some time."""
        conversation = self._conversation
        initiator, clock = conversation.initiator, conversation.clock
        while True:
            self._send()
            outcome: Outcome = None
            for event in initiator.events():
                if isinstance(event, (Completed, Failed)) and event.exchange is exchange:
                    outcome = event
                else:
                    conversation.note(event)
            if outcome is not None:
                return outcome
            if self._broken is not None and exchange is not None:
                return Failed(exchange, self._broken, exchange.state is ExchangeState.WAITING)
            now = clock.now
            if until is not None and now >= until:
                return None
            deadline = initiator.next_deadline()
            if until is not None:
                deadline = until if deadline is None else min(deadline, until)
            try:
                apdu = self._endpoint.receive(None if deadline is None else deadline - now)
            except C1222Error as error:
                apdu = None
                if self._failed(error) and exchange is None:
                    return None  # nothing comes any more, and what follows the pause fails at once
            now, utc = clock.now, clock.utc
            if apdu is not None:
                initiator.receive(apdu, now=now, utc=utc)
            if apdu is None or (deadline is not None and now >= deadline):  # whatever comes in, time passes
                initiator.tick(now=now, utc=utc)

    def _send(self) -> None:
        for apdu in self._conversation.initiator.apdus_to_send():
            self._credit += 1
            try:
                self._endpoint.send(apdu)
            except C1222Error as error:
                self._failed(error)

    def _failed(self, error: C1222Error) -> bool:
        """Take a failure of the link, and tell whether it is for good: each datagram may bring one that is not."""
        initiator = self._conversation.initiator
        self._credit -= 1
        if initiator.link.reliable or (self._credit >= 0 and isinstance(error, Unreachable)):
            initiator.lost(error, now=self._conversation.clock.now)
        else:
            self._broken = error
        return initiator.link.reliable or self._broken is not None


def _opening(
    make: Callable[Concatenate[Link | SerialLine, _P], Operations],
) -> Callable[Concatenate[str | Endpoint, _P], Meter]:
    def connect(url: str | Endpoint, /, *args: _P.args, **kwargs: _P.kwargs) -> Meter:
        """Return a meter to talk to, as a context manager. Nothing is sent before the first verb.

        The url is ``udp://host:port`` or ``tcp://host:port``, port 1153 if left out, IPv6 addresses in brackets; or an
        endpoint of your own, which the meter closes. A TCP connection is opened, and takes a request, within the
        time-out if that is shorter than 10 and 60 seconds.

        Or a serial line, with C12.18 or C12.21: ``serial:///dev/ttyUSB0``, ``serial://COM3``, ``c1218+tcp://host:port``,
        ``rfc2217://host:port``, ``c1221+tcp://host:port``, ``c1221+serial:///dev/ttyS0?dial=5551234``. There are no
        titles and keys there, and always a session; `c1222.client.serial_line.LINE_OPTIONS` are the options.

        Raises:
            InvalidUrl: it is no such address; Unreachable: there is no way there; StateError: an extra is not
            installed, or titles or keys are given where there are none.
        """
        timeout = given_timeout(kwargs)
        if isinstance(url, str) and is_line_url(url):
            where, settings = line_at(url)
            operations = make(settings, *args, **kwargs)
            return Meter(operations, SerialEndpoint(open_line(where, timeout)))
        endpoint = url if not isinstance(url, str) else _endpoint(parse_url(url), timeout)
        link = link_over(reliable=endpoint.reliable)
        try:
            link = link._replace(max_size=min(link.max_size, endpoint.max_size))
            return Meter(make(link, *args, **kwargs), endpoint)
        except BaseException:
            endpoint.close()
            raise

    return opened(connect, Operations, first="str | Endpoint", returns="Meter")


def _endpoint(where: Url, timeout: float | None) -> Endpoint:
    return transport_of(where).open(where.host, where.port, timeout)


connect = _opening(Operations)
