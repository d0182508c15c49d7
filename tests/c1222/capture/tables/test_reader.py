import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219 import Device, Registry, Table
from c1219.datatypes import STRING, UINT8, UINT16
from c1219.registry import table_id
from c1219.schema import Array, Record, device
from c1219.secrecy import may_be_secret
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.jsonl import as_dict, to_json
from c1222.capture.tables.reader import TableReader
from c1222.capture.text import message_lines
from c1222.message.aptitle import ApTitle
from c1222.security.keys import Key, KeyStore
from c1222.services import TableData, tables
from tests.c1219.views.example_meter import TABLES
from tests.c1222.capture.conversation import HEAD_END, KEY, METER, OTHER, Conversation

ROOT = Path(__file__).parents[4]
CAPTURES = ROOT / "../shared/captures"
ST0, ST1, ST2, ST21, ST23 = (TABLES[number] for number in (0, 1, 2, 21, 23))

SAG_TBL = Table(
    number=5, manufacturer=True, name="SAG_TBL", confidence="V",
    record=Record(
        "SAG_RCD",
        "NBR_PHASES" / UINT8 * "Phases.",
        "SAGS" / Array(device.MT4.NBR_PHASES, UINT16) * "Sags of each phase.",
    ),
)  # fmt: skip
SAG_LIMITS_TBL = Table(
    number=4, manufacturer=True, name="SAG_LIMITS_TBL", confidence="V",
    record=Record("SAG_LIMITS_RCD", "NBR_PHASES" / UINT8 * "Phases."),
)  # fmt: skip


def known(talk: Conversation, reader: TableReader | None = None, *, keys: Any = KEY) -> list[dict[str, Any]]:
    """What is known of each piece of table data, in order."""
    reader = reader or TableReader()
    return [item for message in talk.decoder(keys) for item in reader.read(message) if item is not None]


def both_passes(talk: Conversation, **options: Any) -> list[dict[str, Any]]:
    reader = TableReader(**options)
    for message in talk.decoder():
        reader.learn(message)
    return known(talk, reader)


def values(found: list[dict[str, Any]]) -> list[Any]:
    return [item.get("value") for item in found]


def test_a_table_is_decoded_once_what_it_depends_on_was_read() -> None:
    talk = Conversation()
    talk.read(23, ST23)
    talk.read(0, ST0)
    talk.read(23, ST23)
    talk.read(21, ST21)
    talk.read(23, ST23)
    first, st0, second, st21, last = known(talk)
    assert first == {"undecoded": "ST0 and ST21 of this node were not seen"}
    assert second == {"undecoded": "ST21 of this node was not seen"}
    assert st0["value"]["STD_TBLS_USED"] == [*range(9), *range(10, 17), *range(20, 24), *range(25, 29)]
    assert st0["value"]["DEVICE_CLASS"] == b"DEMO".hex()
    assert st21["value"]["NBR_TIERS"] == 1
    demand = last["value"]["TOT_DATA_BLOCK"]["DEMANDS"][0]
    assert demand == {"EVENT_TIME": ["2026-11-22T14:30:00"], "CUM_DEMAND": 54321, "DEMAND": [4200]}
    assert "findings" not in last


def test_a_second_pass_uses_what_came_later() -> None:
    talk = Conversation()
    talk.read(23, ST23)
    talk.read(21, ST21)
    talk.read(0, ST0)
    assert values(known(talk))[0] is None
    assert values(both_passes(talk))[0]["NBR_DEMAND_RESETS"] == 7


def test_in_a_second_pass_the_next_configuration_holds_until_another_is_seen() -> None:
    other = bytearray(ST21)
    other[7] = 0  # no tiers: 26 octets
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(23, ST23)
    talk.read(21, ST21)
    talk.read(21, bytes(other))
    talk.read(23, ST23[:26])
    _, early, _, _, late = both_passes(talk)
    assert len(early["value"]["TIER_DATA_BLOCK"]) == 1
    assert late["value"]["TIER_DATA_BLOCK"] == []
    assert not early.get("findings")
    assert not late.get("findings")


def test_nodes_are_kept_apart_and_titles_are_the_same_in_both_forms() -> None:
    absolute = METER.absolute(ApTitle("2.16.124.113620.1.22.0"))
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(21, ST21, meter=absolute)
    talk.read(23, ST23, meter=OTHER)
    talk.read(23, ST23)
    _, _, other, own = known(talk)
    assert other == {"undecoded": "ST0 and ST21 of this node were not seen"}
    assert own["value"]["NBR_DEMAND_RESETS"] == 7


def test_reads_by_offset_and_index_are_decoded_in_place() -> None:
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(21, ST21)
    talk.read_offset(23, 7, ST23[7:22])
    talk.read_offset(23, 9, ST23[9:14])
    talk.read_index(23, (1, 1, 0), ST23[7:22])
    talk.read_index(23, (2, 0, 0, 0), ST23[26:32])
    talk.read_index(23, (1, 1, 0, 2), b"")
    talk.read_index(23, (7,), b"\0")
    _, _, demand, cut, indexed, tier, absent, beyond = known(talk)
    whole = {
        "TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0]": "2026-11-22T14:30:00",
        "TOT_DATA_BLOCK.DEMANDS[0].CUM_DEMAND": 54321,
        "TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]": 4200,
    }
    assert demand == {"value": whole}
    assert indexed == {"value": whole}
    assert tier == {"value": {"TIER_DATA_BLOCK[0].SUMMATIONS[0]": 23456}}
    assert list(cut["value"]) == list(whole)[:2]
    assert cut["value"]["TOT_DATA_BLOCK.DEMANDS[0].CUM_DEMAND"] == {"raw": "31d4"}
    assert [finding["code"] for finding in cut["findings"]] == ["cut", "cut"]
    assert absent["undecoded"].startswith("ST23.TOT_DATA_BLOCK.DEMANDS[0].CONT_CUM_DEMAND is absent")
    assert "has no element 7" in beyond["undecoded"]


def test_tables_read_in_pieces_are_learned_too() -> None:
    talk = Conversation()
    for start in range(0, len(ST0), 10):
        talk.read_offset(0, start, ST0[start : start + 10])
    talk.read_offset(21, 4, ST21[4:])  # its start was not seen: nothing to learn
    talk.read(23, ST23)
    talk.read_offset(21, 0, ST21[:4])
    talk.read_offset(21, 4, ST21[4:])
    talk.read(23, ST23)
    found = known(talk)
    assert found[5] == {"undecoded": "ST21 of this node was not seen"}
    assert found[8]["value"]["NBR_DEMAND_RESETS"] == 7


def test_a_piece_changes_a_table_that_is_known() -> None:
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(21, ST21)
    talk.ask([tables.WriteOffsetRequest(21, 7, TableData(b"\0"))], [tables.WriteOffsetResponse()])
    talk.read(23, ST23[:26])
    talk.ask([tables.WriteIndexRequest(21, (7,), TableData(b"\x01"))], [tables.WriteIndexResponse()])
    talk.read(23, ST23)
    found = known(talk)
    assert found[2] == {"value": {"NBR_TIERS": 0}}
    assert found[3]["value"]["TIER_DATA_BLOCK"] == []
    assert len(found[5]["value"]["TIER_DATA_BLOCK"]) == 1


def test_what_is_written_is_decoded_and_learned_once_it_succeeded() -> None:
    st6 = b"OWNER".ljust(20) + b" " * 210
    other = bytearray(ST21)
    other[7] = 0
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(21, ST21)
    talk.write(6, st6)
    refused = tables.WriteRequest(21, TableData(bytes(other)))
    number = talk.send([refused], called=METER, calling=HEAD_END)
    talk.send([], called=HEAD_END, calling=METER, answers=number)
    talk.read(23, ST23)
    talk.write(21, bytes(other))
    talk.read(23, ST23[:26])
    found = known(talk)
    assert found[2]["value"]["OWNER_NAME"] == "OWNER"
    assert len(found[4]["value"]["TIER_DATA_BLOCK"]) == 1
    assert found[6]["value"]["TIER_DATA_BLOCK"] == []


def test_a_notification_is_about_its_sender() -> None:
    talk = Conversation()
    talk.read(0, ST0)
    talk.send(
        [tables.WriteRequest(7, TableData(bytes.fromhex("04002A04")))], called=HEAD_END, calling=METER, qualifier=4
    )
    talk.send([tables.WriteRequest(7, TableData(bytes.fromhex("04002A04")))], called=HEAD_END, calling=METER)
    _, notified, written = known(talk)
    assert notified["value"]["PROC"]["TBL_PROC_NBR"] == 4
    assert notified["value"]["SEQ_NBR"] == 42
    assert written == {"undecoded": "ST0 of this node was not seen"}


def test_pieces_of_the_fixed_heads_of_tables_that_lay_themselves_out() -> None:
    talk = Conversation()
    talk.read_offset(0, 3, ST0[3:7])
    talk.read_index(0, (3,), ST0[3:7])
    talk.read_offset(0, 18, ST0[18:19])
    talk.read_offset(0, 0, ST0[:10])
    talk.read_offset(0, 18, ST0[18:20])
    talk.read_index(0, (19,), ST0[19:24])
    *heads, first, beyond, by_index = known(talk)
    device_class = {"DEVICE_CLASS": b"DEMO".hex()}
    assert heads == [{"value": device_class}, {"value": device_class}, {"value": {"NBR_PENDING": ST0[18]}}]
    assert first["value"]["NAMEPLATE_TYPE"] == 2
    assert "own octets" in beyond["undecoded"]
    assert "own octets" in by_index["undecoded"]


def test_pieces_of_the_fixed_heads_of_procedure_tables() -> None:
    talk = Conversation()
    talk.read(0, ST0)
    talk.read_offset(8, 2, bytes.fromhex("2A00"))
    talk.read_index(8, (1,), bytes.fromhex("2A"))
    assert values(known(talk)[1:]) == [{"SEQ_NBR": 42, "RESULT_CODE": 0}, {"SEQ_NBR": 42}]


def test_what_is_not_authentic_teaches_nothing() -> None:
    talk = Conversation()
    wrong = Key(2, bytes(16))
    talk.read(0, ST0, key=wrong)
    talk.read(21, ST21)
    talk.read(23, ST23)
    assert [item.get("undecoded") for item in known(talk)][-1] == "ST0 of this node was not seen"


def test_data_with_a_wrong_checksum_teach_nothing() -> None:
    talk = Conversation()
    talk.read(0, ST0, checksum=b"\0")
    talk.read(21, ST21)
    talk.read(23, ST23)
    found = known(talk)
    assert found[0]["value"]["NAMEPLATE_TYPE"] == 2
    assert found[-1] == {"undecoded": "ST0 of this node was not seen"}


def test_cleartext_teaches_but_does_not_replace_what_is_authentic() -> None:
    other = bytearray(ST21)
    other[7] = 0
    talk = Conversation()
    talk.read(0, ST0, key=None)
    talk.read(21, bytes(other), key=None)
    talk.read(23, ST23[:26])
    talk.read(21, ST21)
    talk.read(21, bytes(other), key=None)
    talk.read(23, ST23)
    found = known(talk)
    assert found[2]["value"]["TIER_DATA_BLOCK"] == []
    assert len(found[5]["value"]["TIER_DATA_BLOCK"]) == 1


def test_devices_are_used_where_the_capture_says_nothing() -> None:
    file = Device({0: ST0, 21: ST21})
    talk = Conversation()
    talk.read(23, ST23)
    talk.read(23, ST23, meter=OTHER)
    assert [item["value"]["NBR_DEMAND_RESETS"] for item in known(talk, TableReader([file]))] == [7, 7]
    named = Device({0: ST0, 21: ST21}, node={"ap_title": ".123.8437"})
    own, other = known(talk, TableReader([named]))
    assert own["value"]["NBR_DEMAND_RESETS"] == 7
    assert other == {"undecoded": "ST0 and ST21 of this node were not seen"}


def test_the_capture_goes_before_the_device_file() -> None:
    other = bytearray(ST21)
    other[7] = 0
    file = Device({0: ST0, 21: ST21})
    talk = Conversation()
    talk.read(21, bytes(other))
    talk.read(23, ST23[:26])
    assert known(talk, TableReader([file]))[1]["value"]["TIER_DATA_BLOCK"] == []


def test_a_device_file_of_another_configuration_is_not_mixed_in() -> None:
    st0 = bytearray(ST0)
    st0[0] |= 1  # most significant octet first
    reader = TableReader([Device({0: ST0, 21: ST21})])
    talk = Conversation()
    talk.read(0, bytes(st0))
    talk.read(23, ST23)
    assert known(talk, reader)[1] == {"undecoded": "ST21 of this node was not seen"}
    (finding,) = reader.findings()
    assert (finding.level, finding.code) == ("warning", "device-contradicted")
    assert ".123.8437" in finding.text or "8437" in finding.text


def test_without_st0_only_what_is_the_same_in_all_fitting_forms_is_shown() -> None:
    talk = Conversation()
    talk.read(1, ST1)
    talk.read(2, ST2)
    talk.read_offset(1, 16, ST1[16:])
    talk.read(5, b"METER-000123".ljust(20))
    talk.read(1, ST1[:16] + bytes.fromhex("0000000012345678"))
    st1, st2, serial, st5, bcd = known(talk)
    assert st1["value"] == {
        "MANUFACTURER": "DEMO", "ED_MODEL": "MODEL-X", "HW_VERSION_NUMBER": 1, "HW_REVISION_NUMBER": 0,
        "FW_VERSION_NUMBER": 3, "FW_REVISION_NUMBER": 2, "MFG_SERIAL_NUMBER": "0000000012345678",
    }  # fmt: skip
    (finding,) = st1["findings"]
    assert (finding["level"], finding["code"], finding["path"]) == ("note", "assumed", "ST1")
    assert "ST0 of this node was not seen" in finding["text"]
    assert "only ID_FORM 0 fits" in finding["text"]
    assert st2["value"]["E_AMPS"] == {"E_CLASS_MAX_AMPS": "200", "E_TA": "30"}
    assert st2["value"]["E_ELEMENTS"] == {"raw": "4c00"}, "it differs by DATA_ORDER"
    assert "ST2.E_ELEMENTS" in st2["findings"][0]["text"]
    assert "the meter is electric" in st2["findings"][0]["text"]
    assert serial["value"] == {"MFG_SERIAL_NUMBER": "0000000012345678"}
    assert st5["value"] == {"IDENTIFICATION": "METER-000123"}
    assert bcd["value"]["MFG_SERIAL_NUMBER"] == "0000000012345678"
    assert "only ID_FORM 1 fits" in bcd["findings"][0]["text"]


def test_a_number_is_the_same_in_both_orders_only_if_its_octets_are() -> None:
    talk = Conversation()
    talk.read(2, ST2[:18] + b"\x4c\x4c" + ST2[20:])
    assert known(talk)[0]["value"]["E_ELEMENTS"]["E_FREQ"] == 4


@pytest.mark.parametrize(
    ("table", "octets"),
    [(1, ST1[:31]), (1, b"\x01" + ST1[1:]), (2, ST2 + b"\0"), (3, b"\x01\0\0\0\0"), (5, b""), (52, bytes(7))],
)
def test_without_st0_nothing_else_is_guessed(table: int, octets: bytes) -> None:
    talk = Conversation()
    talk.read(table, octets)
    (found,) = known(talk)
    assert "value" not in found
    assert "not seen" in found["undecoded"]


def test_letters_outside_ascii_depend_on_the_character_set() -> None:
    talk = Conversation()
    talk.read(1, b"\xc4\xd6  " + ST1[4:])
    assert known(talk)[0]["value"]["MANUFACTURER"] == "ÄÖ", "which is no UTF-8 and no ASCII"
    talk = Conversation()
    talk.read(1, b"\xc3\x84  " + ST1[4:])
    assert known(talk)[0]["value"]["MANUFACTURER"] == "Ä", "of which nothing can be printed in ISO 8859-1"
    talk = Conversation()
    talk.read(1, b"\xc3\xa9  " + ST1[4:])
    assert known(talk)[0]["value"]["MANUFACTURER"] == {"raw": "c3a92020"}, "é in UTF-8, Ã© in ISO 8859-1"


def test_passwords_and_keys_stay_concealed() -> None:
    st41 = bytes((1, 6, 0, 0, 0, 0))  # one password of six octets
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(41, st41)
    talk.read(42, b"sesame\x01")
    talk.write(42, b"secret\x01")
    shown = known(talk)
    assert shown[2] == shown[3] == {"undecoded": "the table holds passwords or keys"}
    assert "sesame" not in json.dumps(shown)
    assert b"sesame".hex() not in json.dumps(shown)
    secret = known(talk, TableReader(show_secrets=True))
    assert secret[2]["value"]["SECURITY_ENTRIES"][0]["ACCESS_PERMISSIONS"]["GROUP_PERM_0_FLAG"]


def test_tables_that_have_no_layout_say_why() -> None:
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(17, b"\1\2\3")
    talk.read(2048 + 77, b"\1")
    talk.read(0x2001, b"\1")
    talk.ask([tables.ReadDefaultRequest()], [tables.ReadDefaultResponse(TableData(b"\1"))])
    found = known(talk)
    assert [item.get("undecoded") for item in found[1:]] == [
        "the layout of ST17 is not known",
        "MT77 is declared nowhere",
        "UDT1 is no table of the standard or the manufacturer",
        "which table the device chose is not known",
    ]


def test_pending_tables_have_their_event_in_front() -> None:
    event = bytes.fromhex("00 1A 0C 1F 17 3B")
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(21, ST21)
    talk.write(0x1000 + 23, event + ST23)
    talk.write(0x1000 + 23, ST23)
    talk.write(0x1000 + 23, ST23 + b"\0")
    talk.read_offset(0x1000 + 23, 0, b"\0")
    talk.read(23, ST23)
    _, _, pending, plain, odd, piece, current = known(talk)
    assert pending["value"] == plain["value"] == current["value"]
    assert [finding["code"] for finding in pending["findings"]] == ["pending-event"]
    assert "fits neither" in odd["undecoded"]
    assert "piece of a pending ST23" in piece["undecoded"]


def test_a_pending_table_is_not_learned() -> None:
    other = bytearray(ST21)
    other[7] = 0
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(21, ST21)
    talk.write(0x1000 + 21, bytes(other))
    talk.read(23, ST23)
    assert len(known(talk)[3]["value"]["TIER_DATA_BLOCK"]) == 1


def test_a_manufacturer_s_table_shows_up_with_its_parts() -> None:
    registry = Registry()
    registry.register(SAG_TBL, SAG_LIMITS_TBL)
    talk = Conversation()
    talk.read(2048 + 5, bytes.fromhex("03 0100 0200 0300"))
    talk.read(0, ST0)
    talk.read(2048 + 4, b"\x03")
    talk.read(2048 + 5, bytes.fromhex("03 0100 0200 0300"))
    talk.read_offset(2048 + 5, 3, bytes.fromhex("0200"))
    talk.read_index(2048 + 5, (1, 2), bytes.fromhex("0300"))
    early, _, _, whole, offset, index = known(talk, TableReader(registry=registry))
    assert early == {"undecoded": "ST0 and MT4 of this node were not seen"}
    assert whole == {"value": {"NBR_PHASES": 3, "SAGS": [1, 2, 3]}}
    assert offset == {"value": {"SAGS[1]": 2}}
    assert index == {"value": {"SAGS[2]": 3}}


def test_a_table_of_the_device_class_goes_before_the_general_one() -> None:
    def table(kind: bytes | None, name: str) -> Table:
        return Table(
            number=6, manufacturer=True, name=name, confidence="V", device_class=kind,
            record=Record("X_RCD", name / STRING(4) * "Text."),
        )  # fmt: skip

    registry = Registry()
    registry.register(table(None, "GENERAL"), table(b"DEMO", "OWN"))
    talk = Conversation()
    talk.read(2048 + 6, b"ABCD")
    talk.read(0, ST0)
    talk.read(2048 + 6, b"ABCD")
    early, _, late = known(talk, TableReader(registry=registry))
    assert early["value"] == {"GENERAL": "ABCD"}
    assert late == {"value": {"OWN": "ABCD"}}


def test_invalid_elements_are_findings_and_the_rest_is_shown() -> None:
    octets = bytearray(ST23)
    octets[8] = 13
    talk = Conversation()
    talk.read(0, ST0)
    talk.read(21, ST21)
    talk.read(23, bytes(octets))
    talk.read(23, ST23[:-1])
    _, _, month, short = known(talk)
    assert month["value"]["TOT_DATA_BLOCK"]["DEMANDS"][0]["EVENT_TIME"] == [{"raw": "1a0d160e1e"}]
    assert [finding["level"] for finding in month["findings"]] == ["error"]
    assert [finding["code"] for finding in short["findings"]] == ["short"]


def test_memory_is_bounded_and_what_is_forgotten_is_counted() -> None:
    talk = Conversation()
    nodes = [ApTitle(f".123.{number}") for number in range(10, 20)]
    for node in nodes:
        talk.read(0, ST0, meter=node)
        talk.read(21, ST21, meter=node)
    for node in nodes:
        talk.read(23, ST23, meter=node)
    reader = TableReader(max_nodes=3)
    decoded = [bool(value) for value in values(known(talk, reader))[20:]]
    assert decoded == [False] * 7 + [True] * 3
    (finding,) = reader.findings()
    assert (finding.code, finding.level) == ("evicted", "note")
    assert "7 nodes" in finding.text
    reader = TableReader(max_octets=100)  # two nodes have 86 octets
    assert sum(bool(value) for value in values(known(talk, reader))[20:]) == 2
    reader = TableReader(max_octets=10)
    assert not any(values(known(talk, reader))[20:])


def test_nodes_of_one_configuration_share_their_layouts() -> None:
    talk = Conversation()
    for number in range(10, 14):
        talk.read(0, ST0, meter=ApTitle(f".123.{number}"))
        talk.read(21, ST21, meter=ApTitle(f".123.{number}"))
    reader = TableReader()
    known(talk, reader)
    nodes = [ApTitle(f".123.{number}").absolute(ApTitle("2.16.124.113620.1.22.0")) for number in range(10, 14)]
    assert len({id(reader._nodes.device(node)) for node in nodes}) == 1


def test_messages_without_table_data_cost_nothing_and_say_nothing() -> None:
    talk = Conversation()
    talk.send([tables.ReadRequest(1)], called=METER, calling=HEAD_END)
    assert [TableReader().read(message) for message in talk.decoder()] == [()]


def test_lines_of_json_and_text_show_values() -> None:
    talk = Conversation()
    talk.read(1, ST1)
    talk.read(23, ST23)
    reader = TableReader()
    messages = [(message, reader.read(message)) for message in talk.decoder()]
    for message, tables_of in messages:
        assert json.loads(to_json(message, tables=tables_of)) == as_dict(message, tables=tables_of)
    service = as_dict(messages[1][0], tables=messages[1][1])["services"][0]
    assert service["data"] == ST1.hex()
    assert service["value"]["ED_MODEL"] == "MODEL-X"
    text = "\n".join(line for message, tables_of in messages for line in message_lines(message, tables=tables_of))
    assert "ED_MODEL = MODEL-X" in text
    assert "note: ST0 of this node was not seen" in text
    assert "not decoded: ST0 and ST21 of this node were not seen" in text


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures are not here")
def test_the_real_meters_of_the_captures() -> None:
    store = KeyStore.from_file(CAPTURES / "keys.toml")
    found = {}
    for name in ("c1222overIPv4.cap", "c1222_over_ipv6.pcap"):
        reader = TableReader(base=store.base_oid)
        decoder = CaptureDecoder(CAPTURES / name, keys=store)
        found[name] = [item for message in decoder for item in reader.read(message) if item]
        decoder.close()
    (st1,) = found["c1222overIPv4.cap"]
    assert list(st1["value"].values()) == ["EE", "A3R", 2, 0, 3, 6, "        12345678"]
    st1, st2 = found["c1222_over_ipv6.pcap"]
    assert list(st1["value"].values()) == ["EE", "A3R", 2, 3, 3, 6, "        13022906"]
    assert {name: st2["value"][name].strip() for name in ("E_KH", "E_KT", "E_ED_CONFIG")} == {
        "E_KH": "1.80", "E_KT": "1.8000", "E_ED_CONFIG": "9",
    }  # fmt: skip
    assert all(item["findings"][0]["code"] == "assumed" for items in found.values() for item in items)


def test_the_sample_of_two_meters() -> None:
    sample = ROOT / "specs/captures/meters.pcap"
    decoder = CaptureDecoder(sample, keys=KeyStore.from_file(sample.with_name("keys.toml")))
    reader = TableReader()
    found = [item["value"] for message in decoder for item in reader.read(message) if item]
    decoder.close()
    assert [value.get("ED_MODEL") for value in found] == ["A3R", "A3R", None]


@given(some.integers(0, 90) | some.integers(2048, 2060) | some.integers(4096, 4200), some.binary(max_size=80),
       some.sampled_from([None, 0, 1, 20]), some.lists(some.integers(0, 5), min_size=1, max_size=4), some.booleans())  # fmt: skip
def test_any_octets_give_a_value_or_a_reason(
    table: int, octets: bytes, offset: int | None, indices: list[int], by_index: bool
) -> None:
    talk = Conversation()
    for number in (0, 11, 21):
        talk.read(number, TABLES[number])
    if by_index:
        talk.read_index(table, tuple(indices), octets)
    elif offset is None:
        talk.read(table, octets)
    else:
        talk.read_offset(table, offset, octets)
    reader = TableReader()
    *_, found = [item for message in talk.decoder() for item in reader.read(message) if item is not None]
    assert ("value" in found) != ("undecoded" in found)
    json.dumps(found)


PROFILES = sorted((ROOT / "specs/devices").glob("*.json"))


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_all_tables_of_a_device_read_one_after_the_other(path: Path) -> None:
    meter = Device.from_json(path.read_bytes())
    title = ApTitle(str(meter.node["ap_title"]))
    labels = [label for label in meter if not may_be_secret(table_id(label), meter[label].raw)]
    talk = Conversation()
    for label in labels:
        talk.read(table_id(label), meter[label].raw, meter=title)
    found = dict(zip(labels, known(talk), strict=True))
    undecoded = {label: item["undecoded"] for label, item in found.items() if "undecoded" in item}
    assert not [label for label in undecoded if label.startswith("ST")]
    for label, item in found.items():
        if label not in undecoded:
            assert item["value"] == meter[label].to_json(), label
    assert {"ST0", "ST1", "ST12", "ST23"} <= set(found)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_table_read_in_pieces_gives_the_values_of_the_whole(path: Path) -> None:
    meter = Device.from_json(path.read_bytes())
    reader = TableReader([meter])
    for label in ("ST23", "ST64", "ST12"):
        if label not in meter:
            continue
        raw = meter[label].raw[:2000]
        layout = meter.bind(label)
        whole = {element.path: element.to_json(element.get(raw)) for element in layout.elements(0, len(raw) - 16)}
        talk = Conversation()
        for start in range(0, len(raw), 97):
            talk.read_offset(
                table_id(label), start, raw[start : start + 97], meter=ApTitle(str(meter.node["ap_title"]))
            )
        pieces = known(talk, reader)
        inside = {
            f"{label}.{name}": value
            for item in pieces
            for name, value in item["value"].items()
            if f"{label}.{name}" not in {finding["path"] for finding in item.get("findings", ())}
        }
        cut = {finding["path"] for item in pieces for finding in item.get("findings", ())}
        assert {name: value for name, value in inside.items() if name in whole} == {
            name: value for name, value in whole.items() if name not in cut
        }
        assert inside
