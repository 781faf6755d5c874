"""viand explain --json: the tree's figures, of both executors, against what the data says."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import write_repo

DEFINITIONS = """
entities:
  - {name: driver, join_keys: [driver_id], value_type: INT64}
sources:
  - {name: stats, type: file, path: "data/*.parquet", timestamp_field: at}
feature_views:
  - name: stats
    entities: [driver]
    source: stats
    ttl: 10d
    schema: [{name: rating, dtype: Float64}]
"""
DAY_US = 86_400_000_000


def times(days):
    return pa.array([day * DAY_US for day in days], pa.timestamp("us", "UTC"))


@pytest.fixture
def repo(tmp_path):
    write_repo(tmp_path, "explain", DEFINITIONS)
    for month in range(3):  # 30 days a file, 10 a row group; driver 1 has every other row
        days = range(month * 30, month * 30 + 30)
        table = pa.table({"driver_id": [1 if day % 2 else 2 + day for day in days], "at": times(days),
                          "rating": [float(day) for day in days]})
        pq.write_table(table, tmp_path / "data" / f"{month}.parquet", row_group_size=10)
    spine = pa.table({"driver_id": [1, 1, 38, 7], "event_timestamp": times([41, 45, 39, 45])})
    pq.write_table(spine, tmp_path / "spine.parquet")
    return tmp_path


def operators(node):
    found = {node["kind"]: node}
    for child in node["inputs"]:
        found.update(operators(child))
    return found


def explain(viand, repo, *arguments):
    return operators(viand.json(repo, "explain", "--spine", repo / "spine.parquet", "--features", "stats", *arguments))


def test_the_estimate_tells_what_is_skipped(viand, repo):
    found = explain(viand, repo)
    scan = found["scan"]["scan"]
    # In reach: 39 - 10d to 45; the second file's row groups of days 30..39 and 40..49; of the first file's days 20..29.
    assert (scan["files"], scan["files_found"]) == (2, 3)
    assert (scan["row_groups"], scan["row_groups_found"]) == (3, 9)
    assert (scan["rows"], scan["rows_found"]) == (30, 90)
    assert 0 < scan["bytes"] < sum(file.stat().st_size for file in (repo / "data").iterdir())
    assert found["retrieve"]["rows"] == 4
    assert all("measured" not in node for node in found.values())


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_analyze_measures_every_operator(viand, repo, executor):
    found = explain(viand, repo, "--analyze", "--executor", executor, "--partitions", "4", "--threads", "2")
    measured = {kind: node["measured"] for kind, node in found.items()}
    assert measured["scan"]["rows_in"] == 30
    assert measured["scan"]["rows_out"] == 17  # days 29..45
    join = measured["as_of_join"]
    assert join["fragments"] == found["as_of_join"]["inputs"][0]["partitions"] == 4
    assert join["rows_in"] == 17 + 4
    assert join["rows_out"] == 3  # driver 7 has no row
    assert join["heaviest_keys"][0] == {"key": "driver_id 1", "rows": 9}
    assert len(join["heaviest_keys"]) == 5
    assert 1 <= join["skew"] <= 4
    assert measured["view"]["rows_out"] == 4
    assert measured["retrieve"]["seconds"] >= join["seconds"] > 0
    assert all(one["spilled_bytes"] == 0 for one in measured.values())


def test_what_is_spilled_is_told(viand, repo):
    found = explain(viand, repo, "--analyze", "--executor", "spill")
    assert found["scan"]["measured"]["spilled_bytes"] > 0
    code, out, _ = viand.call(repo, "explain", "--spine", repo / "spine.parquet", "--features", "stats", "--analyze",
                              "--executor", "spill")
    assert code == 0
    assert out.splitlines()[0].endswith("spilled")


def test_views_over_the_same_rows_are_found_in_one_pass(viand, repo):
    windows = "".join(f"  - {{name: {name}, entities: [driver], source: stats, window: {days}d, features: {{{name}_n: count(*)}}}}\n"
                      for name, days in (("week", 7), ("fortnight", 14)))
    (repo / "definitions.yaml").write_text(DEFINITIONS + windows)
    tree = viand.json(repo, "explain", "--spine", repo / "spine.parquet", "--features", "week,stats,fortnight", "--analyze")
    week, stats, fortnight = tree["inputs"][:3]
    assert fortnight["title"] == 'feature view "fortnight"'
    assert fortnight["details"] == ['found in the pass of feature view "week"'] and fortnight["inputs"] == []
    aggregate = week["inputs"][0]
    assert [line for line in aggregate["details"] if line.startswith(("feature view", "week_n", "fortnight_n"))] == [
        'feature view "week":', "week_n = count(*) over 7d", 'feature view "fortnight":', "fortnight_n = count(*) over 14d"]
    # Days 39 - 14 to 45.
    assert operators(week)["scan"]["measured"]["rows_out"] == 21
    assert operators(stats)["scan"]["measured"]["rows_out"] == 17
