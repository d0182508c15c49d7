"""The meter of the asyncio client: the verbs of the blocking one, to be awaited."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, Self, TypeVar

from c1222.client.clock import LoopClock
from c1222.client.operations.operations import Operations
from c1222.client.signatures import described
from c1222.client.steps import Pause, begin
from c1222.errors import C1222Error, StateError, Unreachable
from c1222.protocol.events import Completed, Failed
from c1222.protocol.state import ExchangeState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType

    from c1219.device import Device
    from c1222.client.clock import Schedule, ScheduledCall
    from c1222.client.limiter import Limiter
    from c1222.client.steps import Ask, Operation, Outcome, Repeat, Step
    from c1222.protocol.initiator.exchange import Exchange

__all__ = ["HELD_UP", "AsyncMeter"]

HELD_UP: Final = 0.25
"""A timer this many seconds late shows that the event loop was blocked: answers that have arrived may still wait to be
read, and nothing counts as overdue until the same time has passed again."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _awaiting(
    verb: Callable[Concatenate[Operations, _P], Operation[_T]],
) -> Callable[Concatenate[AsyncMeter, _P], Coroutine[None, None, _T]]:
    """Make the method of an `AsyncMeter` that runs a verb to its end, while other tasks run."""

    async def method(self: AsyncMeter, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await self._run(verb(self._operations, *args, **kwargs))

    return described(method, verb)


class AsyncMeter:
    """A meter to talk to, from asyncio. Its verbs may be called at once; they are run one after the other.

    Make it with `c1222.aio.connect`, or get it from a `c1222.aio.Network`.

    Args:
        operations: the verbs.
        send: sends an APDU; may raise Unreachable or ConnectionLost.
        schedule: the clock; that of the event loop when None.
        close: releases the transport; called once.
        slots: limits how many exchanges are under way at once, among meters that share a socket.
    """

    def __init__(
        self,
        operations: Operations,
        send: Callable[[bytes], None],
        schedule: Schedule | None = None,
        *,
        close: Callable[[], None] = lambda: None,
        slots: Limiter | None = None,
    ) -> None:
        self._schedule: Schedule = LoopClock() if schedule is None else schedule
        operations.conversation.clock = self._schedule
        self._operations = operations
        self._conversation = operations.conversation
        self._put = send
        self._release = close
        self._slots = slots
        self._lock = asyncio.Lock()
        self._waiting: tuple[Exchange, asyncio.Future[Outcome]] | None = None
        self._timer: ScheduledCall | None = None
        self._timer_at = 0.0
        self._closed = False

    identify = _awaiting(Operations.identify)
    logon = _awaiting(Operations.logon)
    security = _awaiting(Operations.security)
    wait = _awaiting(Operations.wait)
    logoff = _awaiting(Operations.logoff)
    terminate = _awaiting(Operations.terminate)
    disconnect = _awaiting(Operations.disconnect)
    ask = _awaiting(Operations.ask)
    repeat = _awaiting(Operations.repeat)
    read = _awaiting(Operations.read)
    read_octets = _awaiting(Operations.read_octets)
    write = _awaiting(Operations.write)
    write_octets = _awaiting(Operations.write_octets)
    procedure = _awaiting(Operations.procedure)
    identity = _awaiting(Operations.identity)
    registers = _awaiting(Operations.registers)
    load_profile = _awaiting(Operations.load_profile)
    events = _awaiting(Operations.events)
    clock = _awaiting(Operations.clock)
    set_clock = _awaiting(Operations.set_clock)
    register = _awaiting(Operations.register)
    deregister = _awaiting(Operations.deregister)
    resolve = _awaiting(Operations.resolve)
    trace = _awaiting(Operations.trace)
    notify = _awaiting(Operations.notify)

    @property
    def device(self) -> Device:
        """The tables read so far, with their findings; those that others depend on are read once."""
        return self._operations.device

    async def run(self, verb: Callable[[Operations], Operation[_T]]) -> _T:
        """Run a verb of your own: a generator over the core, as those of `Operations` are.

        Args:
            verb: makes it from the meter's operations.

        Raises:
            StateError: the meter is closed; and what the verb raises.
        """
        return await self._run(verb(self._operations))

    async def close(self) -> None:
        """Log off if there is a session, and release the transport. May be called twice."""
        if not self._closed:
            try:
                await self._run(self._conversation.close_session())
            except C1222Error:
                pass  # whether the meter heard it or not, the session ends: by its idle time-out at the latest
            finally:
                self._closed = True
                if self._timer is not None:
                    self._timer.cancel()
                self._release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Meter {self._conversation.initiator.called or 'without a title'}>"

    # Called by the transport.

    def receive(self, apdu: bytes) -> None:
        """Take an APDU that came in; called by the transport."""
        schedule = self._schedule
        self._conversation.initiator.receive(apdu, now=schedule.now, utc=schedule.utc)
        self._pump()

    def lost(self, error: C1222Error) -> None:
        """Take a failure of the link; called by the transport."""
        initiator = self._conversation.initiator
        if initiator.link.reliable or isinstance(error, Unreachable):
            initiator.lost(error, now=self._schedule.now)
        elif self._waiting is not None:
            exchange, future = self._waiting
            if not future.done():
                future.set_result(Failed(exchange, error, exchange.state is ExchangeState.WAITING))
        self._pump()

    # The pump.

    async def _run(self, operation: Operation[_T]) -> _T:
        """Run a verb: do its steps, tell it what came of them, return its result."""
        async with self._lock:
            if self._closed:
                raise StateError("the meter is closed: connect again")
            self._conversation.look_at_session()
            try:
                step = next(operation)
                while True:
                    try:
                        outcome = await self._carry_out(step)
                    except C1222Error as error:
                        step = operation.throw(error)
                    else:
                        step = operation.send(outcome)
            except StopIteration as stop:
                result: _T = stop.value
                return result

    async def _carry_out(self, step: Step) -> Outcome:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if isinstance(step, Pause):
            timer = self._schedule.call_at(self._schedule.now + step.seconds, lambda: _wake(future))
            try:
                return await future
            finally:
                timer.cancel()
        if self._slots is None:
            return await self._exchange(step, future)
        slot = await self._slots.take()
        try:
            return await self._exchange(step, future)
        finally:
            self._slots.give_back(slot)

    async def _exchange(self, step: Ask | Repeat, future: asyncio.Future[Outcome]) -> Outcome:
        initiator, schedule = self._conversation.initiator, self._schedule
        exchange = begin(step, initiator, schedule)
        self._waiting = exchange, future
        try:
            self._pump()
            return await future
        finally:
            self._waiting = None
            if not exchange.is_over:
                initiator.cancel(exchange, now=schedule.now, utc=schedule.utc)

    def _pump(self) -> None:
        """Send what there is to send, take what happened, and see when to look again."""
        conversation = self._conversation
        initiator = conversation.initiator
        for apdu in initiator.apdus_to_send():
            try:
                self._put(apdu)
            except C1222Error as error:
                self.lost(error)
        for event in initiator.events():
            waiting = self._waiting
            if isinstance(event, (Completed, Failed)) and waiting is not None and event.exchange is waiting[0]:
                if not waiting[1].done():
                    waiting[1].set_result(event)
            else:
                conversation.note(event)
        deadline = initiator.next_deadline()
        if deadline is not None and (self._timer is None or deadline < self._timer_at):
            # A timer that comes too early only looks again, which costs less than to set a new one each time.
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._schedule.call_at(deadline, self._tick)
            self._timer_at = deadline

    def _tick(self) -> None:
        now = self._schedule.now
        if now - self._timer_at > HELD_UP:
            self._timer = self._schedule.call_at(now + HELD_UP, self._look)
            self._timer_at = -inf  # nothing brings it forward, and nothing puts it off
        else:
            self._look()

    def _look(self) -> None:
        """See what is overdue."""
        self._timer = None
        schedule = self._schedule
        self._conversation.initiator.tick(now=schedule.now, utc=schedule.utc)
        self._pump()


def _wake(future: asyncio.Future[Outcome]) -> None:
    if not future.done():
        future.set_result(None)
