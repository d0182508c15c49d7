"""A usual APDU is read like any other, by the same names with the same values."""

import pytest

from c1222.message.acse import Acse, decode_acse
from c1222.message.flat import FlatApdu, FlatReader
from tests.c1222.message.known import OCTETS
from tests.traffic import exchange

USUAL = [*OCTETS, *(exchange(number) for number in range(8))]
READ = sorted({"octets", *(name for name in vars(FlatApdu) if not name.startswith("_"))} - {"check", "control_octet"})


def test_both_forms_are_read_alike() -> None:
    assert {"called", "calling_invocation_id", "control", "octets", "request_number", "user_information"} <= {*READ}
    reader = FlatReader()
    taken = 0
    for octets in USUAL:
        flat, full = reader.read(octets), decode_acse(octets)
        if flat is not None:
            taken += 1
            flat.check()
            full.check()
            for name in READ:
                assert getattr(flat, name) == getattr(full, name), name
            assert full.payload == bytes((flat.control_octet,)) + flat.sealed
    assert taken >= 8


def test_the_parts_of_neither_have_numbers() -> None:
    flat = FlatReader().read(exchange(0))
    for apdu in (flat, decode_acse(exchange(0))):
        assert isinstance(apdu, (FlatApdu, Acse))
        with pytest.raises(TypeError):
            apdu[0]  # type: ignore[index]
