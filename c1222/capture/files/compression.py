"""Compressed captures, inflated as they are read: gzip, bzip2, xz and Zstandard, with all their members.

However much a small file may hold, no more than ``READ_SIZE`` octets are inflated at a time, and what claims to need
more memory than ``MAX_MEMORY`` is refused. Zstandard needs the extra ``zstd`` before Python 3.14.
Formats: RFC 1952; the file format of xz 1.1; RFC 8878; bzip2 by its own library.
"""

from __future__ import annotations

import bz2
import lzma
import re
import sys
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from c1222.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MAX_MEMORY", "READ_SIZE", "CaptureError", "inflated"]

READ_SIZE: Final = 1 << 20
"""Octets asked of the file, and inflated, at a time."""
MAX_MEMORY: Final = 1 << 27
"""Octets of memory that inflating xz or Zstandard may take, most of it for the window that the file names."""

_STEP: Final = 4096  # octets given to an inflater at a time: in which one finds a damage, it gives nothing
_MAGIC_SIZE: Final = 6  # octets that tell the format


class CaptureError(DecodeError):
    """The file is no capture file, or not one that can be read."""


class _Inflater(Protocol):
    """What the inflaters of ``bz2``, ``lzma`` and ``compression.zstd`` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _Format(NamedTuple):
    """A form of compression.

    Attributes:
        name: of the format.
        magic: what a member starts with.
        open: returns a function that makes an inflater, and the errors that one raises; None for gzip.
        padding: octet that may stand between members.
    """

    name: str
    magic: re.Pattern[bytes]
    open: Callable[[], tuple[Callable[[], _Inflater], type[Exception]]] | None = None
    padding: bytes = b""


def _bzip2() -> tuple[Callable[[], _Inflater], type[Exception]]:
    return bz2.BZ2Decompressor, OSError


def _xz() -> tuple[Callable[[], _Inflater], type[Exception]]:
    return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_MEMORY), lzma.LZMAError


def _zstd() -> tuple[Callable[[], _Inflater], type[Exception]]:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415 - not in every Python
    else:
        from backports import zstd  # noqa: PLC0415 - an extra
    options = {int(zstd.DecompressionParameter.window_log_max): MAX_MEMORY.bit_length() - 1}
    return lambda: zstd.ZstdDecompressor(options=options), zstd.ZstdError


_FORMATS: Final = (
    _Format("gzip", re.compile(rb"\x1f\x8b")),
    _Format("bzip2", re.compile(rb"BZh[1-9]"), _bzip2),
    _Format("xz", re.compile(rb"\xfd7zXZ\0"), _xz, padding=b"\0"),
    _Format("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _zstd),  # the second: a frame to skip
)


def inflated(read: Callable[[], bytes]) -> Iterator[bytes]:
    """Yield the octets of a file, inflated where they are compressed; none of them is empty.

    Args:
        read: returns the next octets of the file, none at its end.

    Raises:
        CaptureError: the compressed data are damaged or end early; all that could be inflated was given before.
    """
    octets = _at_least(_MAGIC_SIZE, b"", read)
    for form in _FORMATS:
        if form.magic.match(octets):
            yield from _gunzip(read, octets, form) if form.open is None else _inflate(read, octets, form)
            return
    while octets:
        yield octets
        octets = read()


def _inflate(read: Callable[[], bytes], pending: bytes, form: _Format) -> Iterator[bytes]:
    """Inflate the members of a file, at most READ_SIZE octets at a time."""
    name = form.name
    try:
        new, errors = form.open()  # type: ignore[misc]  # gzip has another function
    except ImportError:
        raise CaptureError(name, 0, f"to inflate {name}, install c1222[{name}]") from None
    done = 0
    while pending:
        inflater = new()
        pos = 0
        while not inflater.eof:
            if pos == len(pending) and inflater.needs_input:
                pending, pos = read(), 0
                if not pending:
                    raise CaptureError(name, done, "the compressed data end early")
            piece = pending[pos : pos + _STEP] if inflater.needs_input else b""
            pos += len(piece)
            try:
                octets = inflater.decompress(piece, READ_SIZE)
            except errors as error:
                raise CaptureError(name, done, f"the compressed data are damaged: {error}") from None
            done += len(octets)
            if octets:
                yield octets
        pending = _next_member(inflater.unused_data + pending[pos:], read, form, done)


def _gunzip(read: Callable[[], bytes], pending: bytes, form: _Format) -> Iterator[bytes]:
    """Inflate the members of a gzip file, at most READ_SIZE octets at a time."""
    done = 0
    while pending:
        inflate = zlib.decompressobj(wbits=31)
        while not inflate.eof:
            before = inflate.copy()
            try:
                octets = inflate.decompress(pending, READ_SIZE)
            except zlib.error as error:
                yield from _salvage(before, pending)
                raise CaptureError("gzip", done, f"the compressed data are damaged: {error}") from None
            pending = inflate.unconsumed_tail
            done += len(octets)
            if octets:
                yield octets
            if not pending and not inflate.eof and len(octets) < READ_SIZE:
                pending = read()
                if not pending:
                    raise CaptureError("gzip", done, "the compressed data end early")
        pending = _next_member(inflate.unused_data, read, form, done)


def _next_member(pending: bytes, read: Callable[[], bytes], form: _Format, done: int) -> bytes:
    """Return what follows a member; it must be another one, or nothing."""
    if form.padding:
        while not (pending := pending.lstrip(form.padding)) and (more := read()):
            pending = more
    pending = _at_least(_MAGIC_SIZE, pending, read)
    if pending and not form.magic.match(pending):
        raise CaptureError(form.name, done, f"what follows the compressed data is not {form.name}")
    return pending


def _at_least(size: int, octets: bytes, read: Callable[[], bytes]) -> bytes:
    """Read on until there are so many octets, or no more."""
    while len(octets) < size and (more := read()):
        octets += more
    return octets


def _salvage(inflate: zlib._Decompress, pending: bytes) -> Iterator[bytes]:
    """Inflate up to a damage: zlib gives nothing of a piece in which it finds one."""
    try:
        for at in range(len(pending)):
            if octets := inflate.decompress(pending[at : at + 1]):
                yield octets
    except zlib.error:
        return
