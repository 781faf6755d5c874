"""`historical -o FOLDER/`: the rows of the single file as Parquet parts, which appear together or not at all."""

import hashlib
import json
import os

import numpy
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from conftest import EVENTS, write_repo

DEFINITIONS = EVENTS + """feature_views:
  - name: stored
    entities: [user]
    source: events
    ttl: 0d
    schema: [{name: amount, dtype: Float64}, {name: note, dtype: String}]
  - name: computed
    entities: [user]
    source: events
    window: 30d
    features: {total: sum(amount), times: count(*)}
"""
ROWS = 400_000  # two parts, of whole row groups
ASKED = ["--features", "stored,computed"]


@pytest.fixture(scope="module")
def repo(viand, tmp_path_factory):
    folder = write_repo(tmp_path_factory.mktemp("parts"), "parts", DEFINITIONS)
    random = numpy.random.default_rng(5)

    def rows(count, groups):
        table = pa.table({"user_id": random.integers(0, 3_000, count), "at": times(random, count), "amount": random.random(count).round(3),
                          "note": pa.array([f"note {i % 97}" for i in range(count)])})
        parquet.write_table(table, folder / "events.parquet", row_group_size=count // groups)

    rows(60_000, 5)
    spine = pa.table({"user_id": random.integers(0, 3_500, ROWS), "event_timestamp": times(random, ROWS),
                      "weight": random.random(ROWS), "kind": pa.array(["a", None, "c", "b"] * (ROWS // 4)).dictionary_encode()})
    # Files and row groups end where parts do not.
    (folder / "spine").mkdir()
    parquet.write_table(spine.slice(0, 123_457), folder / "spine" / "0.parquet", row_group_size=50_000)
    parquet.write_table(spine.slice(123_457), folder / "spine" / "1.parquet", row_group_size=90_001)
    viand.json(folder, "apply")
    viand.json(folder, "historical", "--spine", folder / "spine", *ASKED, "-o", folder / "wanted.parquet")
    return folder


def times(random, count):
    return pa.array(1_600_000_000_000_000 + random.integers(0, 10**13, count), pa.timestamp("us"))


def write(viand, repo, output, *arguments):
    return viand.json(repo, *arguments, "historical", "--spine", repo / "spine", *ASKED, "-o", output)


def parts(folder):
    return sorted(path.name for path in folder.iterdir())


def read(folder):
    return pa.concat_tables(parquet.read_table(folder / name) for name in parts(folder))


def names(repo):
    return sorted(path.name for path in repo.iterdir())


def manifest_of(repo, output):
    return json.loads((repo / f"{output}.manifest.json").read_text())["output"]


@pytest.fixture(scope="module")
def parts_of_one_thread(viand, repo):
    """The manifest's files."""
    write(viand, repo, f"{repo}/one_thread/", "--threads", "1")
    return manifest_of(repo, "one_thread")["files"]


@pytest.mark.parametrize("arguments", [["--threads", "3", "--partitions", "7"], ["--executor", "spill", "--threads", "2"],
                                       ["--executor", "processes", "--threads", "2", "--partitions", "3"]], ids=lambda a: " ".join(a))
def test_parts_in_order_are_the_rows_of_the_file(viand, repo, parts_of_one_thread, arguments):
    report = write(viand, repo, f"{repo}/out/", *arguments)
    wanted = parquet.read_table(repo / "wanted.parquet")
    found = read(repo / "out")
    assert parts(repo / "out") == ["part-00000.parquet", "part-00001.parquet"]
    assert found.schema.equals(wanted.schema, check_metadata=True) and found.equals(wanted)
    assert (report["rows"], report["columns"]) == (ROWS, len(wanted.column_names))
    manifest = manifest_of(repo, "out")
    assert (manifest["path"], manifest["format"], manifest["rows"]) == ("out/", "parquet parts", ROWS)
    assert [file["path"] for file in manifest["files"]] == parts(repo / "out")
    for file in manifest["files"]:
        content = (repo / "out" / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert manifest["files"] == parts_of_one_thread
    assert not [name for name in names(repo) + names(repo / "data") if ".tmp." in name or name.startswith("viand-result")]


def test_a_single_file_of_processes_is_that_of_threads(viand, repo):
    write(viand, repo, repo / "one.parquet", "--executor", "processes", "--threads", "2")
    assert parquet.read_table(repo / "one.parquet").equals(parquet.read_table(repo / "wanted.parquet"))


def test_a_folder_is_made_again_from_its_manifest(viand, repo):
    write(viand, repo, f"{repo}/first/")
    report = viand.json(repo, "historical", "--like", repo / "first.manifest.json", "-o", f"{repo}/again/")
    assert report["same_bytes"] is True
    (repo / "again" / "part-00001.parquet").unlink()
    report = viand.json(repo, "historical", "--like", repo / "first.manifest.json", "-o", repo / "again")
    assert report["same_bytes"] is True and parts(repo / "again") == parts(repo / "first")


@pytest.mark.parametrize("failpoint", ["write.part:2", "folder.swap:1", "folder.swapped:1"])
def test_a_kill_leaves_the_folder_before_or_the_one_after(viand, repo, failpoint):
    out = repo / "killed"
    small = repo / "small.parquet"
    parquet.write_table(parquet.read_table(repo / "spine" / "0.parquet").slice(0, 10), small)
    viand.json(repo, "historical", "--spine", small, *ASKED, "-o", f"{out}/")
    process = viand.start(repo, "historical", "--spine", repo / "spine", *ASKED, "-o", out, env={**os.environ, "VIAND_FAILPOINT": f"{failpoint}:kill"})
    process.communicate(timeout=60)
    assert process.returncode == -9
    assert read(out).num_rows == (ROWS if failpoint.startswith("folder.swapped") else 10)
    assert [name for name in names(repo) if name.startswith("killed.tmp.")]
    write(viand, repo, out)
    assert read(out).equals(parquet.read_table(repo / "wanted.parquet"))
    assert not [name for name in names(repo) if ".tmp." in name]


def test_a_failure_leaves_nothing(viand, repo):
    environment = {**os.environ, "VIAND_FAILPOINT": "write.part:2:error"}
    code, _, error = viand.call(repo, "historical", "--spine", repo / "spine", *ASKED, "-o", f"{repo}/none/", env=environment)
    assert code == 1 and "no space left on device" in error
    assert not [name for name in names(repo) if name.startswith("none")]


def test_a_spine_without_rows_is_a_part_without_rows(viand, repo):
    empty = parquet.read_table(repo / "spine" / "0.parquet").slice(0, 0)
    parquet.write_table(empty, repo / "empty.parquet")
    for arguments in ([], ["--executor", "processes"]):
        viand.json(repo, *arguments, "historical", "--spine", repo / "empty.parquet", *ASKED, "-o", f"{repo}/nobody/")
        assert read(repo / "nobody").schema.equals(parquet.read_schema(repo / "wanted.parquet"))
        assert read(repo / "nobody").num_rows == 0
