"""From a capture to messages and lines, measured: the fast path, the full decoder, JSON lines and text.

python -m pytest tests/bench/test_decode.py --benchmark-enable

A round is 4,000 messages of ``tests.traffic.exchange``, half of them encrypted. How this stands to tshark: see
``compare_tshark``.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from c1222.capture.decoder import decode_capture
from c1222.capture.fast import FastPath
from c1222.capture.jsonl import as_dict, to_json
from c1222.capture.text import message_lines
from tests.bench.make_capture import make
from tests.traffic import KEY, exchange

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 4000


@pytest.fixture(scope="module")
def octets() -> bytes:
    file = io.BytesIO()
    make(file, COUNT, content=exchange)
    return file.getvalue()


def decode(octets: bytes, each: Callable[[Any], object] = bool) -> int:
    decoder = decode_capture(io.BytesIO(octets), keys=KEY)
    for message in decoder:
        each(message)
    assert decoder.counters.messages == COUNT
    return decoder.counters.verified


def test_lazily(benchmark: Any, octets: bytes) -> None:
    assert benchmark(decode, octets) == COUNT // 2


def test_lazily_with_the_full_decoder(benchmark: Any, octets: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastPath, "of_packet", lambda *_: None)
    monkeypatch.setattr(FastPath, "of_apdu", lambda *_: None)
    assert benchmark(decode, octets) == COUNT // 2


@pytest.mark.parametrize(
    "each",
    [lambda message: message.services, to_json, as_dict, lambda message: list(message_lines(message))],
    ids=["services", "json line", "object", "text"],
)
def test_with(benchmark: Any, octets: bytes, each: Callable[[Any], object]) -> None:
    assert benchmark(decode, octets, each) == COUNT // 2
