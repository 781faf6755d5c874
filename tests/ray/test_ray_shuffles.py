"""Random plans are the same on Ray and on threads, what is shuffled really crosses between nodes, and none of it comes near
the driver. VIAND_LONG takes more plans, and a shuffle of which a gigabyte crosses."""

import contextlib
import json
import os
import re
import sys
import time

import numpy
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from cluster import ROOT, RayCluster, private_bytes
from conftest import store_config

sys.path.insert(0, str(ROOT / "tests" / "random_repos"))

from random_repos import Repo, time_type  # noqa: E402

LONG = bool(os.environ.get("VIAND_LONG"))
SEEDS = range(60) if LONG else (2, 5)
MIB = 1 << 20
DOUBLES = 10
EVENT_BYTES, SPINE_ROW_BYTES = 16 + 8 * DOUBLES, 16 + 8  # key, time, what is summed; key, time, row number
DEFINITIONS = f"""entities:
  - {{name: user, join_keys: [user_id], value_type: INT64}}
sources:
  - {{name: events, type: file, path: events.parquet, timestamp_field: at}}
feature_views:
  - name: recent
    entities: [user]
    source: events
    window: 30d
    features: {{{", ".join(f"total{i}: sum(d{i})" for i in range(DOUBLES))}}}
"""


def call(viand, repo, *arguments, cluster=None):
    on_ray = ("--executor", "ray", "--ray-address", cluster.address) if cluster else ()
    code, _, error = viand.call(repo, *arguments, *on_ray, env=cluster.environment if cluster else None)
    assert code == 0, f"viand {' '.join(map(str, arguments))}\n{error}"


@pytest.mark.parametrize("seed", SEEDS)
def test_random_plans_give_the_same_bytes(viand, ray_cluster, tmp_path, seed):
    repo = Repo(seed)
    if not repo.grid()[0]:
        return  # all rows lie within four days
    table, _ = repo.spine(time_type(repo.random))
    made = {}
    for name, cluster in (("threads", None), ("ray", ray_cluster)):
        folder = tmp_path / name / "repo"
        folder.mkdir(parents=True)
        repo.write(folder)
        parquet.write_table(table, folder / "spine.parquet")
        call(viand, folder, "run")
        call(viand, folder, "backfill", "--partitions", "5", cluster=cluster)
        call(viand, folder, "historical", "--spine", folder / "spine.parquet", "--timestamp-column", "asked_at", "-o",
             folder / "out.parquet", "--features", ",".join(view["name"] for view in repo.views), "--partitions", "7", cluster=cluster)
        made[name] = [(folder / "out.parquet").read_bytes(),
                      *[path.read_bytes() for path in sorted((folder / "data" / "offline").rglob("*.parquet"))]]
    assert made["ray"] == made["threads"]


def make_repo(folder, viand, rows, spine_rows, keys):
    """Events of random users at random times, in row groups of 500,000, and a spine."""
    random = numpy.random.default_rng(11)

    def keys_and_times(count, time):
        at = 1_600_000_000_000_000 + random.integers(0, 90 * 86_400_000_000, count)
        return {"user_id": random.integers(0, keys, count), time: pa.array(at, pa.timestamp("us", "UTC"))}

    folder.mkdir()
    writer = None
    for first in range(0, rows, 500_000):
        count = min(500_000, rows - first)
        table = pa.table(keys_and_times(count, "at") | {f"d{i}": random.random(count) for i in range(DOUBLES)})
        writer = writer or parquet.ParquetWriter(folder / "events.parquet", table.schema, compression="none", use_dictionary=False)
        writer.write_table(table)
    writer.close()
    parquet.write_table(pa.table(keys_and_times(spine_rows, "event_timestamp")), folder / "spine.parquet")
    (folder / "feature_store.yaml").write_text(store_config("shuffled"))
    (folder / "definitions.yaml").write_text(DEFINITIONS)
    call(viand, folder, "apply", "--yes")
    return folder


def retrieval(folder, out):
    """To a folder of parts, which fragments write."""
    return "historical", "--spine", folder / "spine.parquet", "--features", "recent", "-o", f"{folder / out}/"


DEALT = "--partitions", "24"  # with which nothing is broadcast


def parts(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def retrieve_on_ray(viand, cluster, folder, *options):
    """Most anonymous bytes of the driver, and of one worker."""
    process = viand.start(folder, *retrieval(folder, "ray"), *options, "--executor", "ray", "--ray-address", cluster.address,
                          env=cluster.environment)
    most = of_worker = 0
    while process.poll() is None:
        most = max(most, private_bytes(process.pid))
        for node in cluster.nodes:
            of_worker = max([of_worker, *(private_bytes(worker) for worker in node.workers())])
        time.sleep(0.02)
    _, error = process.communicate()
    assert process.returncode == 0, error
    return most, of_worker


def sent_bytes(viand, cluster, folder, *options):
    """What the tasks of the retrieval sent each other, and its plan as text."""
    code, out, error = viand.call(folder, "explain", "--spine", folder / "spine.parquet", "--features", "recent", "--analyze", "--json",
                                  *options, "--executor", "ray", "--ray-address", cluster.address, env=cluster.environment)
    assert code == 0, error
    nodes, sent = [json.loads(out)], 0
    for node in nodes:
        nodes += node["inputs"]
        sent += node["measured"]["sent_bytes"]
    return sent, out


def test_what_is_shuffled_crosses_between_nodes_and_not_to_the_driver(viand, ray_cluster, tmp_path):
    rows, spine_rows, least = (30_000_000, 3_000_000, 1 << 30) if LONG else (1_000_000, 100_000, 30 * MIB)
    # Of the keys a spine has some: rows of the others are not sent where keys are.
    small = make_repo(tmp_path / "small", viand, rows // 20, spine_rows // 20, keys=spine_rows // 10)
    large = make_repo(tmp_path / "large", viand, rows, spine_rows, keys=2 * spine_rows)
    with RayCluster(store_bytes=2000 * MIB) if LONG else contextlib.nullcontext(ray_cluster) as cluster:
        of_small, _ = retrieve_on_ray(viand, cluster, small, *DEALT)
        before = cluster.settled_received_bytes()
        of_large, _ = retrieve_on_ray(viand, cluster, large, *DEALT)
        after = cluster.settled_received_bytes()
        dealt, _ = sent_bytes(viand, cluster, large, *DEALT)
        by_keys, plan = sent_bytes(viand, cluster, large)
    received = {node: after[node] - before[node] for node in after}
    needed = rows * EVENT_BYTES + spine_rows * SPINE_ROW_BYTES
    print(f"received MiB {({node: round(count / MIB) for node, count in received.items()})}, {sum(received.values()) / needed:.2f} of the "
          f"needed columns' {needed / MIB:.0f}; the driver {of_small / MIB:.0f} MiB, then {of_large / MIB:.0f}")
    assert received["node1"] + received["node2"] >= least, received
    assert min(received["node1"], received["node2"]) >= least / 8, received
    assert sum(received.values()) <= 1.2 * needed, received
    # Also what was found: of each row its number and the sums.
    assert dealt <= 1.2 * (needed + spine_rows * (8 + 8 * DOUBLES)), dealt
    assert "broadcast: rows of the spine's keys alone" in plan
    assert by_keys < 0.7 * dealt, (by_keys, dealt)
    assert of_large <= 1.5 * of_small, f"the driver: {of_small / MIB:.0f} MiB, then {of_large / MIB:.0f} MiB"
    call(viand, large, *retrieval(large, "threads"))
    assert parts(large / "ray") == parts(large / "threads") != {}


def test_tasks_keep_to_their_share_of_the_memory(viand, ray_cluster, tmp_path):
    """Of 256 MiB each of two tasks has 128; a worker has some 80 MiB of its own."""
    rows = 12_000_000 if LONG else 1_500_000
    folder = make_repo(tmp_path / "repo", viand, rows, rows // 10, keys=200_000)
    of_driver, of_worker = retrieve_on_ray(viand, ray_cluster, folder, "--memory", "256MiB")
    assert of_worker <= 240 * MIB, f"{of_worker / MIB:.0f} MiB"
    assert of_driver <= 200 * MIB, f"{of_driver / MIB:.0f} MiB"


def test_a_heavy_key_is_shared_by_several_tasks(viand, ray_cluster, tmp_path):
    """Nine tenths of all rows are of one user."""
    folder = make_repo(tmp_path / "repo", viand, 300_000, 600_000, keys=200)
    for name in ("events", "spine"):
        table = parquet.read_table(folder / f"{name}.parquet")
        users = numpy.where(numpy.arange(len(table)) % 10 == 0, table["user_id"], 7)
        parquet.write_table(table.set_column(table.column_names.index("user_id"), "user_id", pa.array(users)), folder / f"{name}.parquet",
                            row_group_size=100_000)
    (folder / "definitions.yaml").write_text(DEFINITIONS.replace("30d", "3d") + """  - {name: ready, entities: [user], source: events, ttl: 3d, schema: [{name: d0, dtype: Float64}]}
""")
    call(viand, folder, "apply", "--yes")
    command = "--spine", folder / "spine.parquet", "--features", "recent,ready", "--partitions", "4", "--threads", "8"
    on_ray = "--executor", "ray", "--ray-address", ray_cluster.address
    code, plan, error = viand.call(folder, "explain", *command, "--analyze", *on_ray, env=ray_cluster.environment)
    assert code == 0, error
    assert len(re.findall(r"heavy keys are cut: \d+ fragments for 4 partitions", plan)) == 2, plan
    call(viand, folder, "historical", *command, "-o", tmp_path / "ray.parquet", cluster=ray_cluster)
    call(viand, folder, "historical", *command, "-o", tmp_path / "threads.parquet")
    assert (tmp_path / "ray.parquet").read_bytes() == (tmp_path / "threads.parquet").read_bytes()
