"""The package as it is installed: what an import costs and loads, its command, and what pins it."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import viand

ROOT = Path(__file__).resolve().parents[2]


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_every_name_is_there():
    for name in viand.__all__:
        assert getattr(viand, name) is not None
    assert set(viand.__all__) <= set(dir(viand))


def test_an_unknown_name_is_an_attribute_error():
    try:
        viand.no_such_name
    except AttributeError as error:
        assert "no_such_name" in str(error)
    else:
        raise AssertionError("no error")


def test_an_import_loads_nothing_that_it_does_not_need():
    loaded = run("import sys, viand; print(*sys.modules)").split()
    heavy = {"numpy", "pandas", "pyarrow", "polars", "duckdb", "viand._viand", "IPython", "asyncio"}
    assert not heavy & set(loaded)


def test_an_error_prints_as_the_command_line_does():
    error = viand.DefinitionError("unknown entity", 'did you mean "customer"?', "views.yaml", 3, 7)
    assert str(error) == 'views.yaml:3:7: unknown entity\n  hint: did you mean "customer"?'
    assert str(viand.EnvironmentProblem("disk full", "make room")) == "disk full\n  hint: make room"
    assert isinstance(error, viand.Error) and isinstance(error, ValueError)


def test_the_version_is_that_of_the_library():
    assert re.fullmatch(r"\d+\.\d+\.\d+", viand.__version__)
    try:
        assert metadata.version("viand") == viand.__version__
    except metadata.PackageNotFoundError:
        pass  # in the build tree


def test_the_stub_of_the_extension_names_what_it_has():
    import ast

    from viand import _viand

    def names(of):
        return {name for name in dir(of) if not name.startswith("__") or name in ("__len__", "__arrow_c_stream__")}

    stub = ast.parse((Path(viand.__file__).parent / "_viand.pyi").read_text())
    said = {node.name: node for node in stub.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert set(said) == names(_viand)
    for name, node in said.items():
        if isinstance(node, ast.ClassDef):
            assert {each.name for each in node.body if isinstance(each, ast.FunctionDef)} >= names(getattr(_viand, name))


def test_what_builds_the_wheel_is_pinned_as_everything_else():
    pins = dict(line.split()[1].split("==") for line in (ROOT / "versions.txt").read_text().splitlines()
                if re.match(r"(test-)?wheel ", line))
    required = re.findall(r'"([\w-]+)==([\d.]+)"', (ROOT / "pyproject.toml").read_text().split("[project]")[0])
    assert len(required) == 4
    for name, version in required:
        assert {pins.get(name), pins.get(name.replace("-", "_"))} & {version}, name
