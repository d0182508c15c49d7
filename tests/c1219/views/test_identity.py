import json

from c1219.device import Device
from c1219.views.identity import identity
from tests.c1219.views.example_meter import TABLES, meter


def test_the_worked_example() -> None:
    found = meter().identity()
    assert (found.manufacturer, found.model, found.serial) == ("DEMO", "MODEL-X", "0000000012345678")
    assert (found.hardware, found.firmware, found.device_class) == ("1.0", "3.2", "DEMO")
    assert (found.commodity, found.edition, found.identification) == ("electric", "2008", "METER-000123")
    assert found.nameplate["E_KH"] == "1.0"
    assert found.nameplate["E_AMPS"] == {"E_CLASS_MAX_AMPS": "200", "E_TA": "30"}
    assert [finding.path for finding in found.findings] == ["ST6"]
    assert json.loads(json.dumps(found.as_dict()))["nameplate"]["E_ELEMENTS"]["E_FREQ"] == 4


def test_a_serial_number_in_bcd() -> None:
    st0 = bytearray(TABLES[0])
    st0[1] |= 0x20
    found = identity(meter({0: bytes(st0), 1: TABLES[1][:16] + bytes.fromhex("0000000012345678"), 5: None}))
    assert found.serial == "0000000012345678"


def test_the_utility_s_names() -> None:
    octets = b"OWNER".ljust(20) + bytes.fromhex("20" * 210)
    found = identity(meter({6: octets}))
    assert (found.utility["OWNER_NAME"], found.utility["CUSTOMER_ID"]) == ("OWNER", "")
    assert found.findings == ()


def test_blanks_around_a_text_are_not_part_of_it() -> None:
    octets = TABLES[1][:16] + b"        12345678"
    assert identity(meter({1: octets})).serial == "12345678"


def test_a_device_class_that_is_no_text_is_shown_in_hex() -> None:
    st0 = bytearray(TABLES[0])
    st0[3:7] = bytes.fromhex("82B55A00")
    assert identity(meter({0: bytes(st0)})).device_class == "82b55a00"


def test_other_meters_and_editions() -> None:
    st0 = bytearray(TABLES[0])
    st0[7], st0[11] = 1, 1
    found = identity(meter({0: bytes(st0), 2: b"\x01\x02"}))
    assert (found.commodity, found.edition, dict(found.nameplate)) == ("water", "1997", {"DATA": "0102"})
    assert "nameplate" in {finding.code for finding in found.findings}
    st0[7], st0[11] = 9, 3
    found = identity(meter({0: bytes(st0)}))
    assert (found.commodity, found.edition) == ("nameplate type 9", "version 3")


def test_what_is_missing_is_said() -> None:
    found = identity(Device(node={"ap_title": ".1.2"}))
    assert found.ap_title == ".1.2"
    assert found[:9] == (None,) * 9
    assert sorted(finding.path for finding in found.findings) == ["ST0", "ST1", "ST2", "ST5", "ST6"]


def test_a_table_that_ends_early_tells_what_it_has() -> None:
    found = identity(meter({1: TABLES[1][:14]}))
    assert (found.manufacturer, found.hardware, found.firmware, found.serial) == ("DEMO", "1.0", None, None)
    assert "short" in {finding.code for finding in found.findings}
