"""What is kept between calls: within limits, listed, and dropped together."""

import copy
import importlib
import pickle
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import c1219
import c1222
from c1219 import Device
from c1219.caches import BoundedDict, cache_sizes, drop_caches, kept, remembered
from c1222.security.eax_prime import eax_prime

POLYPHASE = Path(__file__).parents[2] / "specs" / "devices" / "polyphase-tou.json"


@given(st.integers(1, 40), st.lists(st.integers(0, 60), max_size=200))
def test_a_bounded_dict_keeps_the_latest_within_its_limit(limit: int, keys: list[int]) -> None:
    held: BoundedDict[int, int] = BoundedDict(limit)
    made = 0
    for number, key in enumerate(keys):
        made += key not in held
        held[key] = number
        assert held[key] == number
        assert len(held) <= limit
        assert held.forgotten == made - len(held)
    order = list(dict.fromkeys(held))
    assert [held[key] for key in order] == [held.get(key) for key in order]


def test_the_oldest_make_room() -> None:
    held: BoundedDict[int, str] = BoundedDict(16)
    for number in range(16):
        held[number] = ""
    held[3] = "as old as before, and no more entries"
    assert len(held) == 16
    held[16] = ""
    assert list(held) == list(range(3, 17))
    assert held.forgotten == 3


def test_what_is_missing_is_made_once() -> None:
    asked: list[int] = []

    def make(key: int) -> int:
        asked.append(key)
        return -key

    held = BoundedDict(2, make)
    assert [held[key] for key in (1, 1, 2, 3, 1)] == [-1, -1, -2, -3, -1]
    assert asked == [1, 2, 3, 1]
    with pytest.raises(KeyError):
        BoundedDict[int, int](2)[1]


def test_nothing_goes_past_the_limit() -> None:
    held: BoundedDict[int, int] = BoundedDict(2)
    with pytest.raises(TypeError):
        held.update({1: 1, 2: 2, 3: 3})
    with pytest.raises(TypeError):
        held.setdefault(1, 1)


def test_a_copy_is_empty_and_has_the_limit() -> None:
    held = BoundedDict(2, abs)
    assert held[-1] == 1
    for other in (copy.copy(held), copy.deepcopy(held), pickle.loads(pickle.dumps(held))):
        assert (dict(other), other.limit, other[-5]) == ({}, 2, 5)


@pytest.fixture
def every_module() -> Iterator[None]:
    for package in (c1219, c1222):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(info.name)
    drop_caches()
    yield
    drop_caches()


@pytest.mark.usefixtures("every_module")
def test_all_caches_can_be_dropped() -> None:
    assert set(cache_sizes().values()) == {0}
    text = POLYPHASE.read_text("utf-8")
    device = Device.from_json(text)
    before = {label: device[label].value for label in device if label != "ST42"}
    registers = list(device.registers())
    aead = eax_prime(bytes(16))
    sealed = aead.encrypt(bytes(20), b"reading")
    held = cache_sizes()
    assert held["c1219.engine.sharing.shared"] > 10
    assert held["c1222.security.eax_prime.eax_prime"] == 1
    assert Device.from_json(text).bind("ST23") is device.bind("ST23")
    drop_caches()
    assert set(cache_sizes().values()) == {0}
    again = Device.from_json(text)
    assert again.bind("ST23") is not device.bind("ST23")
    assert {label: again[label].value for label in again if label != "ST42"} == before
    assert list(again.registers()) == registers
    assert eax_prime(bytes(16)) is not aead
    assert eax_prime(bytes(16)).decrypt(bytes(20), sealed) == b"reading"


def test_what_is_remembered_and_kept_is_listed() -> None:
    @remembered(2)
    def double(number: int) -> int:
        return 2 * number

    mine = kept("test of caches", BoundedDict(3, abs))
    assert [double(number) for number in range(5)] == [0, 2, 4, 6, 8]
    assert [mine[-number] for number in range(5)] == [0, 1, 2, 3, 4]
    name = next(name for name in cache_sizes() if name.endswith("double"))
    assert (cache_sizes()[name], cache_sizes()["test of caches"]) == (2, 3)
    drop_caches()
    assert (cache_sizes()[name], cache_sizes()["test of caches"]) == (0, 0)
