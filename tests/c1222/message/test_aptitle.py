import copy
import pickle

import pytest
from hypothesis import given, settings

from c1222.errors import DecodeError, EncodeError, LimitExceeded
from c1222.message.aptitle import CONTEXT_OID, DEFAULT_BASE, MAX_TITLE_OCTETS, ApTitle
from tests.c1222.message.known import titles

# Example 8 of the standard, and captured meters.
FORMS = [
    (".123.8437", "80037bc175"),
    (".123.4", "80027b04"),
    ("2.16.124.113620.1.22.0.123.4", "060a607c86f7540116007b04"),
    ("1.3.6.1.4.1.33507.1919.12345678.0", "060f2b060104018285638e7f85f1c24e00"),
    ("2.999", "06028837"),
    (".", "8000"),
]


@pytest.mark.parametrize(("text", "octets"), FORMS)
def test_text_and_octets(text: str, octets: str) -> None:
    title = ApTitle(text)
    assert title.tlv().hex() == octets
    assert ApTitle.from_tlv(bytes.fromhex(octets)) == title
    assert str(ApTitle.from_tlv(bytes.fromhex(octets))) == str(title) == text
    assert title.is_relative == text.startswith(".")
    assert repr(title) == f"ApTitle({text!r})"


def test_all_tags_are_taken_and_the_one_wanted_is_emitted() -> None:
    relative = ApTitle.from_tlv(bytes.fromhex("0d027b04"))
    assert relative == ApTitle(".123.4")
    assert relative.tlv().hex() == "80027b04"
    assert relative.tlv(0x0D).hex() == "0d027b04"
    assert relative.absolute().tlv(0x0D).hex().startswith("060a")
    with pytest.raises(EncodeError):
        relative.tlv(0x06)


def test_one_form_becomes_the_other() -> None:
    relative = ApTitle(".123.4")
    absolute = relative.absolute()
    assert str(absolute) == "2.16.124.113620.1.22.0.123.4"
    assert absolute.tlv().hex() == "060a607c86f7540116007b04"
    assert str(absolute.relative()) == ".123.4"
    assert absolute.absolute() is absolute
    assert relative.relative() is relative
    other = ApTitle("1.3.6.1")
    assert str(relative.absolute(other)) == "1.3.6.1.123.4"
    assert str(relative.absolute(other).relative(other)) == ".123.4"
    assert absolute.relative(other) is absolute
    assert DEFAULT_BASE.relative() is DEFAULT_BASE  # the base itself has no relative form
    assert ApTitle(".").absolute() == DEFAULT_BASE
    with pytest.raises(EncodeError):
        relative.absolute(ApTitle(".5"))


def test_relative_form_is_cut_between_arcs_only() -> None:
    base = ApTitle("2.16.1")
    longer = ApTitle("2.16.129")  # 81 01: starts with another octet than 01
    assert longer.relative(base) is longer


def test_equal_across_forms_under_the_default_base() -> None:
    relative, absolute = ApTitle(".123.4"), ApTitle("2.16.124.113620.1.22.0.123.4")
    assert relative == absolute
    assert hash(relative) == hash(absolute)
    assert len({relative, absolute}) == 1
    assert relative != ApTitle(".123.5")
    assert relative != ApTitle("1.3.6.1.123.4")
    assert relative != ".123.4"
    assert ApTitle(".") != DEFAULT_BASE
    assert ApTitle(".") == ApTitle.from_tlv(b"\x0d\x00")
    assert ApTitle(".").is_empty
    assert not relative.is_empty


@given(titles, titles)
@settings(max_examples=100)
def test_equality_is_that_of_the_absolute_arcs(one: ApTitle, other: ApTitle) -> None:
    if not one.is_empty and not other.is_empty:
        assert (one == other) == (one.absolute().arcs == other.absolute().arcs)


@given(titles)
@settings(max_examples=100)
def test_every_form_comes_back(title: ApTitle) -> None:
    back = ApTitle.from_tlv(title.tlv())
    assert (back, back.is_relative, str(back)) == (title, title.is_relative, str(title))
    again = ApTitle(str(title))
    assert (again, again.content) == (title, title.content)
    if not title.is_empty:
        assert title.absolute() == title == title.absolute().relative()
    assert ApTitle.read(b"\0" + title.tlv() + b"rest", 1, 1 + len(title.tlv()) + 4) == (title, 1 + len(title.tlv()))


@pytest.mark.parametrize(
    ("called", "own", "broadcast"),
    [
        (".1.0", ".1.5", True),
        (".1.0", ".1.5.7", True),
        (".1.0", ".2.5", False),
        (".0", ".2.5", True),
        (".1.0", "2.16.124.113620.1.22.0.1.5", True),
        (".1.0", ".1.0", False),  # the title itself: a unicast
        (".1.0", ".1", True),
        (".1.128", ".1.5", False),  # ends in the octet 00, but not in the arc 0
        (".129.0", ".129.4", True),
        (".1.0", ".129.4", False),
        ("1.3.6.1.4.1.33507.1919.12345678.0", "1.3.6.1.4.1.33507.1919.12345678.0", False),
        ("1.3.6.0", "1.3.6.1.4.1.33507", True),
        (".1", ".1.5", False),
    ],
)
def test_broadcast(called: str, own: str, broadcast: bool) -> None:
    assert ApTitle(called).is_broadcast_to(ApTitle(own)) is broadcast


def test_a_meter_whose_title_ends_in_0_is_found_by_equality_first() -> None:
    meter = ApTitle("1.3.6.1.4.1.33507.1919.22906.0")
    assert meter.is_broadcast_form
    assert meter == ApTitle("1.3.6.1.4.1.33507.1919.22906.0")
    assert not meter.is_broadcast_to(meter)


def test_forms_of_titles_for_many() -> None:
    assert ApTitle(".1.0").is_broadcast_form
    assert not ApTitle(".1.128").is_broadcast_form
    assert not ApTitle(".1.16384").is_broadcast_form
    assert ApTitle(".127.0").is_broadcast_form
    assert ApTitle(".128.0").is_broadcast_form
    assert not ApTitle(".").is_broadcast_form
    assert ApTitle(".1.0.3").is_multicast_form
    assert ApTitle(".0.3").is_multicast_form
    assert not ApTitle(".1.0").is_multicast_form
    assert not ApTitle(".1.0.0").is_multicast_form
    assert not ApTitle(".1.3").is_multicast_form
    assert not ApTitle(".1.3").absolute().is_multicast_form  # the 0 of the base does not count
    assert not ApTitle(".").is_multicast_form


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "3.1",
        "1.40",
        "..1",
        "1..2",
        "1.2.",
        "01.2",
        "1.x",
        "1.-2",
        " 1.2",
        "1.2\n",
        "1.٣",
        "1.+2",
        "1." + "9" * 5000,
        "." + ".".join("1" * 129),
        "." + ".".join(["9" * 44] * 20),
    ],
)
def test_text_that_is_no_title(text: str) -> None:
    with pytest.raises(EncodeError):
        ApTitle(text)


@pytest.mark.parametrize(
    ("octets", "offset", "error"),
    [
        ("", 0, DecodeError),
        ("06", 1, DecodeError),
        ("0600", 2, DecodeError),
        ("810101", 0, DecodeError),
        ("80027b", 2, DecodeError),
        ("80027b8400", 3, DecodeError),
        ("8003808401", 2, DecodeError),
        ("8080", 1, DecodeError),
        ("80017b00", 3, DecodeError),
        ("06820100" + "01" * 256, 4, LimitExceeded),
        ("8016" + "ff" * 21 + "01", 2, LimitExceeded),
        ("808181" + "01" * 129, 3, LimitExceeded),
    ],
)
def test_octets_that_are_no_title(octets: str, offset: int, error: type[DecodeError]) -> None:
    with pytest.raises(DecodeError) as caught:
        ApTitle.from_tlv(bytes.fromhex(octets), path="uid")
    assert (type(caught.value), caught.value.path, caught.value.offset) == (error, "uid", offset)


def test_a_relative_title_that_looks_like_the_base_stays_as_it_is() -> None:
    title = ApTitle.from_content(DEFAULT_BASE.content + b"\5", relative=True)
    assert title.relative() is title
    assert ApTitle.from_content(title.content, relative=False).relative() == ApTitle(".5")


def test_limit_is_for_the_caller_to_set() -> None:
    octets = ApTitle("." + ".".join("1" * 100)).tlv()
    assert ApTitle.read(octets, 0, len(octets))[1] == len(octets)
    with pytest.raises(LimitExceeded):
        ApTitle.read(octets, 0, len(octets), max_octets=99)
    assert ApTitle.read(octets, 0, len(octets), max_octets=100)[1] == len(octets)
    assert MAX_TITLE_OCTETS == 255


def test_immutable_and_copied_as_itself() -> None:
    title = ApTitle(".123.4")
    with pytest.raises(AttributeError):
        title.content = b""  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del title.content
    with pytest.raises(AttributeError):
        title.other = 1  # type: ignore[attr-defined]
    for twin in (copy.copy(title), copy.deepcopy(title), pickle.loads(pickle.dumps(title))):
        assert (twin, str(twin)) == (title, ".123.4")


def test_constants() -> None:
    assert str(DEFAULT_BASE) == CONTEXT_OID + ".0"
