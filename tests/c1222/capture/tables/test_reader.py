"""Tables in a capture: what they depend on, whom they belong to, what may be shown."""

import io
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219 import Device, Registry, Table
from c1219.datatypes import STRING, UINT8, UINT16
from c1219.schema import Array, Record, device
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.files.writer import PcapWriter
from c1222.capture.jsonl import as_dict, to_json
from c1222.capture.tables.parts import Answers
from c1222.capture.tables.reader import TableReader
from c1222.capture.text import message_lines
from c1222.message.aptitle import ApTitle
from c1222.security.keys import Key, KeyStore
from c1222.services import TableData, session, tables
from tests.c1219.views.example_meter import TABLES
from tests.c1222.capture.conversation import HEAD_END, METER, OTHER, Conversation
from tests.c1222.capture.tables.known_values import ROOT, ST0, ST1, ST21, ST23, both_passes, known, values
from tests.traffic import KEY, frames, varied

CAPTURES = ROOT / "../shared/captures"


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
    assert "ST0 of this node was not seen" in written["findings"][0]["text"]


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


def random_reads(rng: random.Random) -> bytes:
    """A capture of reads of whole tables and of pieces: of right and wrong octets, alone and with other services."""
    talk = Conversation()
    for _ in range(160):
        number = rng.choice([0, 1, 1, 2, 7, 8, 21, 23, 42, 63, 64, 2053, 4096 + 23])
        octets = TABLES.get(number, rng.randbytes(20))
        if rng.random() < 0.2:
            octets = rng.randbytes(rng.choice([0, 1, len(octets)]))
        start = rng.choice([0, 0, 1, 4, 400])
        piece = octets[start : start + rng.randrange(40)]
        checksum = rng.choice([None, None, None, b"\0"])
        request, response = rng.choice(
            [
                (tables.ReadRequest(number), tables.ReadResponse(TableData(octets, checksum))),
                (tables.ReadOffsetRequest(number, start, 40), tables.ReadOffsetResponse(TableData(piece, checksum))),
                (tables.ReadRequest(number), tables.WriteResponse()),
            ]
        )
        before = rng.choice([[], [(session.SecurityRequest.of("PASSWORD", 2), session.SecurityResponse())]])
        asked, answered = zip(*before, (request, response), strict=True)
        answered = answered[: rng.choice([1, 2, 2])]
        talk.ask(asked, answered, meter=rng.choice([METER, OTHER]), key=rng.choice([None, KEY]))
    return talk.octets


def varied_reads() -> bytes:
    file, sequences = io.BytesIO(), dict[tuple[str, str], int]()
    writer = PcapWriter(file)
    for number, sent in enumerate(varied(600)):
        for packet in frames(sent, sequences, number):
            writer.write(number, packet)
    return file.getvalue()


@pytest.mark.parametrize("show_secrets", [False, True])
@pytest.mark.parametrize("seed", [None, 1, 2, 3, 4])
def test_plain_reads_give_the_same_as_services_that_were_decoded(
    monkeypatch: pytest.MonkeyPatch, seed: int | None, show_secrets: bool
) -> None:
    capture = varied_reads() if seed is None else random_reads(random.Random(seed))

    def lines() -> list[Any]:
        reader = TableReader(show_secrets=show_secrets)
        found: list[Any] = []
        for message in CaptureDecoder(io.BytesIO(capture), keys=KeyStore([KEY])):
            shown = reader.read(message)
            line = to_json(message, tables=shown, show_secrets=show_secrets)
            long = json.dumps(as_dict(message, tables=shown, show_secrets=show_secrets), ensure_ascii=False)
            assert line == long
            found.append((line, shown))
        return found

    quick = lines()
    monkeypatch.setattr(Answers, "of", lambda *_: None)
    assert quick == lines()
    assert any(known for _, shown in quick for known in shown)
