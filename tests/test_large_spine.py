"""Spines that cannot be read a piece at a time, larger than the budget of memory: they lie on disk meanwhile."""

import numpy
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as parquet
import pytest
from conftest import EVENTS, write_repo

DEFINITIONS = EVENTS + """feature_views:
  - name: stored
    entities: [user]
    source: events
    ttl: 0d
    schema:
      - {name: amount, dtype: Float64}
"""
ROWS = 2_500_000
BUDGET_MIB = 256


@pytest.fixture(scope="module")
def repo(viand, tmp_path_factory):
    folder = write_repo(tmp_path_factory.mktemp("spine"), "spine", DEFINITIONS)
    random = numpy.random.default_rng(3)

    def times(count):
        return pa.array(1_600_000_000_000_000 + random.integers(0, 10**13, count), pa.timestamp("us"))

    parquet.write_table(pa.table({"user_id": random.integers(0, 50_000, 300_000), "at": times(300_000), "amount": random.random(300_000)}),
                        folder / "events.parquet")
    words = pa.array([f"a note of some length about {word}, as people keep them" for word in range(1000)])
    spine = pa.table({"user_id": random.integers(0, 50_000, ROWS), "event_timestamp": times(ROWS),
                      "note": words.take(pa.array(random.integers(0, 1000, ROWS)))})
    parquet.write_table(spine, folder / "spine.parquet")
    pyarrow.csv.write_csv(spine, folder / "spine.csv")
    with pa.ipc.new_stream(folder / "spine.arrows", spine.schema) as stream:
        stream.write_table(spine, max_chunksize=100_000)
    viand.json(folder, "apply")
    viand.json(folder, "historical", "--spine", folder / "spine.parquet", "--features", "stored", "--output", folder / "wanted.parquet")
    return folder


@pytest.mark.parametrize("name", ["spine.csv", "spine.arrows"])
def test_a_file_is_read_within_the_budget(viand, repo, name):
    code, error, peak = viand.peak(repo, "historical", "--spine", repo / name, "--features", "stored", "--memory", f"{BUDGET_MIB}MiB",
                                   "--threads", "2", "--temp-dir", repo / "data", "--output", repo / "found.parquet")
    assert code == 0, error
    assert peak <= 1.25 * BUDGET_MIB
    wanted = parquet.read_table(repo / "wanted.parquet")
    found = parquet.read_table(repo / "found.parquet")
    assert all(found[column].cast(wanted[column].type).equals(wanted[column]) for column in wanted.column_names)
    assert not [path.name for path in (repo / "data").iterdir() if path.name not in ("registry.db", ".content_hashes")]


def test_so_is_standard_input(viand, repo):
    with open(repo / "spine.arrows", "rb") as spine:
        code, error, peak = viand.peak(repo, "historical", "--spine", "-", "--features", "stored", "--memory", f"{BUDGET_MIB}MiB",
                                       "--threads", "2", "--temp-dir", repo / "data", "--output", repo / "piped.parquet", stdin=spine)
    assert code == 0, error
    assert peak <= 1.25 * BUDGET_MIB
    assert parquet.read_table(repo / "piped.parquet").equals(parquet.read_table(repo / "wanted.parquet"))


def test_a_disk_without_room_is_an_error(viand, repo):
    limited = ["bash", "-c", 'ulimit -f 100000; exec "$0" "$@"', viand.program]
    code, out, error = viand.call(repo, "historical", "--spine", repo / "spine.csv", "--features", "stored", "--memory",
                                          f"{BUDGET_MIB}MiB", "--temp-dir", repo / "data", "--output", repo / "none.parquet", command=limited)
    assert code == 1, out
    assert "bytes of temporary data in" in error and "more could be written" in error, error
    assert "--temp-dir" in error
    assert not (repo / "none.parquet").exists()


def test_long_texts_that_many_rows_find_take_no_more(viand, tmp_path):
    """360 MB of texts, of 18 MB in the source: rows are put together by what the footers say of their length."""
    repo = write_repo(tmp_path, "texts", DEFINITIONS.replace("amount, dtype: Float64", "note, dtype: String"))
    keys, rows = 2000, 40_000
    notes = [f"{key:06d}" * 1500 for key in range(keys)]
    parquet.write_table(pa.table({"user_id": range(keys), "at": pa.array([0] * keys, pa.timestamp("us")), "note": notes}),
                        repo / "events.parquet")
    parquet.write_table(pa.table({"user_id": [row % keys for row in range(rows)],
                                  "event_timestamp": pa.array([10**9] * rows, pa.timestamp("us"))}), repo / "spine.parquet")
    viand.json(repo, "apply")
    code, error, peak = viand.peak(repo, "historical", "--spine", repo / "spine.parquet", "--features", "stored", "--threads", 2,
                                   "--memory", f"{BUDGET_MIB}MiB", "-o", repo / "out.parquet", "--manifest", "none")
    assert code == 0, error
    assert peak <= 1.25 * BUDGET_MIB, f"{peak:.0f} MiB"
    with parquet.ParquetFile(repo / "out.parquet") as found:
        for number, batch in enumerate(found.iter_batches(keys, columns=["note"])):
            assert batch["note"].to_pylist() == notes, number
