"""What the end-to-end tests share: the program, the example with its data, and how a run's report is read."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "retail"
SHARED_WORKBOOK = ROOT.parent / "shared" / "data" / "online_retail.xlsx"
sys.path[:0] = [str(EXAMPLE), str(ROOT / "tests" / "oracles")]

import generate  # noqa: E402
import workbook  # noqa: E402


class Viand:
    """The program under test."""

    def __init__(self):
        self.program = os.environ.get("VIAND_BINARY", str(ROOT / "build" / "viand"))

    def start(self, repo, *arguments, command=None, **options):
        return subprocess.Popen([*(command or [self.program]), *map(str, arguments), "-C", str(repo)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **options)

    def call(self, repo, *arguments, **options):
        """Runs to the end; returns (exit code, standard output, standard error)."""
        process = self.start(repo, *arguments, **options)
        out, error = process.communicate(timeout=600)
        return process.returncode, out, error

    def peak(self, repo, *arguments, **options):
        """Runs to the end; returns (exit code, standard error, most anonymous MiB): pages of files are not the program's."""
        process = self.start(repo, *arguments, **options)
        peak = 0
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                break
            found = re.search(r"RssAnon:\s+(\d+) kB", status)
            peak = max(peak, int(found[1]) / 1024 if found else 0)
            time.sleep(0.005)
        _, error = process.communicate()
        return process.returncode, error, peak

    def json(self, repo, *arguments):
        """Runs a command that must succeed and returns what it says with --json."""
        code, out, error = self.call(repo, *arguments, "--json")
        assert code == 0, f"viand {' '.join(map(str, arguments))} exited with {code}:\n{error}{out}"
        return json.loads(out)

    def steps(self, repo, *arguments):
        """The steps of `viand run` by (step, object)."""
        report = self.json(repo, "run", *arguments)
        return {(step["step"], step["object"]): step for step in report["steps"]}


@pytest.fixture(scope="session")
def viand():
    return Viand()


def store_config(project):
    """A feature_store.yaml with a registry of its own."""
    return f"""project: {project}
provider: local
registry: {{registry_type: sql, path: "sqlite:///data/registry.db"}}
offline_store: {{type: viand}}
entity_key_serialization_version: 3
"""


def write_repo(folder, project, definitions):
    """A repo of one file of definitions."""
    (folder / "feature_store.yaml").write_text(store_config(project))
    (folder / "definitions.yaml").write_text(definitions)
    (folder / "data").mkdir()
    return folder


# The definitions of tests that make events of users; what is appended are feature views.
EVENTS = """entities:
  - {name: user, join_keys: [user_id], value_type: INT64}
sources:
  - {name: events, type: file, path: events.parquet, timestamp_field: at}
"""
DAILY_EVENTS = EVENTS + """snapshots:
  - {name: daily, source: events, first: start + 1d, last: end, every: 1d}
feature_views:
"""
WEEKLY_EVENTS = EVENTS + """snapshots:
  - {name: weekly, source: events, first: start + 7d, last: end, every: 7d}
feature_views:
"""


def make_repo(folder, workbooks=()):
    """A copy of the example with the given workbooks (path -> name) as its data."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("data", "__pycache__"))
    (folder / "data").mkdir()
    for path, name in dict(workbooks).items():
        shutil.copyfile(path, folder / "data" / name)
    return folder


@pytest.fixture(scope="session")
def generated_rows():
    return generate.make_rows(generate.REAL_ROWS, seed=42)


@pytest.fixture(scope="session")
def generated_workbook(generated_rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("generated") / "online_retail.xlsx"
    workbook.write_xlsx(path, generated_rows)
    return path


# The real workbook where this checkout has it beside itself; the generated one always.
DATA_SETS = ["generated", "real"] if SHARED_WORKBOOK.exists() else ["generated"]


@pytest.fixture(scope="session", params=DATA_SETS)
def data_set(request):
    return request.param


@pytest.fixture(scope="session")
def retail_workbook(data_set, request):
    return SHARED_WORKBOOK if data_set == "real" else request.getfixturevalue("generated_workbook")


@pytest.fixture(scope="session")
def ray_cluster():
    """A head without CPUs and two nodes of one CPU each, for all tests of tests/ray: starting it takes longer than most of
    them. A test that kills nodes starts its own."""
    from cluster import RayCluster

    with RayCluster() as cluster:
        yield cluster
