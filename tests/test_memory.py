"""A budget of memory: what it may be called, that results do not depend on it, and that no temporary file outlives the program."""

import os
import re
import resource
import signal
import subprocess

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from conftest import DAILY_EVENTS, write_repo

DEFINITIONS = DAILY_EVENTS + """  - name: counts
    entities: [user]
    source: events
    snapshots: daily
    window: 2d
    features: {n: count(*), total: sum(amount), names: count(distinct name)}
"""
HOUR = 3_600_000_000


def write_rows(path, rows, user_of, row_group=50_000):
    table = pa.table({"user_id": pa.array([user_of(i) for i in range(rows)], pa.int64()),
                      "at": pa.array([(i * 7919) % rows * 96 * HOUR // rows for i in range(rows)], pa.timestamp("us")),
                      "amount": pa.array([i % 1000 for i in range(rows)], pa.int64()),
                      "name": pa.array([f"name {i % 5000}" for i in range(rows)])})
    parquet.write_table(table, path, row_group_size=row_group)


def make_repo(folder, rows, user_of):
    write_repo(folder, "memory", DEFINITIONS)
    (folder / "temporary").mkdir()
    write_rows(folder / "events.parquet", rows, user_of)
    spine = pa.table({"user_id": pa.array([user_of(i * 3) for i in range(rows // 4)], pa.int64()),
                      "event_timestamp": pa.array([i * 101 * HOUR // 1000 for i in range(rows // 4)], pa.timestamp("us", "UTC"))})
    parquet.write_table(spine, folder / "spine.parquet")
    return folder


@pytest.fixture
def repo(viand, tmp_path):
    make_repo(tmp_path, 200_000, lambda i: i % 700)
    viand.json(tmp_path, "apply")
    return tmp_path


def run(viand, repo, *arguments, failpoint=None, limit=None):
    environment = {**os.environ, **({"VIAND_FAILPOINT": failpoint} if failpoint else {})}
    bound = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
    return subprocess.run([viand.program, "-C", str(repo), *map(str, arguments)], env=environment, preexec_fn=bound, capture_output=True, text=True,
                          timeout=600)


def spilling(repo):
    return ["--executor", "spill", "--temp-dir", repo / "temporary"]


def historical(viand, repo, output, *arguments):
    done = run(viand, repo, "historical", "--spine", repo / "spine.parquet", "--features", "counts", "--output", repo / output, *arguments)
    assert done.returncode == 0, done.stderr
    return parquet.read_table(repo / output)


@pytest.mark.parametrize("memory, message", [
    ("12XB", 'error: --memory "12XB" is no amount of memory\n'
             "  hint: write 512MB, 2GiB, 60% (of the memory that there is) or a number of bytes\n"),
    ("10MB", "error: --memory 10MB is 10000000 bytes: too little to work with\n  hint: give at least 256MB\n"),
])
def test_a_budget_that_is_none(viand, repo, memory, message):
    done = run(viand, repo, "backfill", "--memory", memory)
    assert (done.returncode, done.stderr) == (2, message)


def test_a_folder_that_cannot_be_written(viand, repo):
    done = run(viand, repo, "backfill", "--temp-dir", repo / "none")
    assert (done.returncode, done.stderr) == (
        2, f"error: --temp-dir {repo}/none: No such file or directory\n  hint: name a folder that can be written\n")


def test_spilled_or_not_the_result_is_the_same(viand, repo):
    viand.json(repo, "backfill")
    plain = historical(viand, repo, "plain.parquet")
    assert plain.equals(historical(viand, repo, "spilled.parquet", *spilling(repo)))
    assert plain.equals(historical(viand, repo, "small.parquet", "--memory", "256MB"))
    assert plain.equals(historical(viand, repo, "share.parquet", "--memory", "50%", "--threads", "1"))
    assert list((repo / "temporary").iterdir()) == []


@pytest.mark.parametrize("how, code", [("kill", -signal.SIGKILL), ("interrupt", 130), ("error", 1)])
def test_no_temporary_file_is_left(viand, repo, how, code):
    before = sorted(path.name for path in (repo / "data").iterdir())
    for folder in [[], ["--temp-dir", repo / "temporary"]]:
        done = run(viand, repo, "backfill", "--executor", "spill", *folder, failpoint=f"spill.write:3:{how}")
        assert done.returncode == code, done.stderr
    assert list((repo / "temporary").iterdir()) == []
    assert sorted(path.name for path in (repo / "data").iterdir() if path.name != "offline") == before
    viand.json(repo, "backfill", *spilling(repo))
    assert list((repo / "temporary").iterdir()) == []


def test_a_full_disk_is_told(viand, repo):
    limit = 100_000
    done = run(viand, repo, "backfill", *spilling(repo), limit=limit)
    assert done.returncode == 1
    told = re.fullmatch(
        rf"error: memory is short, and after (\d+) bytes of temporary data in {repo}/temporary no more could be written: File too large\n"
        r"  hint: free disk space there, name another folder with --temp-dir, or allow more memory with --memory\n", done.stderr)
    # Threads write beside each other: the one that fails first may stand behind the limit.
    assert told and int(told[1]) >= limit, done.stderr
    viand.json(repo, "backfill")


def test_one_key_with_half_of_all_rows(viand, tmp_path):
    repo = make_repo(tmp_path, 1_000_000, lambda i: 0 if i % 2 else i % 20_000)
    viand.json(repo, "apply")
    viand.json(repo, "backfill")
    plain = historical(viand, repo, "plain.parquet")
    assert plain.equals(historical(viand, repo, "small.parquet", "--memory", "256MB", "--temp-dir", repo / "temporary"))
    assert plain.equals(historical(viand, repo, "spilled.parquet", *spilling(repo), "--partitions", "7"))
