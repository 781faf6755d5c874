"""One key with half of all rows: it is looked up a part at a time, within the budget of memory."""

import re
import shutil

import numpy
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from conftest import WEEKLY_EVENTS, write_repo

DEFINITIONS = WEEKLY_EVENTS + """  - name: recent
    entities: [user]
    source: events
    window: 5d
    features:
      n: count(*)
      total: sum(amount)
      least: min(amount)
      most: max(amount)
      mean: {expr: avg(amount), window: 2d}
      kinds: {expr: count(distinct kind), window: 12h}
  - name: snapshots_of_recent
    entities: [user]
    source: events
    snapshots: weekly
    window: 3d
    features: {n: count(*), newest: last(amount), middle: median(kind)}
  - name: ever
    entities: [user]
    source: events
    window: unbounded
    features: {n: count(*), kinds: count(distinct kind)}
  - name: since_ever
    entities: [user]
    source: events
    window: unbounded
    features:
      n: count(*)
      dear: count(* where amount > 0.5)
      total: sum(amount)
      whole: sum(kind)
      mean: avg(amount)
      least: min(amount)
      most: max(kind)
      oldest: first(amount)
      newest: last(amount where kind < 500)
      dearest: last(kind order by amount)
      spread: stddev(amount)
      variance: {expr: var(kind), window: 80d}
      some: {expr: any(kind = 999), window: 80d}
      every: {expr: all(kind < 999), window: 80d}
      about: {expr: approx_count_distinct(kind), window: 80d}
      latest: {expr: "last_n(kind, 3)", window: 80d}
      lately: {expr: sum(amount), window: 30d}
      kinds: {expr: count(distinct kind), window: 12h}
  - name: snapshots_since_ever
    entities: [user]
    source: events
    snapshots: weekly
    window: unbounded
    having: count(*) > 1
    features: {n: count(*), total: sum(amount), most: {expr: max(amount), window: 60d}, spread: {expr: var(amount), window: 60d}}
  - name: stored
    entities: [user]
    source: events
    ttl: 0d
    schema:
      - {name: amount, dtype: Float64}
      - {name: kind, dtype: Int64}
"""
ROWS = 3_000_000
SPAN_US = 90 * 86_400_000_000
BUDGET_MIB = 256


@pytest.fixture(scope="module")
def repo(viand, tmp_path_factory):
    folder = write_repo(tmp_path_factory.mktemp("heavy"), "heavy", DEFINITIONS)
    random = numpy.random.default_rng(5)

    def rows(count):
        users = numpy.where(random.random(count) < 0.5, 7, random.integers(0, 100_000, count))
        return users, 1_600_000_000_000_000 + random.integers(0, SPAN_US, count)

    users, at = rows(ROWS)
    parquet.write_table(pa.table({"user_id": users, "at": pa.array(at, pa.timestamp("us")), "amount": random.random(ROWS),
                                  "kind": random.integers(0, 1000, ROWS)}), folder / "events.parquet", row_group_size=200_000)
    users, at = rows(ROWS // 10)
    parquet.write_table(pa.table({"user_id": users, "event_timestamp": pa.array(at, pa.timestamp("us", "UTC"))}), folder / "spine.parquet")
    viand.json(folder, "apply")
    return folder


def budgeted(*more):
    return "--memory", f"{BUDGET_MIB}MiB", "--threads", "2", *more


def historical(repo, features, name):
    return "historical", "--spine", repo / "spine.parquet", "--features", features, "--output", repo / name


def test_its_windows_are_looked_up_within_the_budget(viand, repo):
    code, error, _ = viand.peak(repo, *historical(repo, "recent", "plain.parquet"))
    assert code == 0, error
    code, error, peak = viand.peak(repo, *budgeted(*historical(repo, "recent", "small.parquet")))
    assert code == 0, error
    assert parquet.read_table(repo / "plain.parquet").equals(parquet.read_table(repo / "small.parquet"))
    assert peak <= 1.25 * BUDGET_MIB


def test_its_rows_are_joined_within_the_budget(viand, repo):
    code, error, _ = viand.peak(repo, *historical(repo, "stored", "joined.parquet"))
    assert code == 0, error
    code, error, peak = viand.peak(repo, *budgeted(*historical(repo, "stored", "joined-small.parquet")))
    assert code == 0, error
    assert parquet.read_table(repo / "joined.parquet").equals(parquet.read_table(repo / "joined-small.parquet"))
    assert peak <= 1.25 * BUDGET_MIB


def test_its_rows_are_summarized_for_windows_that_hold_most_of_them(viand, repo):
    code, error, _ = viand.peak(repo, *historical(repo, "since_ever", "since-ever.parquet"))
    assert code == 0, error
    code, error, peak = viand.peak(repo, *budgeted(*historical(repo, "since_ever", "since-ever-small.parquet")))
    assert code == 0, error
    assert parquet.read_table(repo / "since-ever.parquet").equals(parquet.read_table(repo / "since-ever-small.parquet"))
    assert peak <= 1.25 * BUDGET_MIB


def snapshots(repo, view):
    folder = repo / "data" / "offline" / view / "current"
    return pa.concat_tables(parquet.read_table(path) for path in sorted(folder.glob("*.parquet")))


@pytest.mark.parametrize("view", ["snapshots_of_recent", "snapshots_since_ever"])
def test_so_are_its_snapshots(viand, repo, view):
    viand.json(repo, "backfill", view)
    plain = snapshots(repo, view)
    shutil.rmtree(repo / "data" / "offline")
    code, error, peak = viand.peak(repo, *budgeted("backfill", view))
    assert code == 0, error
    assert snapshots(repo, view).equals(plain)
    assert peak <= 1.25 * BUDGET_MIB


def test_a_window_that_does_not_fit_is_told_with_its_key(viand, repo):
    code, error, _ = viand.peak(repo, *budgeted(*historical(repo, "ever", "none.parquet")))
    assert code == 1
    assert re.fullmatch(
        r'error: definitions.yaml:29:\d+: feature view "ever", feature "kinds": 1,5\d\d,\d\d\d rows of user_id 7 before its times take about 3\d\d MB, '
        r"and a key may take 135 MB\n  hint: give --memory \d\d\dMB or more, or a window that is not unbounded\n", error), error
    assert not (repo / "none.parquet").exists()
