"""Device: tables that depend on each other, snapshots, files, procedures."""

import datetime as dt
import json

import pytest

import c1219
from c1219 import (
    DecodeError,
    Device,
    EncodeError,
    LayoutError,
    MissingTables,
    Procedure,
    Registry,
    Table,
    UnknownElement,
    UnknownTable,
)
from c1219.comparison import Change
from c1219.datatypes import BINARY, SET, UINT8, UINT16
from c1219.schema import Array, Record, Variant, device, this
from c1219.values import Raw
from tests.c1219.engine.example_tables import ST23
from tests.c1219.engines import DEMO


@pytest.fixture
def demo() -> Device:
    return Device({**DEMO, "ST23": ST23, "mt1": b"\1"})


def test_tables_by_number_and_name(demo: Device) -> None:
    assert list(demo) == ["ST0", "ST11", "ST21", "ST23", "MT1"]
    assert len(demo) == 5
    assert demo[2049].raw == demo["MT1"].raw == demo["mt1"].raw == b"\1"
    assert demo["23"] is demo[23] is demo["ST23"]
    assert 23 in demo
    assert "ST24" not in demo
    assert demo.get(24) is None
    assert demo[23].label == "ST23"
    for wrong in ("XT1", "ST", "ST9999", 4096, -1, ""):
        with pytest.raises(UnknownTable):
            demo[wrong]
    with pytest.raises(UnknownTable, match="not here"):
        demo[24]


def test_values_findings_layouts(demo: Device) -> None:
    assert demo[23].value.TOT_DATA_BLOCK.SUMMATIONS == (123456,)
    assert demo[23].value is demo[23].value
    assert demo[23].findings == ()
    assert demo[23].table.name == "CURRENT_REG_DATA_TBL"
    assert demo[23].layout is demo.bind(23)
    assert demo[23].to_json()["NBR_DEMAND_RESETS"] == 7
    element = demo.layout("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert (element.table, element.offset, element.size, element.count) == ("ST23", 1, 6, 1)
    assert (element.index_path, element.type) == ((1, 0, 0), "NI_FMAT1 (INT48)")
    assert demo.layout("ST23").size == 51
    assert demo.value("ST23.TIER_DATA_BLOCK[0].DEMANDS[0].EVENT_TIME[0]") == dt.datetime(2026, 11, 20, 9, 15)
    for wrong in ("ST23[0]", "ST23.X"):
        with pytest.raises(UnknownElement):
            demo.layout(wrong)
    for wrong in ("ST9.X", "NBR_TIERS", "MT1.X"):
        with pytest.raises(UnknownTable):
            demo.layout(wrong)
    with pytest.raises(UnknownTable, match="not here"):
        demo.value("ST22.SUMMATION_SELECT[0]")


def test_another_configuration_gives_another_layout(demo: Device) -> None:
    before = demo.layout("ST23.TIER_DATA_BLOCK[0].SUMMATIONS[0]").offset
    one = demo.bind(23)
    demo.put(21, bytes.fromhex("57 12 02 02 01 01 01 01 01 02"))
    assert demo.layout("ST23.TIER_DATA_BLOCK[0].SUMMATIONS[0]").offset == before + 6
    two = demo.bind(23)
    assert two is not one
    assert demo[23].findings[0].code == "short"
    demo.put(21, demo[21].raw)
    assert demo.bind(23) is two
    st0 = bytearray(DEMO[0])
    st0[0] = 3
    demo.put(0, bytes(st0))
    assert demo.bind(23).order == ">"
    demo.drop(21)
    with pytest.raises(MissingTables):
        demo.bind(23)
    demo.drop(21)


def test_dependencies_of_dependencies_are_dropped_too() -> None:
    registry = Registry(plugins=False)
    chain = [
        Table(number=1, manufacturer=True, name="A", record=Record("A", "N" / UINT8)),
        Table(number=2, manufacturer=True, name="B", record=Record("B", "X" / BINARY(device.MT1.N), "M" / UINT8)),
        Table(number=3, manufacturer=True, name="C", record=Record("C", "Y" / BINARY(device.MT2.M))),
    ]
    registry.register(*chain)
    one = Device({"MT1": b"\1", "MT2": b"\0\2", "MT3": b"ab"}, registry=registry)
    assert one["MT3"].value.Y == b"ab"
    one.put("MT1", b"\0")
    one.put("MT2", b"\1")
    assert one["MT2"].value == (b"", 1)
    assert one["MT3"].layout.size == 1
    one.drop("MT1")
    one.drop("MT2")
    with pytest.raises(MissingTables) as caught:
        one.bind("MT3")
    assert caught.value.names == ("MT1", "MT2")
    assert one.missing() == ("ST0", "MT1", "MT2")


def test_tables_that_depend_on_themselves_are_refused() -> None:
    registry = Registry(plugins=False)
    registry.register(
        Table(number=1, manufacturer=True, name="A", record=Record("A", "N" / BINARY(device.MT2.N))),
        Table(number=2, manufacturer=True, name="B", record=Record("B", "N" / SET(device.MT1.N))),
    )
    with pytest.raises(LayoutError, match="MT1 -> MT2 -> MT1"):
        Device({"MT1": b"", "MT2": b""}, registry=registry).bind("MT1")


def test_what_to_read_next() -> None:
    assert Device().missing() == ()
    assert Device({23: ST23}).missing() == ("ST0", "ST21")
    assert Device({0: DEMO[0], 23: ST23, 64: b""}).missing() == ("ST21", "ST61", "ST62")
    assert Device({**DEMO, 23: ST23}).missing() == ()
    assert Device({"MT9": b""}).missing() == ()
    with pytest.raises(MissingTables) as caught:
        Device().bind(64)
    assert caught.value.names == ("ST0", "ST61", "ST62")


def test_invalid_dimension_tables_say_where(demo: Device) -> None:
    demo.put(21, b"\x57\x12\x02")
    with pytest.raises(LayoutError, match=r"ST21\.NBR_SUMMATIONS"):
        demo.bind(23)
    demo.put(0, DEMO[0][:12])
    with pytest.raises(DecodeError) as caught:
        demo.bind(23)
    assert caught.value.path == "ST0.DIM_STD_TBLS_USED"
    demo.put(0, DEMO[0][:2])
    assert demo.device_class is None
    with pytest.raises((LayoutError, DecodeError)):
        demo.bind(23)


def test_strict_and_lenient() -> None:
    octets = ST23[:8] + b"\x0d" + ST23[9:]
    lenient = Device({**DEMO, 23: octets})
    assert isinstance(lenient[23].value.TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0], Raw)
    assert [finding.path for finding in lenient[23].findings] == ["ST23.TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0]"]
    strict = Device({**DEMO, 23: octets}, strict=True)
    with pytest.raises(DecodeError, match="month"):
        _ = strict[23].value
    with pytest.raises(DecodeError):
        lenient.value("ST23.TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0]")
    with pytest.raises(DecodeError):
        c1219.decode(23, octets, lenient)


def test_limits_are_the_devices() -> None:
    with pytest.raises(c1219.LimitExceeded):
        Device(DEMO, max_size=50).bind(23)
    with pytest.raises(c1219.LimitExceeded):
        Device(DEMO, max_values=10).bind(23)


def test_change_one_element(demo: Device) -> None:
    demo.change("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", 5)
    assert demo[23].raw == ST23[:1] + b"\5\0\0\0\0\0" + ST23[7:]
    assert demo[23].value.TOT_DATA_BLOCK.SUMMATIONS == (5,)
    demo.change("ST21.REG_FUNC1_FLAGS.SEASON_INFO_FIELD_FLAG", False)
    assert demo[21].raw[0] == 0x56
    with pytest.raises(EncodeError):
        demo.change("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", "x")
    demo.put(23, b"")
    with pytest.raises(DecodeError):
        demo.change("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", 5)


def test_encode_decode_at_the_front_door(demo: Device) -> None:
    value = c1219.decode(0, DEMO[0])
    assert c1219.encode(0, value) == DEMO[0]
    grown = value._replace(DIM_MFG_PROC_USED=2, MFG_PROC_USED={9})
    octets = c1219.encode("ST0", grown)
    assert c1219.decode(0, octets) == grown
    assert c1219.decode("ST23", ST23, demo) == demo[23].value
    assert c1219.encode(23, tuple(demo[23].value), demo) == ST23
    with pytest.raises(MissingTables):
        c1219.decode(23, ST23)
    with pytest.raises(UnknownTable):
        c1219.decode("MT77", b"")
    with pytest.raises(EncodeError):
        c1219.encode(0, grown._replace(MFG_PROC_USED={16}))


def test_pieces_of_tables(demo: Device) -> None:
    values, findings = demo.decode_partial(23, 1, ST23[1:7])
    assert values == {"ST23.TOT_DATA_BLOCK.SUMMATIONS[0]": 123456}
    assert findings == ()
    values, findings = Device().decode_partial(0, 0, DEMO[0])
    assert values["ST0.NBR_PENDING"] == 1
    assert Device().decode_partial(0, 3, DEMO[0][3:7]) == ({"ST0.DEVICE_CLASS": DEMO[0][3:7]}, ())
    (_, cut) = Device().decode_partial(0, 0, DEMO[0][:5])
    assert [finding.code for finding in cut] == ["cut"]
    with pytest.raises(LayoutError, match="own octets"):
        Device().decode_partial(0, 3, DEMO[0][3:])
    layout, start = Device().layout_of_piece(0, DEMO[0], indices=(0,))
    assert (layout.size, start) == (len(DEMO[0]), 0)


def test_differences_element_by_element(demo: Device) -> None:
    other = Device.from_json(demo.to_json())
    assert demo.diff(other) == []
    other.change("ST23.TIER_DATA_BLOCK[0].DEMANDS[0].CUM_DEMAND", 4400)
    other.put("MT1", b"\2")
    other.drop(11)
    other.put(1, b"DEMO" + bytes(28))
    assert demo.diff(other) == [
        Change("ST1", 0, None, b"DEMO" + bytes(28)),
        Change("ST11", 0, DEMO[11], None),
        Change("ST23.TIER_DATA_BLOCK[0].DEMANDS[0].CUM_DEMAND", 37, 4321, 4400),
        Change("MT1", 0, b"\1", b"\2"),
    ]
    assert demo.diff(Device()) == [Change(label, 0, demo[label].raw, None) for label in demo]


def test_other_filler_is_no_difference_and_another_layout_is(demo: Device) -> None:
    other = Device.from_json(demo.to_json())
    other.put(21, b"\xd7" + DEMO[21][1:])
    assert demo.diff(other) == []
    other.put(21, bytes.fromhex("57 12 02 02 01 01 01 01 01 02"))
    paths = [change.path for change in demo.diff(other)]
    assert paths[0] == "ST21.NBR_SUMMATIONS"
    assert "ST23.TOT_DATA_BLOCK.SUMMATIONS[1]" in paths


def test_device_file(demo: Device) -> None:
    demo.node["ap_title"] = ".123.8437"
    content = json.loads(demo.to_json())
    assert content["schema"] == "c1219.device/1"
    assert list(content["tables"]) == ["0", "11", "21", "23", "MT1"]
    again = Device.from_json(demo.to_json().encode())
    marked = "\ufeff" + demo.to_json()  # an editor put a byte order mark first
    assert Device.from_json(marked).to_json() == Device.from_json(marked.encode()).to_json() == demo.to_json()
    assert again.to_json() == demo.to_json()
    assert again.node == {"ap_title": ".123.8437"}
    assert again[23].value == demo[23].value


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "5", "null", '"x"', b"\xff\xfe\xfa", "[" * 100_000,
        '{"schema": "c1219.device/2", "tables": {}}',
        '{"schema": "c1219.device/1"}',
        '{"schema": "c1219.device/1", "tables": []}',
        '{"schema": "c1219.device/1", "tables": {"0": "xy"}}',
        '{"schema": "c1219.device/1", "tables": {"0": 5}}',
        '{"schema": "c1219.device/1", "tables": {"zero": ""}}',
        '{"schema": "c1219.device/1", "tables": {}, "node": 5}',
    ],
)  # fmt: skip
def test_device_files_that_are_none(text: str) -> None:
    with pytest.raises(DecodeError):
        Device.from_json(text)


# --- procedures


@pytest.fixture
def with_procedures() -> Device:
    registry = Registry(standard=True, plugins=False)
    registry.register(
        Procedure(
            number=22,
            manufacturer=True,
            name="Shift",
            parameters=Record("SHIFT_RCD", "BY" / UINT16, "SETS" / SET(device.ST0.DIM_MFG_STATUS_USED)),
            response=Record("SHIFTED_RCD", "DONE" / UINT8),
        )
    )
    return Device(DEMO, registry=registry)


def test_parameters_follow_the_procedure(with_procedures: Device) -> None:
    one = with_procedures
    octets = bytes.fromhex("16 38 01 05 00 81")
    value = one.decode(7, octets).value
    assert value.PROC == (22, True, 3)
    assert (5, {0, 7}) == value.PARM
    assert one.encode(7, value) == octets
    assert one.encode(7, value._replace(SEQ_NBR=2, PARM=(6, {1}))) == bytes.fromhex("16 38 02 06 00 02")
    assert one.decode(8, bytes.fromhex("16 08 01 00 07")).value.RESP_DATA == (7,)
    assert one.decode(8, bytes.fromhex("16 08 01 00")).value.RESP_DATA is None
    assert one.decode(8, bytes.fromhex("16 08 01 00 07 07")).findings[0].code == "long"
    assert one.procedure_layout(22, "parameters", manufacturer=True).decode(octets[3:]) == (5, {0, 7})
    assert one.procedure_layout(22, "response", manufacturer=True).size == 1
    assert one.procedure(22, manufacturer=True).name == "Shift"


def test_procedures_that_nobody_declared_have_octets(with_procedures: Device) -> None:
    one = with_procedures
    assert one.decode(7, bytes.fromhex("17 08 01 05 06")).value.PARM == b"\5\6"
    assert one.decode(7, bytes.fromhex("17 08 01")).value.PARM is None
    assert one.encode(7, ((23, True, 0), 1, b"\5")) == bytes.fromhex("17 08 01 05")
    assert one.encode(7, ((23, True, 0), 1, None)) == bytes.fromhex("17 08 01")
    with pytest.raises(UnknownTable):
        one.procedure(2000)


@pytest.mark.parametrize(("limits", "fits"), [
    ({"max_size": 200}, True), ({"max_size": 199}, False), ({"max_values": 100}, True), ({"max_values": 99}, False),
])  # fmt: skip
def test_limits_are_those_of_procedures_and_variants_too(limits: dict[str, int], fits: bool) -> None:
    large = Record("LARGE_RCD", "A" / Array(100, UINT16))
    registry = Registry(plugins=False)
    registry.register(
        Procedure(number=60, name="P", parameters=large),
        Table(
            number=6, manufacturer=True, name="V", record=Record("R", "N" / UINT8, "V" / Variant(9, this.N, {1: large}))
        ),
    )
    one = Device({**DEMO, "MT6": b"\1" + bytes(9)}, registry=registry, **limits)
    for act in (
        lambda: one.procedure_layout(60, "parameters"),
        lambda: one.variant("MT6.V"),
    ):
        if fits:
            assert act() is not None
        else:
            with pytest.raises(c1219.LimitExceeded):
                act()


def test_what_a_procedure_depends_on_is_named() -> None:
    registry = Registry(plugins=False)
    parameters = Record("R", "A" / BINARY(device.ST111.N))
    registry.register(
        Procedure(number=50, name="P", parameters=parameters),
        Table(number=111, device_class=b"DEMO", name="T", record=Record("T_RCD", "N" / UINT8)),
    )
    one = Device(DEMO, registry=registry)
    with pytest.raises(MissingTables) as caught:
        one.decode(7, bytes.fromhex("32 00 01 05"))
    assert caught.value.names == ("ST111",)
    one.put(111, b"\1")
    assert one.decode(7, bytes.fromhex("32 00 01 05")).value.PARM == (b"\5",)


def test_variants_of_a_pending_event(demo: Device) -> None:
    demo.put(4, bytes.fromhex("00 00 00 00 00 1A 01 01 00 00 01 10 1A 0C 1F 17 3B 36 00"))
    path = "ST4.PENDING_TABLES[0].EVENT.EVENT_STORAGE"
    assert demo.variant(path).value == dt.datetime(2026, 12, 31, 23, 59)
    demo.change("ST4.PENDING_TABLES[0].EVENT", (((1, 0, 0)), b"\1\2\3\4\5"))
    assert demo.variant(path).value == (1, 2, 3, 4, 5)
    demo.change("ST4.PENDING_TABLES[0].EVENT.EVENT_SELECTOR", (2, 0, 0))
    demo.change(path, b"ABCD\x07")
    assert demo.variant(path).value == ("ABCD", 7)
    demo.change("ST4.PENDING_TABLES[0].EVENT.EVENT_SELECTOR", (9, 0, 0))
    assert demo.variant(path) is None
    demo.change("ST4.PENDING_TABLES[0].EVENT.EVENT_SELECTOR", (0, 0, 0))
    demo.change(path, b"\x1a\x0d\x01\x01\x01")
    value, findings = demo.variant(path)
    assert isinstance(value, Raw)
    assert findings[0].offset == demo.layout(path).offset
    with pytest.raises(UnknownElement, match="variants"):
        demo.variant("ST4.NBR_PENDING_ACTIVATION")
