import pytest

from c1222.errors import InvalidUrl, LocalError
from c1222.transport.url import DEFAULT_PORT, Url, parse_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("udp://127.0.0.1:1153", Url("udp", "127.0.0.1", 1153)),
        ("tcp://[::1]:1153", Url("tcp", "::1", 1153)),
        ("tcp://[fe80::1%eth0]:9", Url("tcp", "fe80::1%eth0", 9)),
        ("udp://[::ffff:10.0.0.1]", Url("udp", "::ffff:10.0.0.1", 1153)),
        ("udp://meter-7.example.org", Url("udp", "meter-7.example.org", DEFAULT_PORT)),
        ("udp://meter:0/", Url("udp", "meter", 0)),
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
        "UDP://meter",
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
