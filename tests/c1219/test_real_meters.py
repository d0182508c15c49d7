"""ST1 and ST2 of real meters, as captures show them."""

from pathlib import Path

import pytest

from c1219 import Device

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures are not here")


def tables_in(name: str) -> dict[tuple[int, int], bytes]:
    """Octets by (table, offset) of what the answers in a capture say."""
    c1222 = pytest.importorskip("c1222")
    security = pytest.importorskip("c1222.security")
    keys = security.KeyStore.from_file(CAPTURES / "keys.toml")
    asked: list[tuple[int, int]] = []
    found: dict[tuple[int, int], bytes] = {}
    for message in c1222.decode_capture(str(CAPTURES / name), keys=keys):
        for service in message.services:
            shown = service.as_dict()
            if shown["kind"] == "request" and "table" in shown:
                asked.append((shown["table"], shown.get("offset", 0)))
            elif "data" in shown:
                found[asked.pop(0)] = bytes.fromhex(shown["data"])
    return found


DEVICE = Device({0: bytes.fromhex("0218 88") + b"DEMO" + bytes((2,)) + bytes(11)})
"""Neither capture has ST0: little-endian, text identifiers and electricity fit what is seen."""


def test_two_meters_say_who_they_are() -> None:
    serials = []
    for name in ("c1222_over_ipv6.pcap", "c1222overIPv4.cap"):
        octets = tables_in(name)[1, 0]
        value, findings = DEVICE.decode(1, octets)
        assert findings == ()
        assert (value.MANUFACTURER, value.ED_MODEL) == ("EE", "A3R")
        assert value.HW_VERSION_NUMBER == 2
        assert value.FW_REVISION_NUMBER == 6
        assert DEVICE.encode(1, value._replace()) == octets
        serials.append(value.MFG_SERIAL_NUMBER.strip())
    assert len(serials[0]) == len(serials[1]) == 8
    assert all(serial.isdecimal() for serial in serials)


def test_nameplate_of_one_of_them() -> None:
    value, findings = DEVICE.decode(2, tables_in("c1222_over_ipv6.pcap")[2, 0])
    assert findings == ()
    texts = (value.E_KH, value.E_KT, value.E_ED_CONFIG, *value.E_AMPS)
    assert [text.strip() for text in texts] == ["1.80", "1.8000", "9", "20", "2.5"]
    assert value.E_INPUT_SCALAR == 1
    assert value.E_ELEMENTS == (4, 2, 1, 0)
    assert value.E_VOLTS == (9, 9)


def test_a_piece_of_a_table() -> None:
    pieces = tables_in("c1222_std_example8.pcap")
    values, findings = DEVICE.decode_partial(1, 16, pieces[1, 16])
    assert values == {"ST1.MFG_SERIAL_NUMBER": "MANUFACTURER SN"}
    assert findings == ()
