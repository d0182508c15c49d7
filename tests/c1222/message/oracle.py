"""pyasn1's own codec over the same types, as the oracle of the decoder: what it takes, ours takes with equal values."""

from typing import Any

from pyasn1.codec.ber import decoder
from pyasn1.error import PyAsn1Error

from c1222.message.acse import Acse, Authentication, declaration, plan
from c1222.message.acse_declaration import MAX_INTEGER_OCTETS
from c1222.message.ber import decode_oid


def pyasn1_values(octets: bytes) -> dict[str, Any] | None:
    """Return what pyasn1 makes of exactly one APDU, or None when it takes none."""
    try:
        value, rest = decoder.decode(octets, asn1Spec=declaration())
    except (PyAsn1Error, OverflowError):  # it leaks OverflowError on lengths such as 88 FF FF …
        return None
    if rest:
        return None
    values: dict[str, Any] = {}
    for name in value:
        component = value.getComponentByName(name)
        if not component.isValue:
            continue
        if name.endswith("AP-title"):
            values[name] = (component.getName().partition("-")[0], tuple(component.getComponent()))
        elif name in ("calling-authentication-value", "user-information"):
            values[name] = _external(component)
        elif name in ("application-context-name", "mechanism-name"):
            values[name] = tuple(component)
        else:
            values[name] = int(component)
    return values


def _external(component: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in ("direct-reference", "indirect-reference"):
        leaf = component.getComponentByName(name)
        if leaf.isValue:
            values[name] = tuple(leaf) if name == "direct-reference" else int(leaf)
    leaf = component.getComponentByName("encoding")
    name = ""
    while hasattr(leaf, "getName"):
        name, leaf = leaf.getName(), leaf.getComponent()
    if hasattr(leaf, "items"):
        values |= {key: bytes(item) for key, item in leaf.items() if item.isValue}
    else:
        values[name] = bytes(leaf)
    return values


def our_values(acse: Acse) -> dict[str, Any]:
    """Return what ours makes of it, in the same form; integers unsigned."""
    tags = plan().tags
    values: dict[str, Any] = {}
    for name, field in (
        ("application-context-name", acse.application_context),
        ("called-AP-title", acse.called),
        ("called-AE-qualifier", acse.called_ae_qualifier),
        ("called-AP-invocation-id", acse.called_invocation_id),
        ("calling-AP-title", acse.calling),
        ("calling-AE-qualifier", acse.calling_ae_qualifier),
        ("calling-AP-invocation-id", acse.calling_invocation_id),
        ("mechanism-name", acse.mechanism),
    ):
        if tags[name] not in acse.spans:
            assert field is None
        elif name.endswith("AP-title"):
            values[name] = ("relative" if field.is_relative else "absolute", field.arcs)
        elif isinstance(field, str):
            values[name] = tuple(map(int, field.split(".")))
        else:
            values[name] = field
    for name in ("calling-authentication-value", "user-information"):
        if tags[name] not in acse.spans:
            continue
        leaves = {key: acse.octets[start:end] for key, (start, end) in acse._walk(name).items()}
        if "direct-reference" in leaves:
            leaves["direct-reference"] = decode_oid(leaves["direct-reference"])
        if "indirect-reference" in leaves:
            leaves["indirect-reference"] = int.from_bytes(leaves["indirect-reference"], "big")
        elif name == "calling-authentication-value":
            leaves["indirect-reference"] = 0
        values[name] = leaves
    _same_as_properties(acse, values)
    return values


def _same_as_properties(acse: Acse, values: dict[str, Any]) -> None:
    # The properties have short cuts past the walk: they must say the same.
    leaves = values["user-information"]
    assert acse.payload == leaves["octet-aligned"]
    assert acse.user_information.indirect_reference == leaves.get("indirect-reference")
    leaves = values.get("calling-authentication-value")
    found = acse.authentication
    assert (found is None) == (leaves is None)
    if isinstance(found, Authentication) and found.form in ("c12.22", "draft"):
        key_id = leaves.get("key-id")
        assert found.key_id == (None if key_id is None else key_id[0])
        assert found.iv == leaves.get("iv")


def same(ours: Any, theirs: Any) -> bool:
    """Whether the values are equal, a negative integer of theirs being read unsigned from the octets it can have."""
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], value) for key, value in theirs.items())
    if isinstance(theirs, int) and theirs < 0:
        return any(ours == theirs + (1 << 8 * octets) for octets in range(1, MAX_INTEGER_OCTETS + 1))
    return type(ours) is type(theirs) and bool(ours == theirs)
