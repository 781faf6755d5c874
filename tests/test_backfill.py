"""Views over one source are computed in one pass; each comes out as if it were alone, also where one of them fails."""

import os
import shutil

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from conftest import DAILY_EVENTS, write_repo

DEFINITIONS = DAILY_EVENTS + """  - name: counts
    entities: [user]
    source: events
    snapshots: daily
    window: 2d
    features: {n: count(*)}
  - name: small
    entities: [user]
    source: events
    snapshots: daily
    window: 1d
    where: amount < 1000
    features: {scaled: max(amount * 1000000)}
"""
BROKEN = """  - {name: broken, entities: [user], source: events, snapshots: daily, window: 2d, features: {all: sum(amount * 1000000)}}
  - {name: after, entities: [user], source: events, snapshots: daily, window: 2d, features: {most: max(amount)}}
"""


@pytest.fixture
def repo(tmp_path):
    write_repo(tmp_path, "backfill", DEFINITIONS)
    hour = 3_600_000_000
    times = [hour * i for i in range(96)]
    # One amount in ten overflows when it is scaled.
    amounts = [2**60 if i % 10 == 7 else i for i in range(96)]
    parquet.write_table(pa.table({"user_id": [i % 5 for i in range(96)], "at": pa.array(times, pa.timestamp("us")), "amount": amounts}),
                        tmp_path / "events.parquet")
    return tmp_path


def stored(repo, view):
    folder = repo / "data" / "offline" / view / "current"
    return [row for path in sorted(folder.glob("*.parquet")) for row in parquet.read_table(path).to_pylist()]


def test_a_row_that_only_another_view_reads_cannot_fail_a_view(viand, repo):
    viand.json(repo, "apply")
    report = viand.json(repo, "backfill")
    assert [(step["object"], step["cutoffs_computed"]) for step in report["steps"]] == [("counts", 3), ("small", 3)]
    rows = stored(repo, "small")
    assert rows and all(row["scaled"] < 1000 * 1_000_000 for row in rows)
    alone = [dict(row) for row in rows]
    for step in viand.json(repo, "backfill", "small", "counts", "small")["steps"]:
        assert step["status"] == "fresh"
    assert stored(repo, "small") == alone
    assert [step["object"] for step in viand.json(repo, "backfill", "small", "counts")["steps"]] == ["small", "counts"]


def files(repo):
    return {(path.parent.parent.name, path.name): path.read_bytes() for path in (repo / "data" / "offline").glob("*/parts/*.parquet")}


def test_fragments_store_the_same_bytes(viand, repo):
    viand.json(repo, "apply")
    viand.json(repo, "backfill")
    wanted = files(repo)
    assert len(wanted) == 6
    shutil.rmtree(repo / "data" / "offline")
    processes = ["--executor", "processes", "--threads", "2", "--partitions", "3"]
    process = viand.start(repo, *processes, "backfill", env={**os.environ, "VIAND_FAILPOINT": "backfill.part:4:kill"})
    process.communicate(timeout=60)
    assert process.returncode == -9
    kept = files(repo)
    assert len(kept) == 4 and kept.items() <= wanted.items()
    steps = viand.json(repo, *processes, "backfill")["steps"]
    assert [(step["object"], step["cutoffs_computed"]) for step in steps] == [("counts", 0), ("small", 2)]
    assert files(repo) == wanted
    assert not [path for path in (repo / "data").iterdir() if path.name.startswith("viand-result")]


def test_a_view_that_fails_leaves_those_before_it(viand, repo):
    (repo / "definitions.yaml").write_text(DEFINITIONS + BROKEN)
    viand.json(repo, "apply")
    code, _, error = viand.call(repo, "backfill")
    assert code == 1
    assert 'feature view "broken"' in error and "overflow" in error, error
    assert "counts" not in error
    assert len(stored(repo, "counts")) == 15 and stored(repo, "small")
    assert not stored(repo, "broken") and not stored(repo, "after")
    (repo / "definitions.yaml").write_text(DEFINITIONS + BROKEN.splitlines()[1] + "\n")
    viand.json(repo, "apply", "--yes")
    steps = {step["object"]: step["status"] for step in viand.json(repo, "backfill")["steps"]}
    assert steps == {"counts": "fresh", "small": "fresh", "after": "computed"}
