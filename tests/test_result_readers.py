"""A result's Parquet as others read it: DuckDB, Polars and pyarrow find the same values in every type, page and row group.

The rows come from the same file without viand's encoding (Arrow IPC), so what a reader finds is compared with what was written. DuckDB and
Polars have readers of their own.
"""

import random

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import store_config

ROWS = 70_000  # more than a row group
DEFINITIONS = """
entities: [{name: user, join_keys: [user], value_type: INT64}]
sources: [{name: seen, type: file, path: seen.parquet, timestamp_field: ts}]
feature_views: [{name: none, entities: [user], source: seen, ttl: 1d, schema: [{name: v, dtype: Float64}]}]
"""


def column(type_, make, nulls):
    """Values of make(row); of `nulls` rows in ten one is null, and a long stretch."""
    return pa.array([None if nulls and (row % 10 < nulls or 20_000 <= row < 45_000) else make(row) for row in range(ROWS)], type_)


@pytest.fixture(scope="module")
def results(viand, tmp_path_factory):
    """(the rows, what viand wrote)."""
    repo = tmp_path_factory.mktemp("readers")
    chance = random.Random(7)
    spine = pa.table({
        "user": pa.array([row % 100 for row in range(ROWS)], pa.int64()),
        "event_timestamp": pa.array([1_700_000_000_000_000 + row for row in range(ROWS)], pa.timestamp("us", "UTC")),
        "noise": column(pa.float64(), lambda row: chance.random(), 3),
        "whole": column(pa.float64(), lambda row: chance.random(), 0),
        "count": column(pa.int64(), lambda row: row % 7, 6),
        "small": column(pa.int32(), lambda row: -(row % 50), 1),
        "unsigned": column(pa.uint32(), lambda row: 4_000_000_000 + row % 3, 1),
        "ratio": column(pa.float32(), lambda row: row / 2, 5),
        "day": column(pa.date32(), lambda row: row % 20_000, 9),
        "text": column(pa.string(), lambda row: f"t{row % 1000}", 2),
        "flag": column(pa.bool_(), lambda row: row % 3 == 0, 4),
        "never": pa.nulls(ROWS, pa.int64()),
    })
    pq.write_table(pa.table({"user": [1], "ts": pa.array([0], pa.timestamp("us", "UTC")), "v": [1.5]}), repo / "seen.parquet")
    pq.write_table(spine, repo / "spine.parquet")
    (repo / "feature_store.yaml").write_text(store_config("readers"))
    (repo / "definitions.yaml").write_text(DEFINITIONS)
    viand.json(repo, "apply", "--yes")
    out = repo / "out.parquet"
    viand.json(repo, "historical", "--spine", repo / "spine.parquet", "--features", "none", "-o", out)
    return spine.append_column("v", pa.nulls(ROWS, pa.float64())), out


def test_pyarrow(results):
    rows, out = results
    assert pq.read_table(out).equals(rows)
    group = pq.ParquetFile(out).metadata.row_group(0)
    codec = {group.column(i).path_in_schema: group.column(i).compression for i in range(group.num_columns)}
    assert codec["noise"] == codec["whole"] == "UNCOMPRESSED"
    assert codec["count"] == codec["day"] == codec["text"] == "SNAPPY"


def test_duckdb(results):
    rows, out = results
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read = connection.sql(f"from '{out}'").to_arrow_table()
        assert read.cast(rows.schema).equals(rows)
        # Statistics and the page index leave pages out.
        found = connection.execute(f"select count(*), min(whole) from '{out}' where event_timestamp >= timestamptz '2023-11-14 22:13:20.040000+00'")
        assert found.fetchone() == (30_000, min(rows["whole"].to_pylist()[40_000:]))


def test_polars(results):
    rows, out = results
    assert polars.read_parquet(out).to_arrow().cast(rows.schema).equals(rows)
    late = polars.scan_parquet(out).filter(polars.col("count") == 6).select(polars.len()).collect().item()
    assert late == sum(value == 6 for value in rows["count"].to_pylist())
