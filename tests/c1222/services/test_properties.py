"""Every class of service: what goes out comes back, and bad octets end in DecodeError and nothing else."""

import contextlib
import copy
import json
import pickle
import time

import pytest
from hypothesis import given, settings

from c1222.errors import DecodeError
from c1222.services import REQUESTS, Request, Response, Service, decode_request, decode_response
from tests.c1222.services.examples import KNOWN_REQUESTS, KNOWN_RESPONSES
from tests.c1222.services.strategies import STRATEGIES

CLASSES = sorted(STRATEGIES, key=lambda cls: cls.__name__)
SAMPLES = [bytes.fromhex(octets) for octets, _ in KNOWN_REQUESTS] + [bytes.fromhex(o) for o, _, _ in KNOWN_RESPONSES]
ASKED: list[Request | None] = [None, *(request for _, request in KNOWN_REQUESTS)]


def test_no_class_is_forgotten() -> None:
    requests = set(REQUESTS.values())
    answers = {cls.answer for cls in requests}
    assert None not in answers
    assert len(answers) == len(requests)
    assert requests | answers <= set(STRATEGIES)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_round_trip(cls: type[Service]) -> None:
    @settings(max_examples=40, deadline=None, database=None)
    @given(STRATEGIES[cls])
    def check(value: Service) -> None:
        octets = value.encode()
        assert octets[0] == value.code
        back = cls.decode(octets)
        assert back == value
        assert hash(back) == hash(value)
        assert type(back) is cls
        assert back.encode() == octets
        assert value.replace() == value
        assert pickle.loads(pickle.dumps(back)).encode() == octets
        assert copy.copy(back) == back
        shown = back.as_dict()
        assert shown["code"] == octets[0]
        json.dumps(shown)
        if isinstance(value, Request):
            assert type(decode_request(octets)) is cls

    check()


def test_truncated_octets_give_a_value_or_a_decode_error() -> None:
    for octets in SAMPLES:
        for size in range(len(octets)):
            for request in ASKED:
                check_any(octets[:size], request)


def check_any(octets: bytes, request: Request | None) -> None:
    for decode in (decode_request, lambda part: decode_response(part, request)):
        try:
            value: Request | Response = decode(octets)
        except DecodeError as error:
            caught = error
        else:
            caught = None
        if caught is not None:
            assert 0 <= caught.offset <= len(octets)
            assert caught.path
            continue
        json.dumps(value.as_dict(show_secrets=True))
        assert all(0 <= finding.offset <= len(octets) for finding in value.findings if finding.offset is not None)
        again = type(value).decode(value.encode())
        assert again == value
        if not {b"\x06"[0], 0x0D, 0x80} & set(octets):  # titles may come in forms that we do not send
            assert value.encode() == octets


@pytest.mark.parametrize("code", [0x00, 0x20, 0x26, 0x27, 0x31, 0x40, 0x49])
@pytest.mark.parametrize("body", [b"\x00", b"\xff", b"\x80\x01\x05", b"\x05\x01", b"\x01"])
def test_64_kilobytes_of_anything_are_quick(code: int, body: bytes) -> None:
    octets = bytes((code,)) + body * (65535 // len(body))
    for request in ASKED:
        start = time.process_time()
        with contextlib.suppress(DecodeError):
            decode_any(octets, request).as_dict()
        assert time.process_time() - start < 30, "hundredths of a second; minutes if the cost grew with the square"


def decode_any(octets: bytes, request: Request | None) -> Request | Response:
    return decode_response(octets, request) if octets[0] < 0x20 else decode_request(octets)
