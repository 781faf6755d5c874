"""Every command that computes, with Ray named in feature_store.yaml alone, gives on a cluster what it gives on threads; folders
have spaces in their names."""

import json
import os
import re
import shutil
import signal
import sys
import time

import pytest
from cluster import ROOT, descendants_of, title_of
from conftest import generate, make_repo, workbook

sys.path.insert(0, str(ROOT / "tests" / "second_example"))

import devices_data  # noqa: E402
import retail_in_python  # noqa: E402

ROWS = 12_000
WRITTEN = (".parquet", ".json")


def on_ray(repo, cluster):
    """Names the cluster as Feast does, and a folder that its nodes share."""
    config = repo / "feature_store.yaml"
    store = f'offline_store: {{type: ray, ray_address: "{cluster.address}", storage_path: "{repo}/shared results"}}\n'
    config.write_text(re.sub(r"offline_store:.*\n(  .*\n)*", store, config.read_text()))
    return repo


def call(viand, cluster, repo, *arguments):
    code, out, error = viand.call(repo, *arguments, env=cluster.environment)
    assert code == 0, f"viand {' '.join(map(str, arguments))}\n{error}{out}"
    return out


def files_of(repo):
    """What was written, by name: tables and models as they are."""
    names = [path for path in sorted(repo.rglob("*")) if path.suffix in WRITTEN and path.is_file() and "manifest" not in path.name]
    return {str(path.relative_to(repo)): path.read_bytes() for path in names}


def pair(folder, cluster, make):
    """The same repo twice: for threads, and for the cluster."""
    local, remote = make(folder / "on threads" / "repo"), make(folder / "on ray" / "repo")
    return local, on_ray(remote, cluster)


def make_devices(folder):
    folder.mkdir(parents=True)
    for name in ("feature_store.yaml", "definitions.yaml"):
        shutil.copyfile(ROOT / "tests" / "second_example" / name, folder / name)
    devices_data.write_all(folder / "data")
    return folder


def make_retail(folder, rows):
    folder.parent.mkdir(parents=True, exist_ok=True)
    return make_repo(folder, {rows: "online_retail.xlsx"})


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.xlsx"
    workbook.write_xlsx(path, generate.make_rows(ROWS, seed=7))
    return path


def on_both(viand, cluster, repos, *command):
    """Runs a command on threads and on the cluster; `OUT/` and `OUT` are outputs in the repo."""
    for repo in repos:
        call(viand, cluster, repo, *[argument.replace("OUT", f"{repo}/given out") for argument in command])


def assert_the_same(repos, *names):
    local, remote = map(files_of, repos)
    assert local.keys() == remote.keys() and set(names) <= local.keys()
    assert [name for name in local if local[name] != remote[name]] == []
    assert not any((repos[1] / "shared results").iterdir())


def test_the_retail_example_as_a_whole(viand, ray_cluster, tmp_path, rows):
    repos = pair(tmp_path, ray_cluster, lambda folder: make_retail(folder, rows))
    on_both(viand, ray_cluster, repos, "run")
    on_both(viand, ray_cluster, repos, "predict", "purchase_propensity", "--as-of", "2011-11-05T17:00:00", "-o", "OUT.parquet")
    retrieval = "--spine", "labels:purchased_30d", "--service", "purchase_propensity_v1"
    on_both(viand, ray_cluster, repos, "historical", *retrieval, "-o", "OUT/")
    assert_the_same(repos, "data/predictions/purchase_propensity.parquet", "data/models/purchase_propensity.json", "given out.parquet",
                    "given out/part-00000.parquet")
    plan = json.loads(call(viand, ray_cluster, repos[1], "explain", *retrieval, "--analyze", "--json"))
    nodes = {node["node"] for operator in operators_of(plan) for node in operator["measured"].get("nodes", [])}
    assert nodes and nodes <= {node.node_id for node in ray_cluster.nodes[1:]}


def operators_of(plan):
    """The operators of a plan as JSON."""
    if isinstance(plan, list):
        return [found for each in plan for found in operators_of(each)]
    if not isinstance(plan, dict):
        return []
    return [plan] * ("measured" in plan) + [found for each in plan.values() for found in operators_of(each)]


def test_the_second_example_as_a_whole(viand, ray_cluster, tmp_path):
    repos = pair(tmp_path, ray_cluster, make_devices)
    on_both(viand, ray_cluster, repos, "run")
    on_both(viand, ray_cluster, repos, "train", "device_failure", "--force", "--export", "OUT.parquet")
    assert_the_same(repos, "data/predictions/device_failure.parquet", "data/models/device_failure.json", "given out.parquet")


def with_functions(folder, rows, met):
    """The retail example with its features made by Python, the first call of which waits until `met` exists."""
    make_retail(folder, rows)
    functions = (ROOT / "tests" / "python" / "retail_functions.py").read_text()
    (folder / "retail_functions.py").write_text(functions.replace("    made = {", f"""    import os, time
    while not os.path.exists({str(met)!r}):
        open({str(met) + " waits"!r}, "w").close()
        time.sleep(0.02)
    made = {{"""))
    definitions = folder / "definitions.yaml"
    definitions.write_text(retail_in_python.with_functions(definitions.read_text(), "arrow"))
    return folder


def test_features_of_python_functions_whose_worker_is_killed(viand, ray_cluster, tmp_path, rows):
    met = tmp_path / "met"
    repos = pair(tmp_path, ray_cluster, lambda folder: with_functions(folder, rows, met))
    for repo in repos:
        for command in (("ingest",), ("apply", "--yes")):
            call(viand, ray_cluster, repo, *command)
    process = viand.start(repos[1], "backfill", env=ray_cluster.environment)
    workers, deadline = [], time.monotonic() + 90
    while not workers or not met.with_name("met waits").exists():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        workers = [(node, child) for node in ray_cluster.nodes[1:] for child in descendants_of(node.raylet) if "viand.worker" in title_of(child)]
        time.sleep(0.02)
    os.kill(workers[0][1], signal.SIGKILL)
    met.touch()
    _, error = process.communicate(timeout=100)
    assert process.returncode == 0, error
    call(viand, ray_cluster, repos[0], "backfill")
    assert_the_same(repos)
    assert sum(name.startswith("data/offline/customer_rfm_features") for name in files_of(repos[1])) > 5
