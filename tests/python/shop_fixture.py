"""What the tests of the package share: a small repo, a Python of its own, and which packages are there."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

import viand

# The program that belongs to the package, and the Python that reads definitions.
os.environ.setdefault("VIAND_BINARY", str(Path(viand.__file__).parent / "_native" / "bin" / "viand"))
INSTALLED = [name for name in ("pandas", "pyarrow", "polars", "duckdb") if importlib.util.find_spec(name)]


@pytest.fixture(scope="session")
def shop_files(tmp_path_factory):
    """The smallest repo, run."""
    folder = tmp_path_factory.mktemp("shops") / "shop"
    viand.init(folder).run()
    return folder


@pytest.fixture
def shop(shop_files, tmp_path):
    """A store of a copy of it."""
    shutil.copytree(shop_files, tmp_path / "shop", symlinks=True)
    # Generations are named by absolute paths in the registry: it is made anew.
    shutil.rmtree(tmp_path / "shop" / "data")
    store = viand.FeatureStore(tmp_path / "shop")
    store.run()
    return store


@pytest.fixture(scope="session")
def shared_shop(shop_files):
    """A store for tests that change nothing."""
    return viand.FeatureStore(shop_files)


def run_python(code, *arguments, **options):
    """Runs a script in a process of its own; returns what it prints."""
    import subprocess

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True,
                          env=environment, timeout=300, **options)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
