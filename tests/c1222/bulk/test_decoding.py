"""The columns of whole captures say what `decode_capture` says, row by row, whatever is in them."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import c1222
from c1219.tabular.arrow import arrow_schema, arrow_table
from c1222 import Key, KeyStore, bulk
from c1222.bulk import decoding, opening, shapes
from c1222.bulk.schema import BULK_MESSAGES, bulk_row
from c1222.capture.files.writer import PcapWriter, udp_packet
from c1222.protocol.message import Message
from c1222.services import session, tables
from tests.c1222.message.known import OCTETS
from tests.traffic import KEY, Sent, exchange, frames, varied

CAPTURES = Path(__file__).parents[3] / "specs" / "captures"
NAMES = sorted(path.name for path in CAPTURES.glob("*.pcap*"))
KEYS = [KEY, Key(0, bytes.fromhex("6624c7e23034e4036fe5cb3a8b5dab44"), "1.3.6.1.4.1.33507.1919.12345678.0")]
SENT = list(varied(240))
EVEN = [exchange(number) for number in range(400)]


def capture(packets: Iterable[bytes], step_ns: int = 1000) -> bytes:
    file = io.BytesIO()
    with PcapWriter(file) as writer:
        for number, packet in enumerate(packets):
            writer.write(1_700_000_000_000_000_000 + number * step_ns, packet)
    return file.getvalue()


def datagrams(apdus: Iterable[bytes]) -> list[bytes]:
    return [udp_packet("10.0.0.1:50000", "10.1.0.1:1153", octets) for octets in apdus]


def packets_of(sent: Iterable[Sent]) -> list[bytes]:
    sequences: dict[tuple[str, str], int] = {}
    return [frame for number, each in enumerate(sent) for frame in frames(each, sequences, number)]


def rows_of(batches: Iterable[pa.RecordBatch]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.to_pylist()]


def same(octets: bytes, store: KeyStore, *, rows: int = 1000, **options: Any) -> int:
    """Hold the two equal; return how many messages were opened together."""
    early = {name: value for name, value in options.items() if name == "early_ns"}
    decoder = c1222.decode_capture(io.BytesIO(octets), keys=store, **options)
    wanted = arrow_table(BULK_MESSAGES, map(bulk_row, decoder)).to_pylist()
    options.pop("early_ns", None)
    read = bulk.frames(io.BytesIO(octets), rows=rows, **options)
    together = 0
    with pytest.MonkeyPatch.context() as patch:

        def counted(*arguments: Any, **named: Any) -> Any:
            nonlocal together
            opened = opening.open_shapes(*arguments, **named)
            together += sum(len(some.called) for some in opened)
            return opened

        patch.setattr(decoding, "open_shapes", counted)
        decoded = bulk.decode(read, store, **early)
        batches = list(decoded)
    assert all(batch.schema.equals(arrow_schema(BULK_MESSAGES), check_metadata=True) for batch in batches)
    for batch in batches:
        batch.validate(full=True)
    found = rows_of(batches)
    for one, other in zip(found, wanted, strict=True):
        assert one == other
    assert decoded.counters.as_dict() == decoder.counters.as_dict()
    assert [*read.findings(), *decoded.findings()] == decoder.findings()
    return together


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [1, 3, 1000])
def test_sample_captures(name: str, rows: int) -> None:
    same((CAPTURES / name).read_bytes(), KeyStore.from_file(CAPTURES / "keys.toml"), rows=rows)


@pytest.mark.parametrize("rows", [1, 50, 1000])
def test_messages_of_every_kind(rows: int) -> None:
    same(capture(packets_of(SENT)), KeyStore(KEYS), rows=rows)
    same(capture(datagrams(OCTETS)), KeyStore(KEYS), rows=rows)


def test_most_of_an_even_load_is_opened_together() -> None:
    assert same(capture(datagrams(EVEN)), KeyStore(KEYS)) > 100


@pytest.mark.parametrize(
    "options",
    [
        {"keys": []},
        {"keys": [Key(2, bytes(16))]},
        {"keys": [Key(2, bytes(16), ".4"), KEY]},
        {"keys": [Key(2, KEY.octets, ".4")]},
        {"base_oid": "1.3.6.1.4.1.33507"},
        {"ports": {4}},
        {"ports": {4}, "by_content": False},
        {"early_ns": 0},
    ],
    ids=str,
)
def test_with_other_keys_bases_and_ports(options: dict[str, Any]) -> None:
    keys, base = options.pop("keys", KEYS), options.pop("base_oid", None)
    store = KeyStore(keys) if base is None else KeyStore(keys, base_oid=base)
    same(capture([*datagrams(EVEN[::-1]), *packets_of(SENT[:40])]), store, **options)


def test_repetitions_and_answers_out_of_order() -> None:
    packets = datagrams(EVEN)
    assert same(capture([*packets, *packets, *reversed(packets)]), KeyStore(KEYS)) > 300
    same(capture([*packets[1::2], *packets[::2]]), KeyStore(KEYS), rows=70)
    same(capture(packets[1::2], step_ns=100_000_000), KeyStore(KEYS), rows=70)


@st.composite
def damaged(draw: st.DrawFn) -> list[bytes]:
    """Packets of an even load and of every kind, in another order, of which some are changed, cut or lengthened."""
    rng = random.Random(draw(st.integers(0, 1 << 32)))
    packets = [*datagrams(rng.choices(EVEN, k=150)), *packets_of(rng.sample(SENT, 20))]
    if draw(st.booleans()):
        packets = [*datagrams(EVEN[:150]), *packets]
    for _ in range(draw(st.integers(0, 60))):
        place = rng.randrange(len(packets))
        octets = bytearray(packets[place])
        at = rng.randrange(42, len(octets)) if len(octets) > 42 and rng.random() < 0.9 else rng.randrange(len(octets))
        kind = rng.randrange(5)
        if kind < 2:
            octets[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            octets[at] = rng.randrange(256)
        elif kind == 3:
            del octets[at : at + rng.randrange(1, 4)]
        else:
            octets[at:at] = rng.randbytes(rng.randrange(1, 4))
        if kind < 3 or rng.random() < 0.3:
            packets[place] = bytes(octets)
        else:
            packets[place] = udp_packet("10.0.0.1:50000", "10.1.0.1:1153", bytes(octets[42:]))
    if draw(st.booleans()):
        rng.shuffle(packets)
    return packets


@settings(max_examples=40, deadline=None)
@given(packets=damaged(), rows=st.sampled_from([1, 40, 1000]), titled=st.booleans())
def test_damaged_captures(packets: list[bytes], rows: int, titled: bool) -> None:
    same(capture(packets), KeyStore([*KEYS, Key(2, KEY.octets, ".4")] if titled else KEYS), rows=rows)


def test_a_wrong_mac_among_right_ones() -> None:
    changed = [
        octets[:-1] + bytes([octets[-1] ^ 1]) if number % 7 == 3 else octets for number, octets in enumerate(EVEN)
    ]
    same(capture(datagrams(changed)), KeyStore(KEYS))


def sealed(number: int, key: Key, meter: str, base: str = ".4") -> bytes:
    message = Message(
        called=c1222.ApTitle(meter),
        calling=c1222.ApTitle(base),
        calling_invocation_id=0x01000000 + number,
        services=[tables.ReadRequest(23)],
        security_mode=2,
        key_id=key.id,
        iv=number.to_bytes(4),
    )
    return c1222.encode(message, keys=key)


def test_ten_thousand_nodes_with_ten_thousand_keys() -> None:
    keys = [Key(2, number.to_bytes(16), f".9.{number}") for number in range(10_000)]
    apdus = [sealed(number, keys[number], f".9.{number}") for number in range(10_000)]
    busy = [sealed(20_000 + number, keys[7], ".9.7") for number in range(100)]
    store = KeyStore(keys)
    assert same(capture(datagrams([*apdus[:300], *busy])), store) == 101
    batch = batch_of([*apdus, *busy])
    decoded = bulk.decode([batch], store)
    assert all(row["authenticated"] for row in rows_of(decoded))
    assert decoded.counters.verified == 10_100


def batch_of(apdus: list[bytes | None], **columns: list[Any]) -> pa.RecordBatch:
    count = len(apdus)
    filled: dict[str, list[Any]] = {
        "time_ns": list(range(count)),
        "src": ["10.0.0.1:50000"] * count,
        "dst": ["10.1.0.1:1153"] * count,
        "transport": ["udp"] * count,
        "frame": list(range(1, count + 1)),
        "apdu": apdus,
        **columns,
    }
    return pa.record_batch(filled)


def codes(row: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in json.loads(row["findings"])]


def test_rows_without_an_apdu_empty_and_large_ones() -> None:
    batch = batch_of([None, b"", bytes(70_000), EVEN[0], b"\x60\x83\x01\x11\x70" + bytes(70_000), EVEN[1]])
    rows = rows_of(bulk.decode([batch], KEY))
    assert [row["frame"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert codes(rows[0]) == ["not-an-apdu"]
    assert all(codes(rows[number]) for number in (1, 2, 4))
    assert [row["called"] for row in rows] == [None, None, None, ".1.100.1", None, ".4"]
    assert rows[5]["reply_to"] == 4
    assert codes(rows[3]) == codes(rows[5]) == []


def test_times_before_1970_and_none() -> None:
    times = [-5_000_000_000, None, *range(3, len(EVEN) + 1)]
    rows = rows_of(bulk.decode([batch_of(list(EVEN), time_ns=times)], KEY))
    assert [row["time_ns"] for row in rows] == times
    rows = rows_of(bulk.decode([batch_of(EVEN[:2], time_ns=[-7, None], src=[None, None], dst=[None, None])], KEY))
    assert [(row["time_ns"], row["src"], row["reply_to"]) for row in rows] == [(-7, None, None), (None, None, 1)]


def test_remarks_come_through_and_damaged_ones_are_told() -> None:
    remark = '[{"level": "note", "code": "seen", "path": "x", "offset": null, "text": "y"}]'
    findings = [None, remark, "no json", '[{"level": 1}]', "7"]
    rows = rows_of(bulk.decode([batch_of(EVEN[:5], findings=findings)], KEY))
    assert [codes(row) for row in rows] == [[], ["seen"], ["malformed"], ["malformed"], ["malformed"]]


def test_slices_and_other_types_of_columns() -> None:
    batch = batch_of([b"x", *EVEN[:100]])
    wanted = rows_of(bulk.decode([batch], KEY))[1:]
    assert rows_of(bulk.decode([batch.slice(1)], KEY)) == wanted
    large = batch.set_column(5, "apdu", batch.column("apdu").cast(pa.large_binary())).slice(1)
    assert rows_of(bulk.decode([large.slice(0, 30), large.slice(30)], KEY)) == wanted
    words = batch.set_column(1, "src", batch.column("src").dictionary_encode()).slice(1)
    assert rows_of(bulk.decode([words], KEY)) == wanted


def test_no_batch_an_empty_one_and_one_that_lacks_a_column() -> None:
    assert list(bulk.decode([], KEY)) == []
    assert list(bulk.decode([batch_of(EVEN[:2]).slice(2)], KEY)) == []
    with pytest.raises(ValueError, match="no column apdu"):
        list(
            bulk.decode(
                [pa.record_batch({"frame": [1], "time_ns": [1], "src": ["a"], "dst": ["b"], "transport": ["udp"]})]
            )
        )


def as_json(service: dict[str, Any]) -> dict[str, Any]:
    """Return the object of a service in JSON, out of its structure."""
    shown = {name: service[name] for name in ("code", "service", "kind")}
    if service["result"] is not None:
        shown["result"] = service["result"]
    if service["kind"] == "request":
        shown |= {name: service[name] for name in ("table", "offset", "count", "indices") if service[name] is not None}
    if service["data"] is not None:
        shown["data"] = service["data"].hex()
    if service["checksum_ok"] is not None:
        shown["checksum_ok"] = service["checksum_ok"]
    return shown | json.loads(service["more"] or "{}")


def test_structures_of_services_hold_all_that_json_has() -> None:
    octets = capture([*packets_of(varied(1000)), *datagrams(EVEN)])
    wanted = [message.as_dict() for message in c1222.decode_capture(io.BytesIO(octets), keys=KeyStore(KEYS))]
    rows = rows_of(bulk.decode(bulk.frames(io.BytesIO(octets)), KeyStore(KEYS)))
    for row, message in zip(rows, wanted, strict=True):
        assert [as_json(service) for service in row["services"]] == message["services"]


def test_responses_say_of_which_table_their_data_are() -> None:
    batch = batch_of([read for number in range(20) for read in (EVEN[4 * number], EVEN[4 * number + 1])])
    rows = rows_of(bulk.decode([batch], KEY))
    for request, response in zip(rows[::2], rows[1::2], strict=True):
        (asked,), (answer,) = request["services"], response["services"]
        assert [answer[name] for name in ("table", "offset", "count")] == [
            asked[name] for name in ("table", "offset", "count")
        ]
        assert answer["data"] is None or len(answer["data"]) == asked["count"]


def test_passwords_and_keys_are_in_no_column() -> None:
    batches = [*bulk.frames([CAPTURES / name for name in NAMES])]
    store = KeyStore.from_file(CAPTURES / "keys.toml")
    text = json.dumps(
        [rows_of(bulk.decode(batches, store)), *(str(batch.schema) for batch in batches)], default=bytes.hex
    )
    assert b"reader-demo".hex() not in text
    assert all(key.octets.hex() not in text for key in store)


def test_a_logon_is_concealed_among_many() -> None:
    message = Message(
        called=c1222.ApTitle(".9"),
        calling=c1222.ApTitle(".4"),
        calling_invocation_id=0x01000000,
        services=[session.SecurityRequest.of("SECRETSECRET", 2)],
    )
    rows = rows_of(bulk.decode([batch_of([c1222.encode(message)] * 20)]))
    assert len(rows) == 20
    text = json.dumps([row["services"] for row in rows], default=bytes.hex)
    assert b"SECRETSECRET".hex() not in text
    assert "SECRET" not in text


def test_few_of_a_shape_are_not_treated_together() -> None:
    assert same(capture(datagrams([EVEN[0]] * (shapes.FEW - 1))), KeyStore(KEYS)) == 0
    assert same(capture(datagrams([EVEN[0]] * shapes.FEW)), KeyStore(KEYS)) == shapes.FEW
