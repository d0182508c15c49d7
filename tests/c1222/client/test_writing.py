"""Tables and elements, written by both pumps over a wire in memory."""

from __future__ import annotations

import pytest

from c1219.errors import EncodeError
from c1222.services import Request, Response, tables
from tests.c1222.client.rig import Bench, known

pytestmark = pytest.mark.parametrize("kind", ["sync", "aio"])


def test_write_whole_tables_and_elements(kind: str) -> None:
    bench = Bench(kind)
    table = bench.meter.read(6)
    bench.meter.write(6, table._replace(OWNER_NAME="new owner"))
    assert known(bench.store).value("ST6.OWNER_NAME") == "new owner"
    bench.meter.write("ST6.MISC_ID", "note")
    assert known(bench.store).value("ST6.MISC_ID") == "note"
    assert isinstance(bench.store.writes[-1], tables.WriteOffsetRequest)
    assert bench.meter.device.value("ST6.MISC_ID") == "note"  # what is known of the meter goes along
    bench.meter.write(5, bytes(20))
    assert bench.store.tables[5] == bytes(20)
    bench.meter.write_octets("ST6", b"XY", 3)
    assert bench.store.tables[6][3:5] == b"XY"
    bench.meter.write_octets("ST6", table_octets := bytes(230))
    assert bench.store.tables[6] == table_octets


def test_write_part_of_a_bit_field(kind: str) -> None:
    bench = Bench(kind)
    device = known(bench.store)
    element = device.layout("ST51.TIME_FUNC_FLAG1.SORT_DATES_FLAG")
    before = device.value("ST51.TIME_FUNC_FLAG1")
    filler = bytearray(bench.store.tables[51])
    filler[element.offset] |= 0xC0  # what no name covers stays as it is
    bench.store.tables[51] = bytes(filler)
    bench.meter.write("ST51.TIME_FUNC_FLAG1.SORT_DATES_FLAG", not before.SORT_DATES_FLAG)
    after = known(bench.store).value("ST51.TIME_FUNC_FLAG1")
    assert after == before._replace(SORT_DATES_FLAG=not before.SORT_DATES_FLAG)
    assert bench.store.tables[51][element.offset] & 0xC0 == 0xC0
    (write,) = bench.store.writes
    assert (write.offset, len(write.data)) == (element.offset, element.size)  # type: ignore[attr-defined]


def test_write_in_terms_of_json(kind: str) -> None:
    bench = Bench(kind)
    table = known(bench.store)[5].to_json()
    bench.meter.write(5, {**table, "IDENTIFICATION": "from json"}, as_json=True)
    bench.meter.write("ST6.OWNER_NAME", "from json too", as_json=True)
    assert known(bench.store)[5].value.IDENTIFICATION == "from json"
    assert known(bench.store).value("ST6.OWNER_NAME") == "from json too"


def test_a_value_without_a_form_is_not_sent(kind: str) -> None:
    bench = Bench(kind)
    with pytest.raises(EncodeError):
        bench.meter.write("ST6.OWNER_NAME", "x" * 21)
    assert not bench.store.writes


def test_large_tables_are_written_in_pieces(kind: str) -> None:
    bench = Bench(kind)
    octets = bytes(number % 251 for number in range(5000))
    bench.store.tables[2048 + 700] = bytes(5000)
    bench.meter.write_octets("MT700", octets)
    assert bench.store.tables[2048 + 700] == octets
    assert len(bench.store.writes) == 5


def test_written_pieces_shrink_to_what_the_meter_takes(kind: str) -> None:
    from c1222.services.results import Rqtl

    for refusal in (Rqtl.of(200), Rqtl()):
        bench = Bench(kind)
        octets = bytes(range(250)) * 2
        bench.store.tables[2048 + 700] = bytes(500)

        def small(request: Request, refusal: Rqtl = refusal) -> Response | None:
            if isinstance(request, (tables.WriteRequest, tables.WriteOffsetRequest)) and len(request.data) > 70:
                raise refusal
            return None

        bench.store.plan.append(small)
        bench.meter.write_octets("MT700", octets)
        assert bench.store.tables[2048 + 700] == octets
        assert max(len(write.data) for write in bench.store.writes) <= 70  # type: ignore[attr-defined]
