import errno
import socket

import pytest

from c1222.errors import InvalidUrl, LocalError, in_words
from c1222.transport.schemes import parse_url
from c1222.transport.url import DEFAULT_PORT, Url, unreachable


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("udp://127.0.0.1:1153", Url("udp", "127.0.0.1", 1153)),
        ("tcp://[::1]:1153", Url("tcp", "::1", 1153)),
        ("tcp://[fe80::1%eth0]:9", Url("tcp", "fe80::1%eth0", 9)),
        ("udp://[::ffff:10.0.0.1]", Url("udp", "::ffff:10.0.0.1", 1153)),
        ("udp://meter-7.example.org", Url("udp", "meter-7.example.org", DEFAULT_PORT)),
        ("udp://meter:0/", Url("udp", "meter", 0)),
        ("UDP://meter", Url("udp", "meter", 1153)),
        ("Tcp://[FE80::1]:9", Url("tcp", "FE80::1", 9)),
    ],
)
def test_reads_and_writes(text: str, url: Url) -> None:
    assert parse_url(text) == url
    assert parse_url(str(url)) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:1153",
        "http://meter",
        "udp://",
        "udp://:1153",
        "udp://::1",
        "udp://[::1",
        "udp://meter:65536",
        "udp://meter:-1",
        "udp://meter:",
        "udp://meter:1153/path",
        "udp://user@meter",
        "udp://meter :1",
        "udp://meter\n",
        "udp://[meter]",
        "udp://meter:١",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(InvalidUrl) as caught:
        parse_url(text)
    assert isinstance(caught.value, (LocalError, ValueError))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "connection refused by [::1]:7"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 7)"), "connection refused by [::1]:7"),
        (OSError(errno.EADDRINUSE, "error while binding on ('::1', 7)"), "[::1]:7: Address already in use"),
        (OSError("timed out"), "[::1]:7: timed out"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "no such host: ::1"),
        (UnicodeError("label too long"), "no such host: ::1"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "::1: Temporary failure"),
    ],
)
def test_why_there_is_no_way_in_words(error: Exception, text: str) -> None:
    assert str(unreachable("::1", 7, error)) == text


def test_an_error_in_words_repeats_no_name() -> None:
    assert in_words(FileNotFoundError(errno.ENOENT, "No such file or directory", "x")) == "No such file or directory"
    assert in_words(ValueError("not TOML")) == "not TOML"
