"""A spine from standard input, features to standard output: any format on either side, nothing else in between."""

import gzip
import io
import json
import subprocess

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from conftest import store_config

DEFINITIONS = """entities:
  - {name: user, join_keys: [user_id], value_type: INT64}
sources:
  - {name: scores, type: file, path: scores.parquet, timestamp_field: at}
feature_views:
  - {name: recent, entities: [user], source: scores, schema: [{name: score, dtype: Int64}], ttl: 0d}
"""
SPINE = pa.table({"user_id": pa.array([2, 1, 7], pa.int64()),
                  "event_timestamp": pa.array([20, 10, 20], pa.timestamp("us", "UTC")),
                  "tags": pa.array([["a", None], [], None], pa.list_(pa.string()))})
SCORES = [200, 100, None]


@pytest.fixture
def repo(tmp_path):
    (tmp_path / "feature_store.yaml").write_text(store_config("pipes"))
    (tmp_path / "definitions.yaml").write_text(DEFINITIONS)
    pq.write_table(pa.table({"user_id": [1, 2], "at": pa.array([5, 15], pa.timestamp("us", "UTC")), "score": [100, 200]}),
                   tmp_path / "scores.parquet")
    return tmp_path


def encoded(table, form):
    sink = io.BytesIO()
    if form == "parquet":
        pq.write_table(table, sink)
    elif form == "csv":
        pa.csv.write_csv(table.drop_columns(["tags"]), sink)
    else:
        with (pa.ipc.new_file if form == "arrow file" else pa.ipc.new_stream)(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


def historical(viand, repo, spine, *options):
    return subprocess.run([viand.program, "historical", "-C", repo, "--spine", "-", "--features", "recent", "-o", "-", *options],
                          input=spine, capture_output=True, timeout=60)


def test_gzip_is_told(viand, repo):
    done = historical(viand, repo, gzip.compress(encoded(SPINE, "csv")))
    assert done.returncode == 1
    assert done.stderr.decode() == ("error: the spine on standard input is gzipped\n"
                                    "  hint: pipe it through gunzip, or name the file: --spine FILE.csv.gz\n")


@pytest.mark.parametrize("form", ["parquet", "arrow file", "arrow stream"])
@pytest.mark.parametrize("to", ["arrow", "parquet"])
def test_columns_pass_through_untouched(viand, repo, form, to):
    done = historical(viand, repo, encoded(SPINE, form), "--format", to)
    assert done.returncode == 0 and done.stderr == b""
    read = pa.ipc.open_stream(done.stdout).read_all() if to == "arrow" else pq.read_table(io.BytesIO(done.stdout))
    assert read.select(SPINE.column_names).equals(SPINE)
    assert read["score"].to_pylist() == SCORES


def test_json_has_an_object_a_line(viand, repo):
    done = historical(viand, repo, encoded(SPINE, "parquet"), "--format", "json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["score"] for row in rows] == SCORES
    assert [row["tags"] for row in rows] == [["a", None], [], None]
    assert [row["user_id"] for row in rows] == [2, 1, 7]


def test_csv_is_the_default(viand, repo):
    done = historical(viand, repo, encoded(SPINE, "csv"))
    assert done.stdout == historical(viand, repo, encoded(SPINE, "csv"), "--format", "csv").stdout
    assert pa.csv.read_csv(io.BytesIO(done.stdout))["score"].to_pylist() == SCORES


@pytest.mark.parametrize("to", ["csv", "json", "arrow", "parquet"])
def test_a_reader_that_leaves_is_no_error(viand, repo, to):
    spine = encoded(pa.concat_tables([SPINE] * 200_000), "parquet")
    (repo / "spine.parquet").write_bytes(spine)
    with subprocess.Popen([viand.program, "historical", "-C", repo, "--spine", repo / "spine.parquet", "--features", "recent", "-o", "-",
                           "--format", to], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_format_is_for_standard_output(viand, repo):
    done = subprocess.run([viand.program, "historical", "-C", repo, "--spine", "-", "--features", "recent", "-o", repo / "x.parquet",
                           "--format", "csv"], input=b"", capture_output=True, text=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.decode() == ("error: --format is for standard output; the format of a file is told by its name\n"
                                    "  hint: write -o - --format csv, or leave out --format\n")


def test_any_order_may_be_allowed(viand, repo):
    allowed = historical(viand, repo, encoded(SPINE, "parquet"), "--unordered")
    assert allowed.returncode == 0, allowed.stderr
    assert sorted(allowed.stdout.splitlines()) == sorted(historical(viand, repo, encoded(SPINE, "parquet")).stdout.splitlines())
