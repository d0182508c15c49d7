"""What a bench was asked to read, and a meter that reads no parts of tables."""

from __future__ import annotations

from typing import Any

from c1222.services import Request, Response, tables
from tests.c1222.client.rig import Bench


def asked(bench: Bench, kind: type[Request] = tables.TableAccess) -> list[tuple[int, int | None, int | None]]:
    """Return table, offset and count of what was read."""
    return [
        (request.table, getattr(request, "offset", None), getattr(request, "count", None))
        for request in bench.store.requests
        if isinstance(request, kind) and isinstance(request, tables.TableAccess)
    ]


def no_offsets(code: type[Exception]) -> Any:
    def fault(request: Request) -> Response | None:
        if isinstance(request, (tables.ReadOffsetRequest, tables.WriteOffsetRequest)):
            raise code
        return None

    return fault
