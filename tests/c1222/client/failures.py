"""Links that fail under a client, and what an error has to say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from c1222.security.keys import Key
from c1222.transport.memory import Mishaps
from tests.c1222.client.rig import Bench

if TYPE_CHECKING:
    from collections.abc import Callable

both = pytest.mark.parametrize("kind", ["sync", "aio"])

OTHER = Key(2, bytes(16))


def says(error: BaseException, *words: str) -> None:
    text = str(error)
    for word in words:
        assert re.search(word, text), f"{word!r} is not in {text!r}"
    assert "secret" not in text
    assert text.rstrip().endswith(".")


def cut(bench: Bench, after: Callable[[], bool]) -> None:
    """Lose everything on the wire once something is so."""
    bench.node.store.plan.append(lambda request: lose(bench) if after() else None)


def lose(bench: Bench) -> None:
    bench.wire.mishaps = Mishaps(loss=1.0)


def heal(bench: Bench) -> None:
    bench.wire.mishaps = Mishaps()


def known_value(bench: Bench, table: int) -> Any:
    from c1219.device import Device

    return Device(bench.store.tables)[table].value
