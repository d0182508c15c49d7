"""Every public method says what it does, itself or by the one that it overrides."""

import importlib
import inspect
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for package in ("c1219", "c1222")
    for path in (ROOT / package).rglob("*.py")
    if not path.stem.startswith("__")
)


@pytest.mark.parametrize("name", MODULES)
def test_every_public_method_is_documented(name: str) -> None:
    module = importlib.import_module(name)
    for kind in vars(module).values():
        if not inspect.isclass(kind) or kind.__module__ != name or kind.__name__.startswith("_"):
            continue
        for method, value in vars(kind).items():
            if not method.startswith("_") and isinstance(
                value, (property, staticmethod, classmethod)
            ) | inspect.isfunction(value):
                assert inspect.getdoc(getattr(kind, method)), f"{name}.{kind.__name__}.{method}"
