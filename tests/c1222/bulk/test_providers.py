"""Keys by the name of where they are; what fails there tells no key."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import pytest

from c1222 import InvalidKey, Key, KeyStore, bulk
from tests.traffic import KEY

SECRET = "53697874656e536563726574735858aa"


def given_key() -> Key:
    return KEY


def given_path() -> Path:
    return Path(__file__).parents[3] / "specs" / "captures" / "keys.toml"


def nothing_of_use() -> int:
    return 7


def failing() -> KeyStore:
    raise OSError(f"cannot read {SECRET}")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.toml"
    path.write_text(f'[[key]]\nid = 2\nhex = "{SECRET}"\n', "utf-8")
    return path


def test_keys_themselves() -> None:
    store = KeyStore([KEY])
    assert bulk.key_store(store) is store
    assert list(bulk.key_store(KEY)) == list(bulk.key_store({KEY.id: KEY.octets})) == [KEY]
    assert len(bulk.key_store(None)) == 0


def test_a_path_a_variable_and_a_function(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METER_KEYS", str(key_file))
    wanted = [Key(2, bytes.fromhex(SECRET))]
    assert list(bulk.key_store(key_file)) == list(bulk.key_store(str(key_file))) == wanted
    assert list(bulk.key_store("METER_KEYS")) == wanted
    assert list(bulk.key_store(f"{__name__}:given_key")) == [KEY]
    assert len(bulk.key_store(f"{__name__}:given_path")) > 0


@pytest.mark.parametrize(
    "provider",
    [
        f"{__name__}:failing",
        f"{__name__}:nothing_of_use",
        f"{__name__}:absent",
        "no.such.module:keys",
        "NO_SUCH_NAME_AT_ALL",
    ],
)
def test_a_provider_that_fails(provider: str) -> None:
    with pytest.raises(InvalidKey) as caught:
        bulk.decode([], provider)
    assert str(caught.value).startswith(provider)
    assert caught.value.__cause__ is None
    report = "".join(traceback.format_exception(caught.value))
    assert SECRET not in report


def test_a_key_file_that_is_damaged_tells_no_key(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(f'[[key]]\nid = 2\nhex = "{SECRET}zz"\n', "utf-8")
    try:
        bulk.key_store(path)
    except InvalidKey:
        report = traceback.format_exc()
        assert SECRET not in report
    else:
        pytest.fail("taken")
    assert "c1222.bulk" in sys.modules
