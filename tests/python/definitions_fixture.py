"""What the tests of definitions in Python share: the Python that the program starts, repos, and errors as text."""

import os
import sys

import pytest

import viand
from conftest import store_config


@pytest.fixture(autouse=True)
def python_of_the_program(monkeypatch):
    """The program reads files of Python with this Python and this package."""
    monkeypatch.setenv("VIAND_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(os.path.dirname(os.path.abspath(viand.__file__))))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


def make_repo(folder, **files):
    """A repo with the given files: definitions_py="..." is definitions.py."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "feature_store.yaml").write_text(store_config("project"))
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def error_of(viand, repo, command="list"):
    code, out, error = viand.call(repo, command)
    assert code != 0, out
    return error


def exported(viand, repo):
    code, out, error = viand.call(repo, "export")
    assert code == 0, error
    return out
