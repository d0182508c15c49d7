"""What ST0 offers: tables, procedures, and ways to access them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from c1222.node.shape import Shape

__all__ = ["Offer", "offer_of"]


class Offer(NamedTuple):
    """What ST0 offers.

    Attributes:
        used: labels of the tables that exist.
        writable: of those that can be written.
        procedures: numbers of the procedures; a manufacturer's have 2048 added.
        by_offset: whether tables can be read and written by offset.
        by_index: whether by index.
        big: whether numbers in tables have their most significant octet first.
    """

    used: frozenset[str]
    writable: frozenset[str]
    procedures: frozenset[int]
    by_offset: bool
    by_index: bool
    big: bool


def offer_of(shape: Shape) -> Offer:
    """Return what the ST0 of a configuration offers. For `Shape.derived`."""
    st0 = shape.value("ST0")
    access = st0.FORMAT_CONTROL_2.DATA_ACCESS_METHOD

    def labels(standard: Any, manufacturer: Any) -> frozenset[str]:
        return frozenset([f"ST{n}" for n in standard] + [f"MT{n}" for n in manufacturer])

    return Offer(
        labels(st0.STD_TBLS_USED, st0.MFG_TBLS_USED),
        labels(st0.STD_TBLS_WRITE, st0.MFG_TBLS_WRITE),
        frozenset([*st0.STD_PROC_USED, *(0x800 + n for n in st0.MFG_PROC_USED)]),
        bool(access & 1),
        bool(access & 2),
        bool(st0.FORMAT_CONTROL_1.DATA_ORDER),
    )
