"""Spines that are damaged, by a program that ended early or a comma too many: the error says what and where; and one that is
compressed."""

import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import write_repo

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


@pytest.fixture
def repo(tmp_path):
    write_repo(tmp_path, "cut", DEFINITIONS)
    times = pa.array([0, 1], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"user_id": [1, 2], "at": times, "score": [1, 2]}), tmp_path / "data" / "scores.parquet")
    return tmp_path


@pytest.mark.parametrize(("encode", "what"), [(ipc, "Arrow IPC"), (parquet, "a Parquet file")])
def test_a_spine_that_ends_early(viand, repo, encode, what):
    times = pa.array([0, 1], pa.timestamp("us", "UTC"))
    spine = repo / "spine"
    spine.write_bytes(encode(pa.table({"user_id": [1, 2], "event_timestamp": times}))[:-40])
    with spine.open("rb") as cut:
        process = viand.start(repo, "historical", "--spine", "-", "--features", "scores", "-o", "-", stdin=cut)
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert error.startswith(f"error: cannot read the spine on standard input, {what}: "), error
    assert error.endswith("\n  hint: did the program before it end early?\n"), error


ODD = "user_id,event_timestamp,note\n1,1970-01-02,a\n2,1970-01-02,b,c\n1,1970-01-02,d\n"


def test_a_csv_row_with_a_cell_too_many(viand, repo):
    spine = repo / "spine.csv"
    spine.write_text(ODD)
    said = "row 3 has 4 cells, the header has 3: 2,1970-01-02,b,c\n  hint: a cell with a comma in it stands in quotes\n"
    code, out, error = viand.call(repo, "historical", "--spine", spine, "--features", "scores", "-o", "-")
    assert (code, out, error) == (1, "", f"error: cannot read spine {spine}: {said}")
    with spine.open("rb") as rows:
        process = viand.start(repo, "historical", "--spine", "-", "--features", "scores", "-o", "-", stdin=rows)
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out, error) == (1, "", f"error: cannot read the spine on standard input: {said}")


def test_a_compressed_csv(viand, repo):
    (repo / "spine.csv.gz").write_bytes(gzip.compress(b"user_id,event_timestamp\n2,1970-01-02\n7,1970-01-02\n"))
    code, out, error = viand.call(repo, "historical", "--spine", repo / "spine.csv.gz", "--features", "scores", "-o", "-")
    assert (code, error) == (0, "")
    assert out.splitlines()[1:] == ["2,1970-01-02,2", "7,1970-01-02,"]
