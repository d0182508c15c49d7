"""What a store is to a poll: three methods, for stores of this library and of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from c1222.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from c1222.collect.harvest import Harvest
    from c1222.collect.state import MeterState

__all__ = ["Begun", "PollPlan", "Sink", "StoreError"]


class StoreError(LocalError):
    """A store cannot be opened, read or written.

    Attributes:
        passing: it may be possible later, as it is: the store is locked, full, or not reached.
    """

    def __init__(self, text: str, *, passing: bool = False) -> None:
        super().__init__(text)
        self.passing = passing


class PollPlan(NamedTuple):
    """What a run is to do. A run of the same plan that was not ended is gone on with.

    Attributes:
        group: the meters' group, or another name of theirs.
        what: what is read, in order.
    """

    group: str
    what: tuple[str, ...]


class Begun(NamedTuple):
    """A run that has begun.

    Attributes:
        run: its number.
        done: names of the meters that it is done with, from before.
        states: what is known of meters, by name; others are not known.
    """

    run: int
    done: Collection[str]
    states: Mapping[str, MeterState]


class Sink(Protocol):
    """A store. Its methods are called from one thread at a time."""

    def begin(self, plan: PollPlan) -> Begun:
        """Begin a run, or go on with one that was not ended.

        Raises:
            StoreError: the store cannot be used.
        """

    def put(self, run: int, harvests: Sequence[Harvest]) -> None:
        """Keep what polls brought, all of it or nothing: rows by their keys, states and verdicts.

        A row takes the place of one with the same key; there is none unless ``Harvest.repeats`` says so. It is called
        again with the same harvests if it fails.

        Raises:
            StoreError: that failed.
        """

    def end(self, run: int, report: Mapping[str, Any] | None) -> None:
        """End a run with its report, or leave it to be gone on with if that is None; and close the store.

        Raises:
            StoreError: that failed.
        """
