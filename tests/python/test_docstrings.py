"""The examples in the package's docstrings are run, in a folder that holds the smallest repo."""

import doctest
import importlib
import pkgutil

import pytest

import viand
from shop_fixture import shop_files  # noqa: F401

MODULES = [module.name for module in pkgutil.iter_modules(viand.__path__) if module.name not in ("_viand",)]


@pytest.mark.parametrize("module", MODULES)
def test_examples(module, shop_files, tmp_path, monkeypatch):
    viand.init(tmp_path / "shop")
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(importlib.import_module(f"viand.{module}"))
    assert failed == 0
