"""The front doors: what they promise is there, and nothing else."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import c1219
import c1222

MODULES = sorted(
    info.name for package in (c1219, c1222) for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
)


@pytest.mark.parametrize("package", [c1222, c1219], ids=lambda module: module.__name__)
def test_every_promised_name_is_there(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(package, name) is not None


@pytest.mark.parametrize("package", ["c1222", "c1219", "c1222.node"])
def test_every_promised_name_is_listed_before_it_is_loaded(package: str) -> None:
    code = f"import {package} as m; print(set(m.__all__) - set(dir(m)), hasattr(m, 'Devise'))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["set()", "False"]


def test_the_asyncio_client_is_a_module_and_an_attribute() -> None:
    code = "{}; assert connect.__module__ == 'c1222.client.aio', connect"
    for line in (
        "from c1222.aio import connect",
        "import c1222.aio; connect = c1222.aio.connect",
        "import c1222; connect = c1222.aio.connect",
        "from c1222 import aio; connect = aio.connect",
    ):
        subprocess.run([sys.executable, "-c", code.format(line)], check=True)


@pytest.mark.parametrize("name", MODULES)
def test_modules_import_and_keep_their_promises(name: str) -> None:
    module = importlib.import_module(name)
    for promised in getattr(module, "__all__", ()):
        assert hasattr(module, promised), promised


def test_no_other_error_has_another_root() -> None:
    for name in MODULES:
        module = importlib.import_module(name)
        root = c1219.C1219Error if name.startswith("c1219") else c1222.C1222Error
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == name:
                if value.__name__.startswith("_"):
                    continue  # caught where it is raised
                assert issubclass(value, root), value


def test_there_is_one_finding() -> None:
    assert c1222.Finding is c1219.Finding
