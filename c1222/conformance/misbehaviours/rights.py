"""Rights that reach too far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.conformance.misbehaviours.misbehaviour import serving
from c1222.node.meter.rights import EVERYONE
from c1222.services.results import Err
from c1222.services.session import LogoffRequest, SecurityRequest, SecurityResponse

if TYPE_CHECKING:
    from c1222.conformance.misbehaviours.misbehaviour import Subject
    from c1222.protocol.responder.execution import Context
    from c1222.services import Request, Response

__all__ = ["any_password", "no_rights_in_session", "rights_shared", "rights_stay"]


@serving("any-password", "Any password is right", "Cannot know.", "C-SESS-12")
def any_password(request: Request, context: Context, node: Subject) -> Response:
    """All rights for it."""
    try:
        return node.serve(request, context)
    except Err:
        if not isinstance(request, SecurityRequest):
            raise
        context.access.rights = EVERYONE
        return SecurityResponse()


@serving(
    "rights-stay", "Rights outlive message and session", "Presents its password all the same.", "C-SESS-08", "C-SESS-07"
)
def rights_stay(request: Request, context: Context, node: Subject) -> Response:
    """For each calling title."""
    kept = node.scratch.setdefault("rights", {})
    if context.access.rights is None:
        context.access.rights = kept.get(context.calling)
    response = node.serve(request, context)
    if isinstance(request, SecurityRequest):
        kept[context.calling] = context.access.rights
    return response


@serving("rights-shared", "While a session has rights, everybody has", "Cannot know.", "C-SESS-09")
def rights_shared(request: Request, context: Context, node: Subject) -> Response:
    """Until Logoff."""
    if context.access.rights is None:
        context.access.rights = node.scratch.get("rights")
    response = node.serve(request, context)
    if isinstance(request, SecurityRequest) and context.session is not None:
        node.scratch["rights"] = context.access.rights
    if isinstance(request, LogoffRequest):
        node.scratch.clear()
    return response


@serving(
    "no-rights-in-session", "In a session rights last for one message", "Presents its password again.", "C-SESS-06"
)
def no_rights_in_session(request: Request, context: Context, node: Subject) -> Response:
    """Taken away with the next message."""
    if context.session is not None and not isinstance(request, SecurityRequest):
        context.access.rights = None
    return node.serve(request, context)
