"""Keys: which serves a message, the key file, and that no key gets out."""

import copy
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

from c1222.errors import InvalidKey, UnknownKey
from c1222.message.aptitle import ApTitle
from c1222.security import EAXPrime, Key, KeyStore

ONE, TWO, THREE = bytes(range(16)), bytes(range(16, 32)), b"SixteenSecretsXX"
METER, CLIENT = ApTitle(".123.8437"), ApTitle(".123.4")


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "keys.toml"
    path.write_text(text, "utf-8")
    return path


def test_front_door_names() -> None:
    import c1222.security as room

    assert sorted(dir(room)) == ["EAXPrime", "Key", "KeyStore"]
    assert room.EAXPrime is EAXPrime
    with pytest.raises(AttributeError, match="no attribute 'Keys'"):
        room.Keys  # noqa: B018


def test_key_of_a_node_goes_before_one_of_any_node() -> None:
    anyone, meter, client = Key(2, ONE), Key(2, TWO, METER), Key(2, THREE, ".123.4")
    store = KeyStore([anyone, meter, client])
    assert store.find(METER, CLIENT, 2) == (meter, client, anyone)
    assert store.find(CLIENT, METER, 2) == (client, meter, anyone)
    assert store.find(METER, METER, 2) == (meter, anyone)
    assert store.find(METER, None, 2) == (meter, anyone)
    assert store.find(None, None, 2) == (anyone,)
    assert store.find(ApTitle(".9"), ApTitle(".8"), 2) == (anyone,)
    assert store.find(METER, CLIENT, 3) == ()
    assert store.get(CLIENT, METER, 2) is client
    with pytest.raises(UnknownKey, match=r"id 3 for messages from \.123\.4 to \.123\.8437"):
        store.get(METER, CLIENT, 3)
    assert list(store) == [meter, client, anyone]
    assert len(store) == 3


def test_titles_are_compared_absolute_under_the_base_of_the_store() -> None:
    base = "1.3.6.1.4.1.33507"
    key = Key(0, ONE, ".1919.5")
    store = KeyStore([key], base_oid=base)
    assert store.find(ApTitle(base + ".1919.5"), None, 0) == (key,)
    assert store.find(None, ApTitle(".1919.5"), 0) == (key,)
    assert store.find(ApTitle("2.16.124.113620.1.22.0.1919.5"), None, 0) == ()
    assert str(store.base_oid) == base
    with pytest.raises(InvalidKey, match="already"):
        store.add(Key(0, TWO, base + ".1919.5"))


def test_a_key_added_later_is_found() -> None:
    store = KeyStore()
    assert store.find(METER, CLIENT, 1) == ()
    late = Key(1, ONE, METER)
    store.add(late)
    assert store.find(METER, CLIENT, 1) == (late,)


def test_store_takes_every_form_of_the_front_door() -> None:
    store = KeyStore([Key(7, ONE)])
    assert KeyStore.of(store) is store
    assert len(KeyStore.of(None)) == 0
    assert [key.octets for key in KeyStore.of({1: ONE, 2: TWO})] == [ONE, TWO]
    assert list(KeyStore.of(Key(3, ONE))) == [Key(3, ONE)]
    with pytest.raises(InvalidKey):
        KeyStore.of({256: ONE})
    with pytest.raises(InvalidKey):
        KeyStore.of({1: ONE + b"x"})


def test_other_keys_come_near_ones_first_and_once() -> None:
    far, anyone, near = Key(1, ONE, ".9"), Key(1, TWO), Key(5, THREE, METER)
    store = KeyStore([far, anyone, near])
    title = METER.absolute().content
    assert list(store.others(None, title)) == [near, anyone, far]
    assert list(store.others(title, title)) == [near, anyone, far]
    assert list(store.others(None, None)) == [anyone, far, near]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((-1, ONE), InvalidKey),
        ((256, ONE), InvalidKey),
        ((1, ONE[:15]), InvalidKey),
        ((1, ONE * 2), InvalidKey),
        ((1, ONE, "meter"), InvalidKey),
        ((1, ONE, "."), InvalidKey),
        ((True, ONE), TypeError),
        (("1", ONE), TypeError),
        ((1, "0123456789abcdef"), TypeError),
        ((1, 16), TypeError),
    ],
)
def test_a_key_that_cannot_be_is_refused(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Key(*arguments)


def test_a_key_is_a_value() -> None:
    key = Key(1, bytearray(ONE), ".5")
    assert key == Key(1, memoryview(ONE), ApTitle("2.16.124.113620.1.22.0.5"))
    assert hash(key) == hash(Key(1, ONE, ".5"))
    assert len({key, Key(1, TWO, ".5"), Key(2, ONE, ".5"), Key(1, ONE)}) == 4
    assert key != ONE
    with pytest.raises(AttributeError):
        key.id = 3
    with pytest.raises(AttributeError):
        del key.octets
    assert key.eax is Key(9, ONE).eax


def test_no_key_gets_out(tmp_path: Path) -> None:
    key = Key(3, THREE, ".5")
    store = KeyStore([key])
    assert repr(key) == "Key(3, <16 octets>, '.5')"
    assert repr(store) == "<KeyStore of 1 keys>"
    for thing in (key, store):
        for operation in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="neither copied nor pickled"):
                operation(thing)
    digits = THREE.hex()
    for text in (
        f'[[key]]\nid = 1\nhex = "{digits}0"',
        f'[[key]]\nid = 1\nhex = "{digits}00"',
        f'[[key]]\nid = 1\nhex = "{digits[:-1]}x"',
        f"[[key]]\nid = 1\nhex = {digits}",
        f'[[key]]\nid = 1\nhex = "{digits}',
        f'[[key]]\nid = 1\nhex = "{digits}"\nhex = "{digits}"',
        f'[[key]]\nid = 1\nhex = ["{digits}"]',
        f'[[key]]\nid = 300\nhex = "{digits}"',
        f'[[key]]\nid = 1\nhex = "{digits}"\nap_title = "x"',
        f'[[key]]\nid = 1\nap_title = "{digits}"\nhex = "00"',
        f'[[key]]\nid = 0x{digits}\nhex = "00"',
        f"[[key]]\nid = 1\n{digits} = 5",
        f'{digits} = "5"',
        f'base_oid = "{digits}"',
        f'[[key]]\nid = 1\nenv = "{digits}"',
        f'[[key]]\nid = 1\nhex = "{digits}"\n[[key]]\nid = 1\nhex = "{digits}"',
    ):
        with pytest.raises(InvalidKey) as caught:
            KeyStore.from_file(write(tmp_path, text))
        report = "".join(traceback.TracebackException.from_exception(caught.value).format())
        assert digits[:8] not in report, text
        assert "keys.toml" in str(caught.value)


def test_key_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        base_oid = "2.16.124.113620.1.22.0"
        [[key]]
        id = 2
        hex = "01020304050607080102030405060708"
        ap_title = ".123.8437"
        [[key]]
        id = 0
        env = "METER_KEY"
        [[key]]
        id = 2
        hex = "00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F"
        """,
    )
    store = KeyStore.from_file(path, environ={"METER_KEY": TWO.hex()})
    assert list(store) == [Key(2, bytes.fromhex("01020304050607080102030405060708"), METER), Key(0, TWO), Key(2, ONE)]


def test_key_file_takes_the_environment_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C1222_TEST_KEY", ONE.hex())
    (key,) = KeyStore.from_file(str(write(tmp_path, '[[key]]\nid = 0\nenv = "C1222_TEST_KEY"')))
    assert key.octets == ONE


def test_a_key_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path, f'\ufeff[[key]]\nid = 2\nhex = "{ONE.hex()}"\n')
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(KeyStore.from_file(path)) == [Key(2, ONE)]


GOOD = f'[[key]]\nid = 1\nhex = "{ONE.hex()}"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[key]]", "key entry 1: id: a number"),
        (GOOD + "[[key]]\nid = 2", "key entry 2: one of hex and env"),
        (GOOD + '[[key]]\nid = 2\nhex = ""\nenv = "X"', "key entry 2: one of hex and env"),
        (GOOD + '[[key]]\nid = 2\nenv = "NOT_THERE"', "key entry 2: env: there is no such variable"),
        (GOOD + '[[key]]\nid = 2\nenv = "BAD"', "key entry 2: env: pairs of hexadecimal digits"),
        (GOOD + "[[key]]\nid = 2\nenv = 5", "key entry 2: env: the name of a variable"),
        (GOOD + '[[key]]\nid = true\nhex = "00"', "key entry 2: id: a number"),
        (GOOD + '[[key]]\nid = "2"\nhex = "00"', "key entry 2: id: a number"),
        (GOOD + '[[key]]\nid = 256\nhex = "' + ONE.hex() + '"', "key entry 2: a key id is 0..255"),
        (GOOD + '[[key]]\nid = 2\nhex = "00"', "key entry 2: a key has 16 octets, not 1"),
        (GOOD + '[[key]]\nid = 2\nhex = "zz"', "key entry 2: hex: pairs"),
        (GOOD + "[[key]]\nid = 2\nhex = 12", "key entry 2: hex: text"),
        (GOOD + '[[key]]\nid = 2\nhex = "00"\nap_title = 5', "key entry 2: ap_title: text"),
        (
            GOOD + '[[key]]\nid = 2\nhex = "00"\naptitle = ".5"',
            "key entry 2: a name other than id, hex, env and ap_title",
        ),
        (GOOD + GOOD, "key entry 2: there is a key with id 1 for any node already"),
        (GOOD + "[[keys]]\nid = 2", "a name other than base_oid and [[key]]"),
        ("[key]\nid = 2", "an array of tables is needed"),
        ("key = [5]", "key entry 1: a table is needed"),
        ("base_oid = 5", "base_oid: an absolute"),
        ('base_oid = ".5"', "base_oid: an absolute"),
        ('base_oid = "x"', "base_oid: an absolute"),
        ("key = ]", "not TOML (at line 1, column 7)"),
        ("key = " + "[" * 3000, "not TOML"),
    ],
)
def test_a_key_file_that_cannot_be_used_says_where(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(InvalidKey) as caught:
        KeyStore.from_file(write(tmp_path, text), environ={"BAD": "g0"})
    assert expected in str(caught.value)
    assert str(tmp_path / "keys.toml") in str(caught.value)


def test_a_key_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidKey, match="cannot be read: No such file"):
        KeyStore.from_file(tmp_path / "nothing.toml")
    with pytest.raises(InvalidKey, match="cannot be read: Is a directory"):
        KeyStore.from_file(tmp_path)
    (tmp_path / "keys.toml").write_bytes(b"\xff\xfe\0")
    with pytest.raises(InvalidKey, match="not TOML"):
        KeyStore.from_file(tmp_path / "keys.toml")
