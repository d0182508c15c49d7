from __future__ import annotations

import datetime as dt

import pytest

from c1219 import Device, MissingTables, Procedure, Registry
from c1219.codes.results import ListNumber, ResultCode
from c1219.datatypes import UINT8, UINT16
from c1219.errors import DecodeError
from c1219.schema import Record
from c1219.tables.procedures import PROCEDURES

# a demo device: least significant octet first, TM_FORMAT 2, one octet of manufacturer status
ST0 = bytes.fromhex(
    "02 1A 8A 44 45 4D 4F 02 00 10 10 02 00 04 01 03 01 01 01 FF FD F1 1E 01 79 06 00 00 E0 00 00 00 00"
)
BY_NUMBER = {procedure.number: procedure for procedure in PROCEDURES}


@pytest.fixture
def device():
    return Device({0: ST0})


def round_trip(device, table, octets):
    """Decode ST7 or ST8 with the layout and with construct itself, and encode both again."""
    octets = bytes.fromhex(octets)
    value = device.decode(table, octets).value
    assert device.decode(table, octets).findings == ()
    assert device.encode(table, value._replace()) == octets
    layout = device.layout_of(table, octets)
    assert layout.encode(layout.decode(octets)) == octets
    return value


def initiated(device, octets):
    return round_trip(device, 7, octets).PARM


def answered(device, octets):
    return round_trip(device, 8, octets).RESP_DATA


def test_all_numbers_once_and_all_documented():
    assert [procedure.number for procedure in PROCEDURES] == list(range(33))
    assert [procedure.label for procedure in PROCEDURES if not procedure.source or not procedure.name] == []
    assert not any(procedure.manufacturer for procedure in PROCEDURES)


def test_unknown_records_are_said_to_be_unknown():
    unknown = [p.number for p in PROCEDURES if p.confidence[1] == "name only"]
    assert unknown == [22, 23, 24, 26, 27, 28, 29, 30, 31]
    assert [number for number in unknown if BY_NUMBER[number].parameters.subcons[0].name != "DATA"] == []
    assert [p.number for p in PROCEDURES if p.confidence[2] == "name only"] == [*range(21, 33)]


def test_reset_list_pointers(device):
    value = round_trip(device, 7, "04 00 2A 04")
    assert (value.PROC.TBL_PROC_NBR, value.PROC.STD_VS_MFG_FLAG, value.PROC.SELECTOR, value.SEQ_NBR) == (
        4,
        False,
        0,
        42,
    )
    assert value.PARM.LIST is ListNumber.LP_DATA_SET2


def test_completed(device):
    value = round_trip(device, 8, "04 00 2A 00")
    assert (value.PROC.TBL_PROC_NBR, value.SEQ_NBR, value.RESULT_CODE, value.RESP_DATA) == (
        4, 42, ResultCode.COMPLETED, None,
    )  # fmt: skip


def test_manufacturer_procedure_without_a_declaration(device):
    value = round_trip(device, 7, "16 38 01")
    assert (value.PROC.TBL_PROC_NBR, value.PROC.STD_VS_MFG_FLAG, value.PROC.SELECTOR) == (22, True, 3)
    assert value.PARM is None
    assert initiated(device, "16 38 01 CA FE") == b"\xca\xfe"


def test_manufacturer_procedure_of_a_device_class():
    parameters = Record("BEEP_PARM_RCD", "TIMES" / UINT8 * "How often.", "PITCH" / UINT16 * "How high.")
    registry = Registry(plugins=False)
    registry.register(Procedure(number=22, name="Beep", manufacturer=True, device_class=b"DEMO", parameters=parameters))
    assert initiated(Device({0: ST0}, registry=registry), "16 08 01 03 B8 01") == (3, 440)
    other = ST0[:3] + b"ELSE" + ST0[7:]
    assert initiated(Device({0: other}, registry=registry), "16 08 01 03 B8 01") == b"\x03\xb8\x01"


def test_update_last_read_entry_follows_the_order_of_octets(device):
    assert initiated(device, "05 00 2B 03 02 01") == (ListNumber.LP_DATA_SET1, 0x102)
    big = Device({0: bytes([ST0[0] | 1]) + ST0[1:]})
    assert initiated(big, "00 05 2B 03 02 01") == (ListNumber.LP_DATA_SET1, 0x201)


def test_list_without_a_name_stays_a_number(device):
    assert initiated(device, "04 00 01 09").LIST == 9


def test_change_mode(device):
    mode = initiated(device, "06 00 01 02").ED_MODE
    assert (mode.METERING_FLAG, mode.TEST_MODE_FLAG, mode.FACTORY_FLAG) == (False, True, False)


def test_clear_standard_status(device):
    response = answered(device, "07 00 01 00 00 09 00")
    assert [name for name, flag in response.ED_STD_STATUS1._asdict().items() if flag] == [
        "LOW_BATTERY_FLAG",
        "POWER_FAILURE_FLAG",
    ]


def test_clear_manufacturer_status_takes_octets_too(device):
    assert initiated(device, "08 00 01") is None
    assert initiated(device, "08 00 01 84") == b"\x84"
    assert set(answered(device, "08 00 01 00 84").ED_MFG_STATUS) == {2, 7}


def test_remote_reset(device):
    action = initiated(device, "09 00 01 17").ACTION_FLAG
    assert (action.DEMAND_RESET_FLAG, action.SELF_READ_FLAG, action.SEASON_CHANGE_FLAG, action.NEW_SEASON) == (
        True, True, True, 2,
    )  # fmt: skip
    done = answered(device, "09 00 01 00 01").SUCCESS_FLAG
    assert (done.DEMAND_RESET_FLAG, done.SELF_READ_FLAG) == (True, False)


def test_set_date_and_time(device):
    value = initiated(device, "0A 00 07 03 1A 0B 16 0E 1E 2D E0")
    assert (value.SET_MASK.SET_TIME_FLAG, value.SET_MASK.SET_DATE_FLAG, value.SET_MASK.SET_TIME_DATE_QUAL) == (
        True, True, False,
    )  # fmt: skip
    assert value.DATE_TIME == dt.datetime(2026, 11, 22, 14, 30, 45)
    assert (value.TIME_DATE_QUAL.DAY_OF_WEEK, value.TIME_DATE_QUAL.DST_APPLIED_FLAG) == (0, True)
    response = answered(device, "0A 00 07 00 1A 0B 16 0E 1E 28 1A 0B 16 0E 1E 2D")
    assert response.DATE_TIME_AFTER - response.DATE_TIME_BEFORE == dt.timedelta(seconds=5)
    assert answered(device, "0A 00 07 00") is None


@pytest.mark.parametrize(("time", "size"), [(0, 0), (1, 6), (2, 6), (3, 5), (4, 4)])
def test_set_date_and_time_has_the_size_of_the_clock(time, size):
    device = Device({0: ST0[:1] + bytes([0x18 | time]) + ST0[2:]})
    assert device.procedure_layout(10, "parameters").size == size + 2
    assert device.procedure_layout(10, "response").size == 2 * size


@pytest.mark.parametrize("number", [13, 15])
def test_pending_tables_by_event(device, number):
    event = initiated(device, f"{number:02X} 00 01 10 1A 0C 1F 17 3B").EVENT
    assert (event.EVENT_SELECTOR.EVENT_CODE, event.EVENT_SELECTOR.SELF_READ_FLAG) == (0, True)
    assert event.EVENT_STORAGE == bytes.fromhex("1A 0C 1F 17 3B")


def test_log_in_keeps_its_password_to_itself(device):
    octets = "12 00 01 02 00" + b"opensesame".ljust(20).hex()
    value = round_trip(device, 7, octets)
    assert (value.PARM.USER_ID, value.PARM.PASSWORD) == (2, b"opensesame".ljust(20))
    assert "opensesame" not in repr(value)
    assert "opensesame" not in str(device.layout_of(7, bytes.fromhex(octets)).to_json(value))
    assert device.procedure_layout(18, "parameters").size == 22


def test_call(device):
    assert initiated(device, "14 00 01 01").PHONE_NUMBER == 1


def load_control(flags, points=9):
    return Device({0: ST0, 111: bytes([flags, 0, points])})


def test_load_control_needs_its_dimensions(device):
    with pytest.raises(MissingTables):
        device.decode(7, bytes.fromhex("15 00 01 64 01"))


def test_load_control_with_a_duration():
    parm = initiated(load_control(1), "15 00 01 64 01 01 00 1E 00")
    assert (parm.LEVEL, set(parm.CONTROL_POINTS), parm.DURATION, parm.RANDOMIZATION) == (
        100, {0, 8}, dt.time(0, 30), None,
    )  # fmt: skip


@pytest.mark.parametrize("flags", [0, 2])
def test_load_control_with_a_randomization(flags):
    parm = initiated(load_control(flags), "15 00 01 00 03 00 00 05 00")
    assert (parm.DURATION, parm.RANDOMIZATION) == (None, dt.time(0, 5))


def test_load_control_with_both_flags_reads_one_time_or_two():
    device = load_control(3)
    assert initiated(device, "15 00 01 64 01 00 00 1E 00 00 05 00")[2:] == (dt.time(0, 30), dt.time(0, 5))
    one = device.decode(7, bytes.fromhex("15 00 01 64 01 00 00 1E 00"))
    assert one.value.PARM[2:] == (dt.time(0, 30), None)
    assert [finding.level for finding in one.findings] == ["note"]


def test_load_control_without_the_second_time_is_written_without_it():
    device = load_control(3)
    parm = (100, {0, 8}, dt.time(0, 30), None)
    octets = bytes.fromhex("64 01 01 00 1E 00")
    assert device.procedure_layout(21, "parameters").encode(parm) == octets
    assert device.encode(7, ((21, False, 0), 1, parm)) == bytes.fromhex("15 00 01") + octets
    both = (*parm[:3], dt.time(0, 5))
    assert device.encode(7, ((21, False, 0), 1, both)) == bytes.fromhex("15 00 01") + octets + bytes.fromhex("00 05 00")


def test_st7_from_plain_tuples(device):
    assert device.encode(7, ((5, False, 0), 43, (3, 0x102))) == bytes.fromhex("05 00 2B 03 02 01")


@pytest.mark.parametrize(("points", "octets"), [(0, 0), (1, 1), (8, 1), (9, 2), (255, 32)])
def test_load_control_has_a_bit_a_point(points, octets):
    assert load_control(1, points).procedure_layout(21, "parameters").size == 1 + octets + 3


def test_network_interface_control(device):
    control = initiated(device, "19 00 01 DA").CONTROL
    assert (control.INTERFACE_CTRL, control.AUTO_REGISTRATION_CTRL, control.DIRECT_MESSAGING_CTRL) == (2, 2, 1)
    assert (control.RESET_STATISTICS_FLAG, control.ALL_INTERFACES_FLAG) == (True, True)
    assert initiated(device, "19 00 01 05 00").REST == b"\x00"


@pytest.mark.parametrize("number", [22, 23, 24, 26, 27, 28, 29, 30, 31])
def test_unknown_records_keep_their_octets(device, number):
    assert initiated(device, f"{number:02X} 00 01 01 02") == (b"\x01\x02",)
    assert answered(device, f"{number:02X} 00 01 00 03") == (b"\x03",)
    assert initiated(device, f"{number:02X} 00 01") is None


@pytest.mark.parametrize("number", [0, 1, 2, 3, 11, 12, 14, 16, 17, 19])
def test_procedures_without_records(device, number):
    assert device.procedure_layout(number, "parameters") is None
    assert device.procedure_layout(number, "response") is None
    assert initiated(device, f"{number:02X} 00 01") is None


def test_a_cut_parameter_is_an_error(device):
    with pytest.raises(DecodeError) as caught:
        device.layout_of(7, bytes.fromhex("05 00 01 03 02")).decode(bytes.fromhex("05 00 01 03 02"))
    assert caught.value.path == "ST7.PARM.ENTRIES_READ"
