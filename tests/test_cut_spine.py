"""A spine on standard input that ends early: the error says what was being read."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import store_config

DEFINITIONS = """
entities:
  - {name: user, join_keys: [user_id], value_type: INT64}
sources:
  - {name: scores, type: file, path: data/scores.parquet, timestamp_field: at}
feature_views:
  - {name: scores, entities: [user], source: scores, schema: [{name: score, dtype: Int64}]}
"""


def ipc(table):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def parquet(table):
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


@pytest.mark.parametrize(("encode", "what"), [(ipc, "Arrow IPC"), (parquet, "a Parquet file")])
def test_a_spine_that_ends_early(viand, tmp_path, encode, what):
    (tmp_path / "feature_store.yaml").write_text(store_config("cut"))
    (tmp_path / "definitions.yaml").write_text(DEFINITIONS)
    (tmp_path / "data").mkdir()
    times = pa.array([0, 1], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"user_id": [1, 2], "at": times, "score": [1, 2]}), tmp_path / "data" / "scores.parquet")
    spine = tmp_path / "spine"
    spine.write_bytes(encode(pa.table({"user_id": [1, 2], "event_timestamp": times}))[:-40])
    with spine.open("rb") as cut:
        process = viand.start(tmp_path, "historical", "--spine", "-", "--features", "scores", "-o", "-", stdin=cut)
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert error.startswith(f"error: cannot read the spine on standard input, {what}: "), error
    assert error.endswith("\n  hint: did the program before it end early?\n"), error
