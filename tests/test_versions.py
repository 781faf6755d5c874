"""Versions: every applied definition is kept, read as view@v2:feature, compared, and written back."""

import shutil

import pandas as pd
import pytest

from conftest import DAILY_EVENTS, store_config

VIEWS = """  - name: activity
    description: What a user does
    tags: {team: growth}
    entities: [user]
    source: events
    snapshots: daily
    window: 7d
    features:
      # how much
      spent: sum(amount)
      n: {expr: count(*), description: Events}
  - {name: raw, entities: [user], source: events, schema: [amount]}
  - {name: exact, entities: [user], source: events, window: 2d, features: {recent: sum(amount)}}
feature_services:
  - {name: service, features: [activity]}
"""


@pytest.fixture(scope="module")
def first(viand, tmp_path_factory):
    """A repo whose views have been applied three times; activity: v0 sum, v1 average, v2 maximum and now."""
    repo = tmp_path_factory.mktemp("versions") / "repo"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(store_config("versions"))
    (repo / "definitions.yaml").write_text(DAILY_EVENTS + VIEWS)
    times = pd.date_range("2026-01-01", periods=40, freq="6h", tz="UTC")
    pd.DataFrame({"user_id": [1, 2] * 20, "at": times, "amount": [float(i) for i in range(40)]}).to_parquet(repo / "events.parquet")
    pd.DataFrame({"user_id": [1, 2, 3], "event_timestamp": times[[30, 35, 39]]}).to_parquet(repo / "spine.parquet")
    viand.json(repo, "run")
    sums = historical(viand, repo, "activity:spent")
    for expression in ("avg(amount)", "max(amount)"):
        edit(repo, "spent: sum(amount)" if expression.startswith("avg") else "spent: avg(amount)", f"spent: {expression}")
        viand.json(repo, "run")
    return repo, sums


@pytest.fixture
def repo(viand, first, tmp_path):
    copy = shutil.copytree(first[0], tmp_path / "repo", symlinks=True)
    viand.json(copy, "apply")
    return copy


def edit(repo, old, new):
    path = repo / "definitions.yaml"
    assert path.read_text().count(old) == 1, old
    path.write_text(path.read_text().replace(old, new))


def historical(viand, repo, features, *arguments):
    viand.json(repo, "historical", "--spine", repo / "spine.parquet", "--features", features, *arguments, "-o", repo / "out.parquet")
    return pd.read_parquet(repo / "out.parquet")


def test_several_versions_at_once(viand, repo, first):
    table = historical(viand, repo, "activity@v0:spent,activity@1:spent,activity@latest:spent,activity@v2:spent,activity@v0:n", "--full-feature-names")
    assert list(table.columns[2:]) == ["activity@v0__spent", "activity@v1__spent", "activity__spent", "activity@v2__spent", "activity@v0__n"]
    assert table["activity@v0__spent"].equals(first[1]["spent"])
    count = table["activity@v0__n"]
    assert ((table["activity@v0__spent"] / count - table["activity@v1__spent"]).abs().dropna() < 1e-9).all()
    assert table["activity@v2__spent"].equals(table["activity__spent"]) and table["activity__spent"].notna().sum() == 2
    # What is stored is that of the versions; the one that is now has no copy.
    assert sorted(path.name for path in (repo / "data" / "offline").iterdir()) == ["activity", "activity@v0", "activity@v1"]


def test_views_without_stored_rows_have_versions_too(viand, repo):
    before = historical(viand, repo, "exact:recent")
    edit(repo, "recent: sum(amount)", "recent: max(amount)")
    viand.json(repo, "apply")
    table = historical(viand, repo, "exact@v0:recent,exact:recent,raw@v0:amount", "--full-feature-names")
    assert table["exact@v0__recent"].equals(before["recent"]) and not table["exact__recent"].equals(before["recent"])
    assert table["raw@v0__amount"].equals(historical(viand, repo, "raw:amount")["amount"])


def test_a_service_pins_a_version(viand, repo, first):
    edit(repo, "features: [activity]}", 'features: ["activity@v0", {view: activity, alias: now}]}')
    steps = {(step["step"], step["object"]): step for step in viand.json(repo, "run")["steps"]}
    assert steps["backfill", "activity@v0"]["cutoffs_computed"] == steps["backfill", "activity@v0"]["cutoffs"] > 0
    viand.json(repo, "historical", "--spine", repo / "spine.parquet", "--service", "service", "-o", repo / "out.parquet")
    table = pd.read_parquet(repo / "out.parquet")
    assert list(table.columns[2:]) == ["spent", "n", "now__spent", "now__n"] and table["spent"].equals(first[1]["spent"])
    tree = viand.json(repo, "explain", "--spine", repo / "spine.parquet", "--service", "service")
    assert any("activity@v0" in node["title"] for node in tree["inputs"])
    assert not viand.json(repo, "plan")["has_effect"]


def test_history_tells_each_change(viand, repo):
    edit(repo, "window: 7d\n", "window: 7d\n    ttl: 3d\n")
    viand.json(repo, "apply")
    entries = [entry for entry in viand.json(repo, "history", "activity") if entry["fields"] == [] or "uri" not in entry["fields"][0]["path"]]
    assert [(entry["version"], entry["action"], entry["current"]) for entry in entries] == [
        ("v0", "add", False), ("v1", "change", False), ("v2", "change", False), ("v2", "change", True)]
    assert [entry["fields"] for entry in entries[1:]] == [
        [{"path": "features.spent.expr", "before": "sum(amount)", "after": "avg(amount)"}],
        [{"path": "features.spent.expr", "before": "avg(amount)", "after": "max(amount)"}],
        [{"path": "ttl", "before": "", "after": "3d"}]]
    code, out, _ = viand.call(repo, "history", "activity")
    assert code == 0 and "features.spent.expr: sum(amount) -> avg(amount)" in out and "(now)" in out


def test_removed_objects_keep_their_history(viand, repo):
    edit(repo, "feature_services:\n  - {name: service, features: [activity]}\n", "")
    viand.json(repo, "apply", "--yes")
    entries = viand.json(repo, "history", "service")
    assert entries[0]["action"] == "add" and entries[-1]["action"] == "remove" and not entries[-1]["current"]


def test_diff(viand, repo):
    difference = viand.json(repo, "diff", "activity@0", "activity@v2")
    assert (difference["before"], difference["after"], difference["why_breaking"]) == ("v0", "v2", "")
    assert difference["fields"][0] == {"path": "features.spent.expr", "before": "sum(amount)", "after": "max(amount)"}
    # The rows of an old version are not those of the view.
    assert [field["path"] for field in difference["fields"][1:]] == ["batch_source.file_options.uri"]
    code, out, _ = viand.call(repo, "diff", "activity@v0", "activity@v1")
    assert code == 0 and out.startswith("feature view activity  v0 -> v1\n      features.spent.expr: sum(amount) -> avg(amount)\n")


def test_rollback_writes_the_file_and_apply_makes_a_new_version(viand, repo, first):
    before = (repo / "definitions.yaml").read_text()
    dry = viand.json(repo, "rollback", "activity@v0", "--dry-run")
    assert dry["changed"] and not dry["written"] and (repo / "definitions.yaml").read_text() == before
    code, out, _ = viand.call(repo, "rollback", "activity@v0")
    assert code == 0 and f"written to definitions.yaml:{dry['first_line']}-{dry['last_line']}" in out
    text = (repo / "definitions.yaml").read_text()
    assert "spent: sum(amount)" in text and text.count("- name: activity") == 1
    # Everything around the block stays as it was.
    lines = before.splitlines()
    after = text.splitlines()
    assert after[:dry["first_line"] - 1] == lines[:dry["first_line"] - 1] and after[-4:] == lines[-4:]
    plan = viand.json(repo, "plan")
    assert [(change["action"], change["name"], change["new_version"]) for change in plan["changes"] if change["action"] != "unchanged"] == [
        ("change", "activity", "v3")]
    viand.json(repo, "run")
    assert historical(viand, repo, "activity:spent")["spent"].equals(first[1]["spent"])
    again = viand.json(repo, "rollback", "activity@v0")
    assert not again["changed"]
    assert [entry["version"] for entry in viand.json(repo, "history", "activity")][-1] == "v3"


def test_rollback_of_what_no_file_defines_any_more(viand, repo):
    edit(repo, "feature_services:\n  - {name: service, features: [activity]}\n", "")
    viand.json(repo, "apply", "--yes")
    written = viand.json(repo, "rollback", "service@v0")
    assert written["file"] == "service.yaml" and (repo / "service.yaml").read_text() == (
        "feature_services:\n  - name: service\n    features: [activity]\n")
    assert [change["name"] for change in viand.json(repo, "plan")["changes"] if change["action"] == "add"] == ["service"]


@pytest.mark.parametrize("arguments, message", [
    (["history", "activty"], 'project "versions" of the registry has never had "activty"\n  hint: did you mean "activity"?'),
    (["diff", "activity@v0", "activity@v9"], 'there is no "activity@v9"\n  hint: "activity" has v0, v1, v2; `viand history activity` tells them'),
    (["diff", "activity@v0", "service@v0"], '"activity@v0" is a feature view and "service@v0" a feature service: they have no fields in common'),
    (["rollback", "activity"], '"activity" names no version\n  hint: write activity@v0; `viand history activity` tells the versions'),
    (["history", "activity", "--kind", "modl"], 'unknown kind "modl"\n  hint: did you mean "model"?'),
    (["historical", "--spine", "spine.parquet", "--features", "activity@v7:n", "-o", "x.csv"],
     'feature view "activity" has no version v7\n  hint: it has v0, v1, v2; `viand history activity` tells them'),
    (["historical", "--spine", "spine.parquet", "--features", "activity@old:n", "-o", "x.csv"],
     '"activity@old" names no version\n  hint: write activity@v0, or activity for what is applied now'),
    (["backfill", "nobody@v1"], 'the registry has no versions of a feature view "nobody"\n  hint: it has activity, exact, raw'),
])
def test_errors(viand, repo, arguments, message):
    code, _, error = viand.call(repo, *[str(repo / "spine.parquet") if argument == "spine.parquet" else argument for argument in arguments])
    assert (code, error) == (2, f"error: {message}\n")


def test_rollback_refuses_what_it_cannot_replace(viand, repo):
    edit(repo, "  - {name: service, features: [activity]}\n", "  [{name: service, features: [activity, raw]}]\n")
    viand.json(repo, "apply")
    before = (repo / "definitions.yaml").read_text()
    code, _, error = viand.call(repo, "rollback", "service@v0")
    assert code == 1 and 'the feature service "service" is not written as an item of its own lines' in error
    assert "write there by hand:" in error and (repo / "definitions.yaml").read_text() == before
