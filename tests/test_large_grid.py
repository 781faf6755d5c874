"""The rows of a grid, larger than the budget of memory: they are put in order and stored a cutoff at a time."""

import shutil

import numpy
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from conftest import WEEKLY_EVENTS, write_repo

DEFINITIONS = WEEKLY_EVENTS + """  - name: ever
    entities: [user]
    source: events
    snapshots: weekly
    window: unbounded
    features:
      n: count(*)
      total: sum(amount)
      most: max(amount)
      mean: avg(amount)
      recent: {expr: count(*), window: 7d}
"""
ROWS = 2_000_000
USERS = 700_000
SPAN_US = 70 * 86_400_000_000
BUDGET_MIB = 256


@pytest.fixture(scope="module")
def repo(viand, tmp_path_factory):
    folder = write_repo(tmp_path_factory.mktemp("grid"), "grid", DEFINITIONS)
    random = numpy.random.default_rng(8)
    at = 1_600_000_000_000_000 + numpy.sort(random.integers(0, SPAN_US, ROWS))
    parquet.write_table(pa.table({"user_id": random.integers(0, USERS, ROWS), "at": pa.array(at, pa.timestamp("us")),
                                  "amount": random.integers(0, 1 << 40, ROWS)}), folder / "events.parquet", row_group_size=100_000)
    viand.json(folder, "apply")
    return folder


def backfill(viand, repo, memory):
    """(files of the snapshots, peak anonymous MiB)."""
    shutil.rmtree(repo / "data" / "offline", ignore_errors=True)
    code, error, peak = viand.peak(repo, "backfill", "--memory", memory, "--threads", "2")
    assert code == 0, error
    return sorted((repo / "data" / "offline" / "ever" / "current").glob("*.parquet")), peak


def test_it_is_stored_within_the_budget(viand, repo):
    files, _ = backfill(viand, repo, "8GB")
    plain = [(file.name, file.read_bytes()) for file in files]
    assert len(plain) == 9
    assert sum(parquet.read_metadata(file).num_rows for file in files) > 4_000_000
    files, peak = backfill(viand, repo, f"{BUDGET_MIB}MiB")
    assert [(file.name, file.read_bytes()) for file in files] == plain
    assert peak <= 1.25 * BUDGET_MIB
    last = parquet.read_table(files[-1])
    keys = last["user_id"].to_numpy()
    assert (keys[1:] > keys[:-1]).all()


def test_it_is_what_pandas_counts(viand, repo):
    files, _ = backfill(viand, repo, f"{BUDGET_MIB}MiB")
    events = parquet.read_table(repo / "events.parquet").to_pandas()
    for file in (files[0], files[4], files[8]):
        rows = parquet.read_table(file).to_pandas()
        cutoff = rows["event_timestamp"].iloc[0].tz_localize(None)
        before = events[events["at"] < cutoff]
        wanted = before.groupby("user_id")["amount"].agg(n="count", total="sum", most="max")
        recent = before[before["at"] >= cutoff - numpy.timedelta64(7, "D")].groupby("user_id").size()
        assert (rows["user_id"].to_numpy() == wanted.index.to_numpy()).all()
        for name in ("n", "total", "most"):
            assert (rows[name].to_numpy() == wanted[name].to_numpy()).all(), name
        assert (rows["recent"].to_numpy() == recent.reindex(wanted.index, fill_value=0).to_numpy()).all()
