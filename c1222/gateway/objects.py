"""The list of objects of a logical device as JSON: ``c1222.cosem-objects/1``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.cosem.names import LogicalName

if TYPE_CHECKING:
    from c1219.cosem.data import Data
    from c1222.gateway.logical_device import LogicalDevice

__all__ = ["SCHEMA", "object_list"]

SCHEMA: Final = "c1222.cosem-objects/1"
"""Name of the format; specs/cosem-objects.schema.json has it in JSON Schema."""


def object_list(device: LogicalDevice) -> dict[str, Any]:
    """Return the list of objects of a logical device in terms of JSON.

    Args:
        device: the logical device.
    """
    return {"schema": SCHEMA, "objects": [_object(device, *entry.value) for entry in device.object_list().value]}


def _object(device: LogicalDevice, interface: Data, version: Data, name: Data, rights: Data) -> dict[str, Any]:
    logical = LogicalName.of(name.value)
    known = device.objects.get(interface.value, logical)
    attributes, _ = rights.value
    return {
        "class_id": interface.value,
        "version": version.value,
        "obis": str(logical),
        "attributes": [item.value[0].value for item in attributes.value],
        "access": "read",
        "source": None if known is None else known.path,
    }
