"""`viand plan` and `viand apply`: what changes, who reads it, what becomes stale, and what is refused."""

import shutil
import sqlite3

import pytest

import generate
import workbook
from conftest import make_repo, store_config

RFM = "customer_rfm_features"
PREDICTIONS = "data/predictions/purchase_propensity.parquet"


@pytest.fixture(scope="module")
def applied(viand, tmp_path_factory):
    """The example after one run; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("plan")
    workbook.write_xlsx(folder / "small.xlsx", generate.make_rows(40_000, seed=3))
    repo = make_repo(folder / "repo", {folder / "small.xlsx": "online_retail.xlsx"})
    viand.steps(repo)
    return repo


@pytest.fixture
def repo(viand, applied, tmp_path):
    """A copy; the registry has absolute paths, so that moving a repo is a change, which makes nothing stale."""
    copy = shutil.copytree(applied, tmp_path / "repo", symlinks=True)
    moved = viand.json(copy, "apply")
    assert moved["work"] == [] and {field["path"].split(".")[-1] for change in moved["changes"] for field in change["fields"]} == {"uri"}
    return copy


def edit(repo, old, new):
    path = repo / "definitions.yaml"
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new))


def changes(plan):
    return {(change["action"], change["kind"], change["name"]): change for change in plan["changes"]
            if change["action"] != "unchanged"}


def work(plan):
    return {(item["kind"], item["name"]): item for item in plan["work"]}


def test_nothing_to_change_is_no_work(viand, repo):
    plan = viand.json(repo, "plan")
    assert not plan["has_effect"] and plan["work"] == [] and changes(plan) == {}


def test_one_expression_tells_its_readers_and_its_cost(viand, repo):
    edit(repo, "monetary: sum(revenue)", "monetary: avg(revenue)")
    plan = viand.json(repo, "plan")
    assert list(changes(plan)) == [("change", "feature view", RFM)]
    change = changes(plan)["change", "feature view", RFM]
    assert change["fields"] == [{"path": "features.monetary.expr", "before": "sum(revenue)", "after": "avg(revenue)"}]
    assert change["dependants"] == ["labels purchased_30d", "feature service purchase_propensity_v1",
                                    "model purchase_propensity", f"predictions {PREDICTIONS}"]
    assert (change["old_version"], change["new_version"]) == ("v0", "v1") and not change["breaking"]
    items = work(plan)
    assert list(items) == [("feature view", RFM), ("model", "purchase_propensity"), ("predictions", PREDICTIONS)]
    steps = viand.steps(repo)
    view = items["feature view", RFM]
    made = steps["backfill", RFM]
    assert (view["cutoffs"], view["cutoffs_all"]) == (made["cutoffs_computed"], made["cutoffs"])
    assert view["rows"] == made["rows"] and view["bytes"] > 0 and 0 < view["rows_read"] <= 40_000
    assert items["model", "purchase_propensity"]["rows_read"] == steps["train", "purchase_propensity"]["rows"]
    assert items["predictions", PREDICTIONS]["rows"] == steps["predict", "purchase_propensity"]["rows"]
    # What was foretold is what the run made, and nothing more.
    made = {(step["step"], step["object"]) for step in steps.values() if step["status"] != "fresh"}
    assert made == {("apply", "retail"), ("backfill", RFM), ("train", "purchase_propensity"), ("predict", "purchase_propensity")}


def test_words_about_a_view_make_nothing_stale(viand, repo):
    edit(repo, f"- name: {RFM}", f"- name: {RFM}\n    description: What a customer is worth\n    owner: crm")
    plan = viand.json(repo, "plan")
    assert [field["path"] for field in changes(plan)["change", "feature view", RFM]["fields"]] == ["description", "owner"]
    assert plan["work"] == []


def test_a_dataset_reaches_columns_and_everything_below_it(viand, repo):
    edit(repo, "revenue: Quantity * UnitPrice", "revenue: round(Quantity * UnitPrice, 2)")
    plan = viand.json(repo, "plan")
    change = changes(plan)["change", "dataset", "transactions"]
    assert f"{RFM}:monetary" in change["columns"]
    assert "labels purchased_30d" in change["dependants"] and f"predictions {PREDICTIONS}" in change["dependants"]
    items = work(plan)
    assert [kind for kind, _ in items] == ["dataset", "feature view", "feature view", "model", "predictions"]
    assert items["dataset", "transactions"]["bytes_read"] == (repo / "data" / "online_retail.xlsx").stat().st_size
    for item in items.values():
        assert item["cutoffs"] == item["cutoffs_all"]


def test_a_feature_that_goes_needs_a_new_version_or_force(viand, repo):
    edit(repo, "      frequency: count(distinct invoice_no)\n", "")
    code, out, error = viand.call(repo, "apply", "--yes")
    assert code == 1 and "breaking: feature \"frequency\" is removed" in out
    assert f"write `version: v1` in the definition of \"{RFM}\"" in error and "--force" in error
    assert viand.json(repo, "plan")["needs_force"]
    forced = shutil.copytree(repo, repo.parent / "forced", symlinks=True)
    viand.json(forced, "apply", "--force", "--yes")
    assert not viand.json(forced, "plan")["has_effect"]
    edit(repo, f"- name: {RFM}", f"- name: {RFM}\n    version: v1")
    assert not viand.json(repo, "plan")["needs_force"]
    viand.json(repo, "apply", "--yes")
    assert not viand.json(repo, "plan")["has_effect"]


def test_what_others_wrote_is_drift_and_can_be_set_right(viand, repo):
    registry = sqlite3.connect(repo / "data" / "registry.db")
    content = registry.execute("select feature_view_proto from feature_views where feature_view_name = ?", (RFM,)).fetchone()[0]
    # The description is field 10 of the spec: another client wrote one.
    words = b"\x52\x05other"
    spec_size = content[1] & 0x7F | content[2] << 7
    changed = content[:3 + spec_size] + words + content[3 + spec_size:]
    size = spec_size + len(words)
    changed = bytes([content[0], size & 0x7F | 0x80, size >> 7]) + changed[3:]
    registry.execute("update feature_views set feature_view_proto = ? where feature_view_name = ?", (changed, RFM))
    registry.commit()
    plan = viand.json(repo, "plan")
    change = changes(plan)["drift", "feature view", RFM]
    assert change["fields"] == [{"path": "description", "before": "other", "after": ""}]
    code, out, _ = viand.call(repo, "plan")
    assert code == 0 and f"! feature view {RFM}" in out and "changed in the registry by somebody else" in out
    viand.json(repo, "apply")
    assert not viand.json(repo, "plan")["has_effect"]


def test_dry_run_changes_nothing(viand, repo):
    edit(repo, "monetary: sum(revenue)", "monetary: avg(revenue)")
    before = (repo / "data" / "registry.db").read_bytes()
    code, out, _ = viand.call(repo, "apply", "--dry-run")
    assert code == 0 and out.endswith("nothing is applied: --dry-run\n")
    assert viand.json(repo, "apply", "--dry-run") == viand.json(repo, "plan")
    assert (repo / "data" / "registry.db").read_bytes() == before


WARNED = """entities: [{name: user, join_keys: [user_id]}]
datasets:
  - {name: raw, from: {path: raw.csv, types: {user_id: bigint, at: timestamp, churned: bigint}}, to: data/raw.parquet}
sources: [{name: events, path: data/raw.parquet, timestamp_field: at}]
snapshots: [{name: daily, source: events, first: start + 1d, last: end, every: 1d}]
feature_views:
  - {name: kept, entities: [user], source: events, snapshots: daily, window: 1d, ttl: 0d, features: {n: count(*), unread: count(*)}}
labels: [{name: churn, population: kept, source: events, window: 1d following, columns: {churned: max(churned)}}]
feature_services: [{name: service, features: ["kept:n"]}]
"""


def test_warnings(viand, tmp_path):
    (tmp_path / "feature_store.yaml").write_text(store_config("warned"))
    (tmp_path / "definitions.yaml").write_text(WARNED)
    (tmp_path / "raw.csv").write_text("user_id,at,churned\n1,2026-01-01,0\n1,2026-01-04,0\n")
    viand.json(tmp_path, "ingest")
    assert [warning.split(": ", 1)[1] for warning in viand.json(tmp_path, "plan")["warnings"]] == [
        'feature view "kept": with ttl 0d a key that has lapsed keeps its last values for ever; without a ttl they last one step of the grid',
        'feature view "kept": no feature service uses unread',
        'labels "churn": "churned" is also a column of the source "events" of feature view "kept"']
