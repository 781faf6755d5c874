"""Plans run on a Ray cluster as on threads: the same files byte for byte, and errors of the data as they were written."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from cluster import PACKAGE, descendants_of, is_alive

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "retail"


@pytest.fixture(scope="module")
def prepared(viand, generated_workbook, tmp_path_factory):
    """The retail example, its raw data ingested and its definitions applied."""
    repo = tmp_path_factory.mktemp("prepared") / "retail"
    shutil.copytree(EXAMPLE, repo, ignore=shutil.ignore_patterns("data", "__pycache__"))
    (repo / "data").mkdir()
    shutil.copyfile(generated_workbook, repo / "data" / "online_retail.xlsx")
    viand.json(repo, "run", "ingest", "apply")
    rows = pd.read_parquet(repo / "data" / "transactions.parquet")
    spine = pd.DataFrame({"customer_id": [*rows.customer_id.head(5000), -1, None], "event_timestamp":
                          [*(rows.invoice_date.head(5000) + pd.Timedelta("100D")), *rows.invoice_date.head(2)]})
    spine.astype({"customer_id": "Int64"}).to_parquet(repo / "spine.parquet")
    return repo


@pytest.fixture
def on_cluster(viand, ray_cluster):
    """Runs viand on the cluster."""
    environment = ray_cluster.environment | {"VIAND_PYTHON": sys.executable}

    def run(repo, *arguments):
        code, out, error = viand.call(repo, *arguments, "--executor", "ray", "--ray-address", ray_cluster.address, env=environment)
        assert code == 0, error + out
        return out

    return run


def hashes(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*.parquet")) if path.is_file()}


def test_the_retail_example_gives_the_same_bytes(viand, prepared, on_cluster, tmp_path):
    local, remote = tmp_path / "local" / "retail", tmp_path / "remote" / "retail"
    for repo in (local, remote):
        shutil.copytree(prepared, repo)
    assert viand.call(local, "backfill")[0] == 0
    on_cluster(remote, "backfill")
    assert hashes(local / "data" / "offline") == hashes(remote / "data" / "offline")
    for spine in ("spine.parquet", "labels:purchased_30d"):
        arguments = ("historical", "--spine", spine if ":" in spine else prepared / spine, "--service", "purchase_propensity_v1")
        assert viand.call(local, *arguments, "-o", tmp_path / "local.parquet")[0] == 0
        on_cluster(remote, *arguments, "-o", tmp_path / "remote.parquet")
        assert (tmp_path / "local.parquet").read_bytes() == (tmp_path / "remote.parquet").read_bytes()


IN_PYTHON = """
import json, sys
import ray, viand
address, repo, spine = sys.argv[1:]
ray.init(address=address, logging_level="ERROR", log_to_driver=False)
store = viand.FeatureStore(repo)
plan = store.explain(spine, service="purchase_propensity_v1", analyze=True)
seen = []
def walk(operator):
    seen.append([operator.kind, operator.measured["fragments"], operator.measured["nodes"]])
    for each in operator.inputs:
        walk(each)
walk(plan)
alone = viand.FeatureStore(repo, executor="threads").explain(spine, service="purchase_propensity_v1", analyze=True)
print(json.dumps([seen, sorted(node["NodeID"] for node in ray.nodes() if node["Resources"].get("CPU")),
                  [operator.measured["nodes"] for operator in alone.inputs]]))
"""


def test_a_python_program_that_has_called_ray_init_runs_plans_there(prepared, viand, ray_cluster, tmp_path):
    """... and its plans say which node did what."""
    repo = tmp_path / "retail"
    shutil.copytree(prepared, repo)
    assert viand.call(repo, "backfill")[0] == 0
    out = subprocess.run([sys.executable, "-c", IN_PYTHON, ray_cluster.address, repo, repo / "spine.parquet"], capture_output=True,
                         text=True, timeout=300, env=ray_cluster.environment)
    assert out.returncode == 0, out.stderr
    seen, nodes, alone = json.loads(out.stdout.splitlines()[-1])
    of_tasks = {"scan", "as_of_join"}  # what is so small is broadcast
    assert of_tasks <= {kind for kind, _, _ in seen}
    for kind, fragments, on in seen:
        assert sum(each["fragments"] for each in on) == (fragments if kind in of_tasks else 0)
        assert {each["node"] for each in on} <= set(nodes)
    assert not any(alone)


def test_a_ray_of_our_own_is_started_and_stopped(viand, prepared, ray_cluster, tmp_path):
    """... and says nothing that is not viand's."""
    repo = tmp_path / "retail"
    shutil.copytree(prepared, repo)
    assert viand.call(repo, "backfill")[0] == 0
    arguments = ("historical", "--spine", repo / "spine.parquet", "--features", "customer_rfm_features", "-o", repo / "out.parquet")
    process = viand.start(repo, *arguments, "--json", "--executor", "ray", "--threads", "1",
                          env=ray_cluster.environment | {"VIAND_PYTHON": sys.executable})
    started = set()
    while process.poll() is None:
        started |= set(descendants_of(process.pid))
        time.sleep(0.05)
    out, error = process.communicate()
    assert process.returncode == 0, error
    assert json.loads(out)["rows"] == 5002 and error == ""
    assert len(started) > 3 and not any(map(is_alive, started))


def test_without_ray_what_installs_it_is_said(viand, prepared, tmp_path):
    """... and everything else works."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'import sys; sys.modules[\"ray\"] = None; import runpy; "
                      "runpy.run_module(\"viand.ray\", run_name=\"__main__\")'\n")
    python.chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "VIAND_PYTHON": str(python), "PYTHONPATH": str(PACKAGE)}
    code, _, error = viand.call(prepared, "backfill", "--executor", "ray", env=environment)
    assert code == 1
    assert f"the executor ray needs the package ray, which {sys.executable} does not have" in error
    assert f'install it: {sys.executable} -m pip install "ray==2.58.*"' in error
    environment["VIAND_PYTHON"] = "/nowhere/python"
    code, _, error = viand.call(prepared, "backfill", "--executor", "ray", env=environment)
    assert code == 1 and "the Python that speaks with Ray, /nowhere/python, does not start: No such file" in error
    code, _, error = viand.call(prepared, "list", "entities", "--executor", "threads", "--ray-address", "auto", env=environment)
    assert code == 2 and "an address of Ray was given, and the executor \"threads\"" in error


def test_what_a_driver_said_before_it_ended_is_told_without_rays_insides(prepared, viand, tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nprintf '\\033[33mThe raylet died.\\033[0m\\n    [state-dump] Tasks: 0\\n/ray/_raylet.so(+0x1) [0x7f]\\nSee raylet.out.\\n' >&2\n")
    python.chmod(0o755)
    code, _, error = viand.call(prepared, "backfill", "--executor", "ray", env={"PATH": "/usr/bin:/bin", "VIAND_PYTHON": str(python)})
    assert code == 1
    assert f"error: the Python that speaks with Ray, {python}, ended:\nThe raylet died.\nSee raylet.out.\n  hint: " in error, error
