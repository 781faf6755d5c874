"""--memory holds where texts are long, whatever takes them: found as of a time, aggregated, stored, or passed through from the spine.

VIAND_LONG takes 2.7 GB of texts on each side instead of 0.12."""

import os

import numpy
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from conftest import DAILY_EVENTS, write_repo

ROWS, BUDGET_MIB = (900_000, 1000) if os.environ.get("VIAND_LONG") else (40_000, 256)
WIDTH = 3000
DEFINITIONS = DAILY_EVENTS + """  - name: stored
    entities: [user]
    source: events
    schema: [{name: note, dtype: String}]
    ttl: 0d
  - name: computed
    entities: [user]
    source: events
    window: 30d
    features: {note: last(note), n: count(*)}
  - name: kept
    entities: [user]
    source: events
    snapshots: daily
    window: 30d
    features: {note: last(note)}
"""
DAY = 86_400_000_000
KEYS = numpy.arange(ROWS) * 7919 % ROWS  # of the spine's rows; each has one row of the events


def texts(seed):
    """Of WIDTH letters each, no two equal."""
    letters = numpy.random.default_rng(seed).integers(33, 126, ROWS * WIDTH, numpy.uint8)
    return pa.LargeStringArray.from_buffers(ROWS, pa.py_buffer(numpy.arange(ROWS + 1) * WIDTH), pa.py_buffer(letters))


def write(path, names, keys, times, notes):
    """All in one row group: of it, too, a part is read at a time."""
    parquet.write_table(pa.table([pa.array(keys), times, notes], names=names), path, row_group_size=ROWS)


@pytest.fixture(scope="module")
def repo(viand, tmp_path_factory):
    folder = write_repo(tmp_path_factory.mktemp("texts"), "texts", DEFINITIONS)
    times = numpy.arange(ROWS) * (3 * DAY // ROWS)
    write(folder / "events.parquet", ["user_id", "at", "note"], numpy.arange(ROWS), pa.array(times, pa.timestamp("us")), texts(1))
    write(folder / "spine.parquet", ["user_id", "event_timestamp", "label_text"], KEYS, pa.array(times[KEYS] + 1, pa.timestamp("us", "UTC")), texts(2))
    viand.json(folder, "apply")
    return folder


def within_budget(viand, repo, *arguments):
    code, error, peak = viand.peak(repo, *arguments, "--memory", f"{BUDGET_MIB}MiB")
    assert code == 0, error
    assert peak <= 1.25 * BUDGET_MIB, f"{peak:.0f} MiB"


def check_notes(path, notes, column="note"):
    with parquet.ParquetFile(path) as found:
        assert found.metadata.num_rows == len(notes)
        assert max(found.metadata.row_group(group).total_byte_size for group in range(found.num_row_groups)) < 80 << 20
        row = 0
        for batch in found.iter_batches(10_000, columns=[column]):
            assert batch[column].cast(pa.large_string()).equals(notes[row:row + batch.num_rows]), row
            row += batch.num_rows


@pytest.mark.parametrize("view, threads", [("stored", 1), ("computed", 4)])
def test_rows_of_a_spine(viand, repo, view, threads):
    within_budget(viand, repo, "historical", "--spine", repo / "spine.parquet", "--features", view, "--threads", threads,
                  "-o", repo / "out.parquet", "--manifest", "none")
    check_notes(repo / "out.parquet", texts(1).take(pa.array(KEYS)))
    check_notes(repo / "out.parquet", texts(2), "label_text")


def test_rows_of_a_range(viand, repo):
    within_budget(viand, repo, "historical", "--start", "1970-01-01", "--end", "1970-01-05", "--features", "stored", "--threads", 2,
                  "-o", repo / "range.parquet", "--manifest", "none")
    check_notes(repo / "range.parquet", texts(1))


def test_rows_of_a_backfill(viand, repo):
    within_budget(viand, repo, "backfill", "--threads", 4)
    rows = 0
    for path in (repo / "data/offline/kept/current").glob("*.parquet"):
        keys = parquet.read_table(path, columns=["user_id"])["user_id"].combine_chunks()
        check_notes(path, texts(1).take(keys))
        rows += len(keys)
    assert rows >= ROWS
