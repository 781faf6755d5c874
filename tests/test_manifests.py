"""Manifests: a training set says what it was made from, and is made again from that, byte for byte, or what changed is told."""

import hashlib
import json
import shutil
import time

import pandas as pd
import pytest

from conftest import DAILY_EVENTS, store_config

VIEWS = """  - {name: activity, entities: [user], source: events, snapshots: daily, window: 7d, features: {spent: sum(amount), n: count(*)}}
  - {name: raw, entities: [user], source: events, schema: [amount]}
labels:
  - {name: more, population: activity, source: events, window: 1d following, columns: {spends: cast(count(*) > 0 as bigint)}}
feature_services:
  - {name: service, features: [activity, raw]}
models:
  - {name: spender, features: service, labels: more, target: spends, split: {test: {fraction: 0.3, by: time}}, params: {objective: "binary:logistic"}, num_boost_round: 2}
"""


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def made(viand, tmp_path_factory):
    repo = tmp_path_factory.mktemp("manifests") / "repo"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(store_config("manifests"))
    (repo / "definitions.yaml").write_text(DAILY_EVENTS + VIEWS)
    times = pd.date_range("2026-01-01", periods=60, freq="6h", tz="UTC")
    pd.DataFrame({"user_id": [1, 2, 2] * 20, "at": times, "amount": [float(i) for i in range(60)]}).to_parquet(repo / "events.parquet")
    pd.DataFrame({"user_id": [1, 2, 3], "event_timestamp": times[[30, 35, 39]]}).to_parquet(repo / "spine.parquet")
    viand.json(repo, "run")
    viand.json(repo, "historical", "--spine", repo / "spine.parquet", "--service", "service", "-o", repo / "set.parquet")
    return repo


@pytest.fixture
def repo(viand, made, tmp_path):
    copy = shutil.copytree(made, tmp_path / "repo", symlinks=True)
    viand.json(copy, "apply")
    return copy


def edit(repo, old, new):
    path = repo / "definitions.yaml"
    assert path.read_text().count(old) == 1, old
    path.write_text(path.read_text().replace(old, new))


def like(viand, repo, *arguments, manifest="set.parquet.manifest.json"):
    return viand.call(repo, "historical", "--like", repo / manifest, "-o", repo / "again.parquet", *arguments)


def test_a_manifest_names_everything_that_was_read(viand, repo):
    manifest = json.loads((repo / "set.parquet.manifest.json").read_text())
    assert manifest["request"]["spine"] == "spine.parquet" and manifest["request"]["service"] == "service"
    assert set(manifest["definitions"]) == {"feature service service", "feature view activity", "feature view raw", "entity user",
                                            "snapshots daily", "source events"}
    activity = manifest["definitions"]["feature view activity"]
    assert activity["version"] == "v0" and activity["text"]["window"] == "7d" and len(activity["sha256"]) == 64
    events = manifest["inputs"]["source events"]
    assert events["rows"] == 60 and events["files"] == [
        {"path": "events.parquet", "bytes": (repo / "events.parquet").stat().st_size, "sha256": sha256(repo / "events.parquet")}]
    assert manifest["inputs"]["spine"]["files"][0]["sha256"] == sha256(repo / "spine.parquet")
    stored = manifest["inputs"]["stored rows of feature view activity"]
    assert stored["rows"] == sum(cutoff["rows"] for cutoff in stored["cutoffs"]) > 0
    assert manifest["output"] == {"path": "set.parquet", "format": "parquet", "bytes": (repo / "set.parquet").stat().st_size,
                                  "sha256": sha256(repo / "set.parquet"), "rows": 3, "columns": 5}
    assert manifest["viand_version"] and manifest["created_at"]


def test_it_is_made_again_byte_for_byte(viand, repo):
    code, out, error = like(viand, repo)
    assert code == 0 and out == f"3 rows, 5 columns -> {repo}/again.parquet, byte for byte as before\n", error
    assert (repo / "again.parquet").read_bytes() == (repo / "set.parquet").read_bytes()
    report = viand.json(repo, "historical", "--like", repo / "set.parquet.manifest.json", "-o", repo / "again.csv")
    assert report["same_bytes"] is None and report["rows"] == 3


def test_footers_alone_where_that_is_asked_for(viand, repo):
    viand.json(repo, "historical", "--spine", repo / "spine.parquet", "--features", "raw", "-o", repo / "quick.parquet", "--manifest", "footers")
    manifest = json.loads((repo / "quick.parquet.manifest.json").read_text())
    file = manifest["inputs"]["source events"]["files"][0]
    assert len(file["footer_sha256"]) == 64 and "sha256" not in file and manifest["hashed"] == "footers"
    assert like(viand, repo, manifest="quick.parquet.manifest.json")[0] == 0


def test_a_file_is_hashed_once_and_again_when_it_changes(viand, repo):
    """What is remembered of a file is used as long as nothing about the file changes."""
    def hash_of_source():
        viand.json(repo, "historical", "--spine", repo / "spine.parquet", "--features", "raw", "-o", repo / "x.parquet")
        return json.loads((repo / "x.parquet.manifest.json").read_text())["inputs"]["source events"]["files"][0]["sha256"]

    times = pd.date_range("2026-01-01", periods=300_000, freq="1s", tz="UTC")
    path, memory = repo / "events.parquet", repo / "data" / ".content_hashes"
    pd.DataFrame({"user_id": range(300_000), "at": times, "amount": 1.5}).to_parquet(path, compression=None)
    assert path.stat().st_size > 1 << 20
    time.sleep(2.1)  # a younger file is not remembered
    assert hash_of_source() == sha256(path)
    memory.write_text(memory.read_text().replace(sha256(path), "0" * 64))
    assert hash_of_source() == "0" * 64
    path.touch()
    assert hash_of_source() == sha256(path)
    memory.write_text("no json")
    assert hash_of_source() == sha256(path)


def test_a_range_is_made_again_up_to_the_moment_it_was_asked_for(viand, repo):
    viand.json(repo, "historical", "--start", "2026-01-02", "--features", "activity", "-o", repo / "range.parquet")
    assert json.loads((repo / "range.parquet.manifest.json").read_text())["request"]["end"]
    assert like(viand, repo, manifest="range.parquet.manifest.json")[0] == 0
    assert (repo / "again.parquet").read_bytes() == (repo / "range.parquet").read_bytes()


def test_each_change_is_told_and_nothing_written(viand, repo):
    edit(repo, "spent: sum(amount)", "spent: max(amount)")
    edit(repo, "features: [activity, raw]", 'features: [activity, "raw:amount"]')
    viand.json(repo, "run", "apply", "backfill")
    table = pd.read_parquet(repo / "spine.parquet")
    table["event_timestamp"] += pd.Timedelta("1h")
    table.to_parquet(repo / "spine.parquet")
    code, out, error = like(viand, repo)
    assert code == 1 and out == "" and not (repo / "again.parquet").exists()
    lines = error.splitlines()
    assert lines[0] == f"error: since {repo}/set.parquet.manifest.json was written, 4 things changed:"
    assert sorted(line.strip().split("cutoffs")[0] for line in lines[1:5]) == sorted([
        "feature service service: features.raw.features: (none) -> [\"amount\"]",
        "feature view activity: features.spent.expr: sum(amount) -> max(amount)",
        "spine: spine.parquet has other content",
        "stored rows of feature view activity: 14 of 14 "])


def test_a_file_that_grew_is_told(viand, repo):
    rows = pd.read_parquet(repo / "events.parquet")
    pd.concat([rows, rows.tail(1)]).to_parquet(repo / "events.parquet")
    code, _, error = like(viand, repo)
    assert code == 1 and "1 thing changed:\n  source events: events.parquet had" in error


def test_a_model_s_training_set_is_made_again(viand, repo):
    manifest = json.loads((repo / "data" / "models" / "spender.manifest.json").read_text())
    assert manifest["training_set"]["inputs"]["source events"]["files"][0]["sha256"] == sha256(repo / "events.parquet")
    code, out, error = like(viand, repo, manifest="data/models/spender.manifest.json")
    assert code == 0, error
    viand.json(repo, "train", "spender", "--export", repo / "exported.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(repo / "again.parquet"), pd.read_parquet(repo / "exported.parquet"))


def test_exported_training_rows_have_a_manifest(viand, repo):
    viand.json(repo, "train", "spender", "--export", repo / "exported.parquet")
    manifest = json.loads((repo / "exported.parquet.manifest.json").read_text())
    assert manifest["request"]["spine"] == "labels:more" and manifest["request"]["service"] == "service"
    assert manifest["output"]["sha256"] == sha256(repo / "exported.parquet")
    assert manifest["output"]["rows"] == len(pd.read_parquet(repo / "exported.parquet"))
    code, out, error = like(viand, repo, manifest="exported.parquet.manifest.json")
    assert code == 0, error
    pd.testing.assert_frame_equal(pd.read_parquet(repo / "again.parquet"), pd.read_parquet(repo / "exported.parquet"))


def test_an_old_version_is_a_manifest_s_too(viand, repo):
    edit(repo, "spent: sum(amount)", "spent: max(amount)")
    viand.json(repo, "run", "apply", "backfill")
    viand.json(repo, "historical", "--spine", repo / "spine.parquet", "--features", "activity@v0", "-o", repo / "old.parquet")
    assert json.loads((repo / "old.parquet.manifest.json").read_text())["definitions"]["feature view activity@v0"]["version"] == "v0"
    assert like(viand, repo, manifest="old.parquet.manifest.json")[0] == 0


def test_standard_input_and_output(viand, repo):
    with open(repo / "spine.parquet", "rb") as spine:
        done = viand.start(repo, "historical", "--spine", "-", "--features", "raw", "-o", repo / "piped.parquet", stdin=spine)
        assert done.wait() == 0
    code, _, error = like(viand, repo, manifest="piped.parquet.manifest.json")
    assert (code, error) == (2, "error: the spine came from standard input, which no manifest keeps\n"
                                "  hint: give the same rows again: --spine PATH\n")
    code, _, error = like(viand, repo, "--spine", repo / "spine.parquet", manifest="piped.parquet.manifest.json")
    assert code == 0, error
    viand.call(repo, "historical", "--spine", repo / "spine.parquet", "--features", "raw", "-o", repo / "bare.parquet", "--manifest", "none")
    assert (repo / "bare.parquet").exists() and not (repo / "bare.parquet.manifest.json").exists()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"kind": "training_set", "format": 99}'])
def test_what_is_no_manifest(viand, repo, text):
    (repo / "x.json").write_text(text)
    code, _, error = like(viand, repo, manifest="x.json")
    assert code == 1 and f"{repo}/x.json is no manifest of a training set or a model" in error
    code, _, error = like(viand, repo, manifest="missing.json")
    assert code == 1 and f"no such file: {repo}/missing.json" in error
