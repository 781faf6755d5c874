"""Rows that a plan computes for itself (labels, keys and times of a range, a population to score) stay on the cluster: the
driver's memory does not follow their number, and what comes of them has the bytes that threads make. VIAND_LONG takes more rows."""

import os
import shutil
import time

import numpy
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from cluster import private_bytes
from conftest import store_config

LONG = bool(os.environ.get("VIAND_LONG"))
MIB = 1 << 20
USERS = 1_500_000 if LONG else 400_000
DEFINITIONS = """entities:
  - {name: user, join_keys: [user_id], value_type: INT64}
sources:
  - {name: events, type: file, path: events.parquet, timestamp_field: at}
  - {name: scores, type: file, path: scores.parquet, timestamp_field: at}
snapshots:
  - {name: monthly, source: events, first: "2026-02-01", last: "2026-08-30", every: 30d}
feature_views:
  - {name: spent, entities: [user], source: events, snapshots: monthly, window: unbounded, ttl: 0d,
     features: {total: sum(amount), visits: count(*)}}
  - {name: scores, entities: [user], source: scores, ttl: 0d, schema: [{name: score, dtype: Float64}]}
labels:
  - {name: comes_back, population: spent, source: events, window: 30d following, columns: {again: cast(count(*) > 0 as bigint)}}
feature_services:
  - {name: all, features: [spent, scores]}
models:
  - name: back_model
    type: xgboost
    features: all
    labels: comes_back
    target: again
    fill_null: 0
    split: {test: last_snapshot}
    params: {objective: "binary:logistic", max_depth: 2, eta: 0.3, seed: 1, eval_metric: logloss}
    num_boost_round: 3
"""


FEATURES = ("--features", "spent,scores:score")
RETRIEVALS = {"labels": ("--spine", "labels:comes_back", "--features", "scores:score"),
              "range": (*FEATURES, "--start", "2026-01-01", "--end", "2026-08-15"),
              "rows of a range": (*FEATURES, "--start", "2026-01-01", "--end", "2026-08-15", "--every-row")}


def make_repo(folder, viand, users):
    """A first event of each user within a month, and more of some later; a score of each at two times."""
    random = numpy.random.default_rng(5)
    folder.mkdir()
    start, day = 1_767_225_600_000_000, 86_400_000_000
    keys = numpy.concatenate([random.permutation(users), random.integers(0, users, users)])
    times = start + numpy.concatenate([random.integers(0, 30 * day, users), random.integers(30 * day, 270 * day, users)])
    micros = pa.timestamp("us", "UTC")
    parquet.write_table(pa.table({"user_id": keys, "at": pa.array(times, micros), "amount": random.random(2 * users)}),
                        folder / "events.parquet", row_group_size=100_000)
    parquet.write_table(pa.table({"user_id": numpy.tile(random.permutation(users), 2), "score": random.random(2 * users),
                                  "at": pa.array(start + numpy.repeat([40, 80], users) * day, micros)}),
                        folder / "scores.parquet", row_group_size=100_000)
    (folder / "feature_store.yaml").write_text(store_config("driven"))
    (folder / "definitions.yaml").write_text(DEFINITIONS)
    for arguments in (("apply", "--yes"), ("backfill",)):
        code, _, error = viand.call(folder, *arguments)
        assert code == 0, error
    return folder


@pytest.fixture(scope="module")
def repos(viand, tmp_path_factory):
    folder = tmp_path_factory.mktemp("driven")
    small, large = make_repo(folder / "small", viand, USERS // 20), make_repo(folder / "large", viand, USERS)
    code, _, error = viand.call(small, "train", "back_model")
    assert code == 0, error
    shutil.copytree(small / "data" / "models", large / "data" / "models")
    return small, large


def most_of_driver(viand, cluster, repo, *arguments):
    """Most anonymous bytes of a command on the cluster."""
    process = viand.start(repo, *arguments, "--executor", "ray", "--ray-address", cluster.address, env=cluster.environment)
    most = 0
    while process.poll() is None:
        most = max(most, private_bytes(process.pid))
        time.sleep(0.01)
    _, error = process.communicate()
    assert process.returncode == 0, error
    return most


@pytest.fixture(scope="module")
def of_few(viand, ray_cluster, repos, tmp_path_factory):
    """What the driver takes to retrieve features for few rows."""
    output = f"{tmp_path_factory.mktemp('few')}/out/"
    return most_of_driver(viand, ray_cluster, repos[0], "historical", *RETRIEVALS["labels"], "-o", output)


def check_flat(viand, cluster, repos, of_few, *arguments, more=40 * MIB):
    """The driver takes as much for many rows as for few."""
    of_many = most_of_driver(viand, cluster, repos[1], *arguments)
    print(f"{' '.join(map(str, arguments))}: the driver {of_many / MIB:.0f} MiB, for few rows {of_few / MIB:.0f}")
    assert of_many <= of_few + more, f"the driver: {of_few / MIB:.0f} MiB, then {of_many / MIB:.0f} MiB"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


@pytest.mark.parametrize("name", RETRIEVALS)
def test_a_computed_spine_stays_on_the_cluster(viand, ray_cluster, repos, of_few, tmp_path, name):
    check_flat(viand, ray_cluster, repos, of_few, "historical", *RETRIEVALS[name], "-o", f"{tmp_path}/large/")
    code, _, error = viand.call(repos[1], "historical", *RETRIEVALS[name], "-o", f"{tmp_path}/threads/")
    assert code == 0, error
    assert contents(tmp_path / "large") == contents(tmp_path / "threads") != {}


def test_a_population_to_score_stays_on_the_cluster(viand, ray_cluster, repos, tmp_path):
    arguments = ("predict", "back_model", "--as-of", "2026-08-20")
    # XGBoost takes memory too. The driver scores 64 Ki rows at a time, of which few rows are not one, and keeps blocks for the next.
    of_few = most_of_driver(viand, ray_cluster, repos[0], *arguments, "-o", tmp_path / "small.parquet")
    check_flat(viand, ray_cluster, repos, of_few, *arguments, "-o", tmp_path / "large.parquet", more=64 * MIB)
    code, _, error = viand.call(repos[1], *arguments, "-o", tmp_path / "threads.parquet")
    assert code == 0, error
    assert (tmp_path / "large.parquet").read_bytes() == (tmp_path / "threads.parquet").read_bytes()


def test_what_is_analyzed_is_dropped_where_it_is_made(viand, ray_cluster, repos, of_few):
    check_flat(viand, ray_cluster, repos, of_few, "explain", *RETRIEVALS["labels"], "--analyze")
