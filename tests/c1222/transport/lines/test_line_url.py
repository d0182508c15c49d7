"""Addresses of lines: what is one, what is said of others."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.client.serial_line import line_at
from c1222.errors import C1222Error, InvalidUrl
from c1222.transport.lines.line_url import is_line_url, parse_line_url


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("serial:///dev/ttyUSB0?baud=9600", ("serial", "/dev/ttyUSB0", 0, {"baud": "9600"})),
        ("serial://COM3", ("serial", "COM3", 0, {})),
        ("SERIAL:///dev/tty.usbserial-A1", ("serial", "/dev/tty.usbserial-A1", 0, {})),
        ("c1218+tcp://meter.example:4059", ("c1218+tcp", "meter.example", 4059, {})),
        ("rfc2217://[::1]:3001?rts=off&dtr=leave", ("rfc2217", "::1", 3001, {"rts": "off", "dtr": "leave"})),
        ("c1221+serial:///dev/ttyS0?dial=5551234", ("c1221+serial", "/dev/ttyS0", 0, {"dial": "5551234"})),
        (
            "c1221+serial:///dev/ttyS0?dial=5551234&modem_init=ATE0%26C1",
            ("c1221+serial", "/dev/ttyS0", 0, {"dial": "5551234", "modem_init": "ATE0&C1"}),
        ),
    ],
)
def test_addresses(text: str, parts: object) -> None:
    assert is_line_url(text)
    assert tuple(line_at(text)[0]) == parts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("serial://", "a device is needed"),
        ("serial:/dev/ttyUSB0", "not an address of a line"),
        ("c1218+tcp://host", "a host and a port"),
        ("c1218+tcp://host:99999", "a host and a port"),
        ("c1218+tcp://host:1?rates=19200", "cannot change the rate"),
        ("serial:///dev/x?speed=1", "none of the options"),
        ("serial:///dev/x?baud=9600&baud=9600", "none of the options"),
        ("serial:///dev/x?baud", "none of the options"),
        ("serial:///dev/x?baud=9601", "9600"),
        ("serial:///dev/x?rts=up", "on, off, leave"),
        ("serial:///dev/x?dial=5", "c1221.serial alone"),
        ("serial:///dev/x?authenticate=1", "C12.21 alone"),
        ("pty:", "a node listens on pty:"),
        ("pty://x", "not an address"),
    ],
)
def test_what_is_none_says_why(text: str, words: str) -> None:
    with pytest.raises(InvalidUrl, match=words):
        line_at(text)


@given(st.text(max_size=40), st.sampled_from(["serial", "c1218+tcp", "rfc2217", "pty", "udp", "c1221+serial"]))
def test_any_text_is_an_address_or_an_error_of_ours(text: str, scheme: str) -> None:
    with contextlib.suppress(C1222Error):
        assert is_line_url(str(line_at(f"{scheme}:{text}")[0]))


@given(
    st.sampled_from(["c1218+tcp", "rfc2217", "c1221+tcp"]),
    st.sampled_from(["127.0.0.1", "::1", "meter.example"]),
    st.integers(0, 65535),
)
def test_an_address_is_read_back_from_its_text(scheme: str, host: str, port: int) -> None:
    url = parse_line_url(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}?echo=on", {"echo"})
    assert parse_line_url(str(url), {"echo"}) == url
