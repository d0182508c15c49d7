from __future__ import annotations

import gzip
import io

import pytest

from c1222.capture.files.source import READ_SIZE, OctetSource


def read(source: OctetSource) -> bytes:
    octets, buffer = b"", source.more(b"", 0, 1)
    while buffer:
        octets += buffer
        buffer = source.more(buffer, len(buffer), 1)
        assert source.base == len(octets)
    return octets


@pytest.mark.parametrize("stored", [b"", b"x", b"abc" * 1000, bytes(READ_SIZE * 2 + 5)])
def test_octets_come_as_they_are_stored_or_inflated(stored):
    for wrapped in (stored, gzip.compress(stored)):
        source = OctetSource(io.BytesIO(wrapped))
        assert read(source) == stored
        assert source.octets_read == len(wrapped)
        assert source.damage is None


def test_more_keeps_what_was_not_done_with():
    source = OctetSource(io.BytesIO(b"0123456789"))
    assert source.more(b"", 0, 4)[:4] == b"0123"
    assert source.more(b"0123456789", 7, 100) == b"789"
    assert source.base == 7


def test_pass_over_tells_how_many_octets_are_missing():
    size = READ_SIZE * 2
    for count, expected in ((size - 3, (b"abc", 0)), (size, (b"", 0)), (size + 4, (b"", 4))):
        source = OctetSource(io.BytesIO(bytes(size - 3) + b"abc"))
        assert source.pass_over(source.more(b"", 0, 1), 0, count) == expected
