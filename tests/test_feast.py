"""The real Feast and viand on one registry: what either wrote the other reads, with the same training set.

Feast runs in a virtual environment of its own (./dev test makes it), one process for all calls: its start costs seconds.
"""

import datetime
import decimal
import json
import os
import shutil
import subprocess
import textwrap
import uuid

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import ROOT
from postgres_server import PostgresServer

FEAST = ROOT / ".venv-feast" / "bin" / "python"

# Reads a line {"repo", "code"}, runs the code with a FeatureStore of that repo, prints what it left in `result`.
SERVER = """
import json, os, sys, traceback, warnings
warnings.simplefilter("ignore")
import pandas as pd
from feast import FeatureStore
from feast.repo_operations import apply_total
from feast.repo_config import load_repo_config
from pathlib import Path
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

def apply(repo):
    here, names = os.getcwd(), set(sys.modules)
    os.chdir(repo)
    try:
        apply_total(load_repo_config(Path(repo), Path(repo) / "feature_store.yaml"), Path(repo), False)
    finally:
        os.chdir(here)
        for name in set(sys.modules) - names:
            sys.modules.pop(name, None)
        sys.path[:] = [path for path in sys.path if path != str(repo)]

for line in sys.stdin:
    call = json.loads(line)
    scope = {"repo": call["repo"], "apply": apply, "pd": pd, "FeatureStore": FeatureStore, "result": None}
    try:
        if call["store"]:
            os.chdir(call["repo"])
            scope["store"] = FeatureStore(call["repo"])
        exec(call["code"], scope)
        reply = {"result": scope["result"]}
    except Exception:
        reply = {"error": traceback.format_exc()}
    print(json.dumps(reply, default=str), file=out, flush=True)
"""


class Feast:
    def __init__(self):
        assert FEAST.exists(), "Feast is missing: ./dev test installs it in .venv-feast"
        environment = dict(os.environ, FEAST_USAGE="False", TZ="UTC")
        self.process = subprocess.Popen([FEAST, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment)

    def __call__(self, repo, code, store=True):
        self.process.stdin.write(json.dumps({"repo": str(repo), "code": textwrap.dedent(code), "store": store}) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        assert "error" not in reply, reply["error"]
        return reply["result"]

    def historical(self, repo, features, offline_store, spine="spine.parquet"):
        """The training set of plain Feast, with no viand running."""
        config = repo / "feature_store.yaml"
        kept = config.read_text()
        config.write_text(kept.replace("type: duckdb", f"type: {offline_store}"))
        try:
            self(repo, f"""
                spine = pd.read_parquet(repo + "/" + {spine!r})
                wanted = {features!r}
                wanted = store.get_feature_service(wanted) if isinstance(wanted, str) else wanted
                store.get_historical_features(spine, wanted, full_feature_names=True).to_df().to_parquet(repo + "/feast.parquet")
            """)
        finally:
            config.write_text(kept)
        return pd.read_parquet(repo / "feast.parquet")


@pytest.fixture(scope="module")
def feast():
    feast = Feast()
    yield feast
    feast.process.stdin.close()
    feast.process.wait()


def config(project, registry):
    return f"""project: {project}
provider: local
registry: {{registry_type: sql, path: "sqlite:////{registry}"}}
offline_store: {{type: duckdb}}
online_store: {{type: sqlite, path: online.db}}
entity_key_serialization_version: 3
"""


VIAND = """entities:
  - {name: user, join_keys: [user_id], value_type: INT64, description: Somebody, owner: crm}
sources:
  - {name: events, path: events.parquet, timestamp_field: at, created_timestamp_column: made, description: What happened, tags: {team: x}}
snapshots: [{name: daily, source: events, first: start + 1d, last: end, every: 1d}]
feature_views:
  - {name: activity, description: What they do, owner: ann, tags: {team: x}, entities: [user], source: events, snapshots: daily, window: 7d, ttl: 2d,
     features: {spent: sum(amount), n: {expr: count(*), description: How many}}}
  - {name: stored, entities: [user], source: events, schema: [{name: amount, dtype: Float64}, {name: kind, dtype: String}], ttl: 3d}
feature_services:
  - {name: both, features: [activity, {view: stored, features: [amount], alias: last, join_key_map: {user_id: buyer_id}}], description: Two}
  - {name: own, features: [activity, "stored:kind"]}
"""

DEFINITIONS = """
from datetime import timedelta
import pandas as pd
from feast import (BatchFeatureView, Entity, FeatureService, FeatureView, Field, FileSource, KafkaSource, PushSource, RequestSource,
                   ValueType)
from feast.data_format import JsonFormat
from feast.on_demand_feature_view import on_demand_feature_view
from feast.stream_feature_view import StreamFeatureView
from feast.types import Float64, Int64, String

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64, description="Feast's user", tags={"of": "feast"})
events = FileSource(name="events", path="%(folder)s/events.parquet", timestamp_field="at", created_timestamp_column="made")
mapped = FileSource(name="mapped", path="%(folder)s/events.parquet", timestamp_field="at", created_timestamp_column="made",
                    field_mapping={"amount": "spent"})
push = PushSource(name="pushed", batch_source=events)
kafka = KafkaSource(name="kafka", kafka_bootstrap_servers="localhost:9", topic="t", timestamp_field="at", batch_source=events,
                    message_format=JsonFormat(schema_json="user_id long"), watermark_delay_threshold=timedelta(minutes=1))
amounts = FeatureView(name="amounts", entities=[user], ttl=timedelta(days=3), source=events, online=True, owner="bob", tags={"tier": "gold"},
                      schema=[Field(name="amount", dtype=Float64, description="Euros"), Field(name="kind", dtype=String)])
renamed = FeatureView(name="renamed", entities=[user], ttl=timedelta(0), source=mapped, schema=[Field(name="spent", dtype=Float64)])
from_push = FeatureView(name="from_push", entities=[user], ttl=timedelta(days=1), source=push, schema=[Field(name="amount", dtype=Float64)])
batch = BatchFeatureView(name="batch", entities=[user], ttl=timedelta(days=9), mode="python", source=events, schema=[Field(name="kind", dtype=String)])
stream = StreamFeatureView(name="stream", entities=[user], ttl=timedelta(days=2), source=kafka, schema=[Field(name="amount", dtype=Float64)],
                           timestamp_field="at", aggregations=[], mode="spark")
request = RequestSource(name="request", schema=[Field(name="factor", dtype=Float64)])

@on_demand_feature_view(sources=[amounts, request], schema=[Field(name="scaled", dtype=Float64)])
def scaled(inputs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"scaled": inputs["amount"] * inputs["factor"]})

service = FeatureService(name="of_feast", features=[amounts[["amount"]], renamed.with_name("other").with_join_key_map({"user_id": "buyer_id"})],
                         description="Feast's service", tags={"of": "feast"})
"""


def make_data(folder):
    times = pd.date_range("2026-01-01", periods=80, freq="5h", tz="UTC").as_unit("us")
    events = pd.DataFrame({"user_id": [1, 2, 3, 1] * 20, "at": times, "made": times + pd.Timedelta("1min"),
                           "amount": [float(i * 7 % 31) for i in range(80)], "kind": ["a", None, "b", "c"] * 20})
    # Ties on the event time are told by the created time.
    tie = events.tail(3).copy()
    tie["made"] += pd.Timedelta("1h")
    tie["amount"] += 100
    pd.concat([events, tie]).to_parquet(folder / "events.parquet")
    spine = pd.DataFrame({"user_id": [1, 2, 3, 4, 1, 2], "buyer_id": [2, 1, 4, 3, 1, 1],
                          "event_timestamp": times[[20, 33, 47, 60, 79, 79]] + pd.Timedelta("90min"), "label": range(6)})
    spine.to_parquet(folder / "spine.parquet")
    # Feast's file store fails on a key that a view lacks, and drops rows of one key and time.
    present = spine[spine["label"].isin([0, 1, 2, 4])]
    present.assign(buyer_id=[2, 1, 1, 3]).to_parquet(folder / "present.parquet")


def same(viand_table, feast_table, columns):
    """Feast promises no order; each row has a label of its own."""
    left = viand_table.sort_values("label").reset_index(drop=True)
    right = feast_table.sort_values("label").reset_index(drop=True)
    assert len(left) == len(right)
    for column in columns:
        pd.testing.assert_series_equal(left[column], right[column], check_dtype=False, check_names=False)


def retrieve(viand, repo, *arguments, spine="spine.parquet"):
    viand.json(repo, "historical", "--spine", repo / spine, *arguments, "--full-feature-names", "-o", repo / "viand.parquet", "--manifest", "none")
    return pd.read_parquet(repo / "viand.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def ours(viand, folder):
    """A repo that viand has applied and computed, in a registry that others share."""
    repo = folder / "ours"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(config("ours", folder / "registry.db"))
    (repo / "definitions.yaml").write_text(VIAND)
    make_data(repo)
    viand.json(repo, "run")
    return repo


@pytest.fixture(scope="module")
def theirs(feast, ours, folder):
    """A repo that Feast has applied, in another project of the same registry."""
    repo = folder / "theirs"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(config("theirs", folder / "registry.db"))
    make_data(repo)
    (repo / "definitions.py").write_text(DEFINITIONS % {"folder": repo})
    feast(repo, "apply(repo)", store=False)
    return repo


def test_feast_lists_and_describes_what_viand_applied(feast, ours):
    seen = feast(ours, """
        result = {"entities": [(e.name, e.join_key, e.description, e.owner) for e in store.list_entities()],
                  "sources": [s.name for s in store.list_data_sources()],
                  "views": {v.name: [(f.name, str(f.dtype)) for f in v.features] for v in store.list_feature_views()},
                  "services": sorted(s.name for s in store.list_feature_services()),
                  "activity": (store.get_feature_view("activity").description, store.get_feature_view("activity").owner,
                               store.get_feature_view("activity").tags["team"], store.get_feature_view("activity").ttl.days),
                  "n": [f.description for f in store.get_feature_view("activity").features if f.name == "n"],
                  "versions": [v["version"] for v in store.registry.list_feature_view_versions("activity", "ours")]}
    """)
    assert seen["entities"] == [["user", "user_id", "Somebody", "crm"]] and seen["sources"] == ["events"]
    assert seen["views"] == {"activity": [["spent", "Float64"], ["n", "Int64"]], "stored": [["amount", "Float64"], ["kind", "String"]]}
    assert seen["services"] == ["both", "own"] and seen["activity"] == ["What they do", "ann", "x", 2]
    assert seen["n"] == ["How many"] and seen["versions"] == ["v0"]


@pytest.mark.parametrize("features", [["activity:spent", "activity:n"], ["stored:amount", "stored:kind"], "both", "own"])
@pytest.mark.parametrize("offline_store", ["duckdb", "file"])
def test_plain_feast_gets_the_same_training_set(feast, viand, ours, features, offline_store):
    spine = "spine.parquet" if offline_store == "duckdb" else "present.parquet"
    theirs = feast.historical(ours, features, offline_store, spine)
    arguments = ["--service", features] if isinstance(features, str) else ["--features", ",".join(features)]
    table = retrieve(viand, ours, *arguments, spine=spine)
    columns = [column for column in table.columns if column not in ("user_id", "buyer_id", "event_timestamp", "label")]
    if offline_store == "file":
        # Feast's file store drops a row whose features have all expired.
        table = table[table["label"].isin(theirs["label"])]
        assert len(table) >= 3
    assert columns and all(table[column].notna().any() for column in columns)
    same(table, theirs, columns)


def test_feast_reads_the_version_that_a_reference_names(feast, viand, ours, tmp_path):
    repo = shutil.copytree(ours, tmp_path / "versioned", symlinks=True)
    (repo / "feature_store.yaml").write_text(config("versioned", tmp_path / "registry.db").replace(
        "registry_type: sql,", "registry_type: sql, enable_online_feature_view_versioning: true,"))
    viand.json(repo, "run")
    before = retrieve(viand, repo, "--features", "activity:spent")["activity__spent"]
    text = (repo / "definitions.yaml").read_text()
    (repo / "definitions.yaml").write_text(text.replace("spent: sum(amount)", "spent: max(amount)"))
    viand.json(repo, "run")
    old = retrieve(viand, repo, "--features", "activity@v0:spent")
    assert old["activity@v0__spent"].equals(before)
    assert not retrieve(viand, repo, "--features", "activity:spent")["activity__spent"].equals(before)
    for version, expected in (("v0", old), ("v1", retrieve(viand, repo, "--features", "activity@v1:spent"))):
        theirs = feast.historical(repo, [f"activity@{version}:spent"], "duckdb")
        name = f"activity@{version}__spent"
        same(expected, theirs.rename(columns={theirs.columns[-1]: name}), [name])


def test_viand_lists_what_feast_applied(viand, theirs):
    listed = {(entry["kind"], entry["name"]): entry for entry in viand.json(theirs, "list")}
    assert set(listed) >= {("entities", "user"), ("sources", "events"), ("sources", "pushed"), ("sources", "kafka"), ("sources", "request"),
                           ("feature-views", "amounts"), ("feature-views", "renamed"), ("feature-views", "from_push"),
                           ("feature-views", "batch"), ("stream-feature-views", "stream"), ("on-demand-feature-views", "scaled"),
                           ("feature-services", "of_feast")}
    assert not any(entry["in_repo"] for entry in listed.values())
    assert [entry["name"] for entry in viand.json(theirs, "list", "--tag", "tier=gold")] == ["amounts"]
    assert viand.json(theirs, "search", "euros")[0]["matched"] == ["description of amount"]
    facts = {fact["fact"]: fact["value"] for fact in viand.json(theirs, "describe", "feature-view", "amounts")["facts"]}
    assert facts["owner"] == "bob" and facts["ttl"] == "3d"


def test_viand_plans_over_it_without_touching_it(viand, theirs, folder):
    before = (folder / "registry.db").read_bytes()
    plan = viand.json(theirs, "plan")
    assert [change["action"] for change in plan["changes"] if change["kind"] != "project"] == []
    assert not plan["has_removal"] and (folder / "registry.db").read_bytes() == before


@pytest.mark.parametrize("features, columns", [
    (["amounts:amount", "amounts:kind"], ["amounts__amount", "amounts__kind"]), (["renamed:spent"], ["renamed__spent"]),
    (["from_push:amount"], ["from_push__amount"]), (["batch:kind"], ["batch__kind"]), (["stream:amount"], ["stream__amount"]),
    ("of_feast", ["amounts__amount", "other__spent"])])
def test_viand_retrieves_from_views_that_only_feast_has_written(feast, viand, theirs, features, columns):
    arguments = ["--service", features] if isinstance(features, str) else ["--features", ",".join(features)]
    table = retrieve(viand, theirs, *arguments)
    assert list(table.columns[4:]) == columns
    if features == ["stream:amount"]:
        # Feast reads a stream view through its own engine; the batch source is that of `amounts`, the ttl a day less.
        of_amounts = retrieve(viand, theirs, "--features", "amounts:amount")["amounts__amount"]
        found = table["stream__amount"].notna()
        assert found.sum() >= 3 and table["stream__amount"][found].equals(of_amounts[found])
        return
    same(table, feast.historical(theirs, features, "duckdb"), columns)


def test_what_only_feast_can_compute_is_told(viand, theirs):
    code, _, error = viand.call(theirs, "historical", "--spine", theirs / "spine.parquet", "--features", "scaled:scaled", "-o", theirs / "x.csv")
    assert (code, error) == (2, 'error: "scaled" is an on demand feature view: its Python function runs in Feast only\n'
                                "  hint: ask for the features that it is computed from\n")


def test_import_makes_definitions_that_change_nothing_but_whose_they_are(feast, viand, theirs, tmp_path):
    text = viand.call(theirs, "import")[1]
    assert "# not imported: on demand feature view scaled" in text and "# not imported: data source kafka" in text
    assert "# not imported: stream feature view stream" in text
    repo = tmp_path / "imported"
    shutil.copytree(theirs, repo)
    shutil.copy(theirs.parent / "registry.db", tmp_path / "registry.db")
    (repo / "feature_store.yaml").write_text(config("theirs", tmp_path / "registry.db"))
    code, out, error = viand.call(repo, "import", "-o", repo / "imported.yaml")
    assert code == 0, error
    plan = viand.json(repo, "plan")
    changed = [change for change in plan["changes"] if change["action"] not in ("unchanged",)]
    for change in changed:
        assert not change["breaking"] and change["new_version"] == "", change
        assert change["action"] in ("drift", "change", "add"), change
    table = retrieve(viand, theirs, "--service", "of_feast")
    viand.json(repo, "apply", "--yes")
    pd.testing.assert_frame_equal(retrieve(viand, repo, "--service", "of_feast"), table)
    # Named objects, and what cannot be.
    assert viand.call(theirs, "import", "renamed")[1].count("- name: renamed") == 1
    code, _, error = viand.call(theirs, "import", "nobody")
    assert code == 2 and 'the registry has no "nobody" that the repo does not define' in error
    code, _, error = viand.call(theirs, "import", "scaled")
    assert code == 2 and "runs in Feast only" in error


COMPARED = """
def said(message):
    spec = message.to_proto()
    spec = spec.spec if hasattr(spec, "spec") else spec
    spec = type(spec).FromString(spec.SerializeToString())
    for key in [key for key in spec.tags if key.startswith("viand.")]:
        del spec.tags[key]
    for source in [getattr(spec, "batch_source", None), *[p.batch_source for p in getattr(spec, "features", []) if hasattr(p, "batch_source")]]:
        if source is not None:
            for name in ("meta", "project", "data_source_class_type"):
                source.ClearField(name)
            for key in [key for key in source.tags if key.startswith("viand.")]:
                del source.tags[key]
    for name in ("project", "meta", "data_source_class_type"):
        if name in spec.DESCRIPTOR.fields_by_name:
            spec.ClearField(name)
    for projection in getattr(spec, "features", []):
        for name in ("timestamp_field", "created_timestamp_column", "view_type", "date_partition_column"):
            if name in projection.DESCRIPTOR.fields_by_name:
                projection.ClearField(name)
    return str(spec)
result = {kind: {o.name: said(o) for o in getattr(store, "list_" + kind)()} for kind in
          ("entities", "data_sources", "feature_views", "feature_services")}
"""


def test_export_is_a_program_that_makes_feast_apply_the_same(feast, viand, ours, tmp_path):
    repo = tmp_path / "exported"
    repo.mkdir()
    code, out, error = viand.call(ours, "export", "--format", "feast-python", "-o", repo / "definitions.py")
    assert code == 0, error
    (repo / "feature_store.yaml").write_text(config("ours", tmp_path / "registry.db"))
    feast(repo, "apply(repo)", store=False)
    exported, applied = feast(repo, COMPARED), feast(ours, COMPARED)
    for kind in ("entities", "feature_views", "feature_services"):
        assert exported[kind] == applied[kind], kind
    assert exported["data_sources"]["events"] == applied["data_sources"]["events"]
    make_data(repo)
    same(retrieve(viand, ours, "--service", "both"), feast.historical(repo, "both", "duckdb"), ["activity__spent", "activity__n", "last__amount"])


def test_export_of_what_feast_applied_is_applied_again(feast, viand, theirs, tmp_path):
    repo = tmp_path / "again"
    repo.mkdir()
    assert viand.call(theirs, "export", "--format", "feast-python", "-o", repo / "definitions.py")[0] == 0
    assert "# not written: on demand feature view scaled" in (repo / "definitions.py").read_text()
    (repo / "feature_store.yaml").write_text(config("theirs", tmp_path / "registry.db"))
    feast(repo, "apply(repo)", store=False)
    exported, applied = feast(repo, COMPARED), feast(theirs, COMPARED)
    assert exported["entities"] == applied["entities"] and exported["feature_services"] == applied["feature_services"]
    for view in ("amounts", "renamed"):
        assert exported["feature_views"][view] == applied["feature_views"][view]


def test_export_as_yaml_is_the_repo_again(viand, ours, tmp_path):
    repo = shutil.copytree(ours, tmp_path / "yaml", symlinks=True)
    viand.json(repo, "apply")
    assert viand.call(repo, "export", "-o", repo / "all.yml.txt")[0] == 0
    (repo / "all.yml.txt").rename(repo / "definitions.yaml")
    assert not viand.json(repo, "plan")["has_effect"]
    code, _, error = viand.call(repo, "export", "--format", "yml")
    assert (code, error) == (2, 'error: unknown format "yml" of an export\n  hint: did you mean "yaml"?\n')


OTHER_KINDS = """
import warnings
warnings.simplefilter("ignore")
import pandas as pd
from datetime import timedelta
from feast import BigQuerySource, Entity, FeatureView, Field, FileSource, RedshiftSource, SnowflakeSource, ValueType
from feast.data_source import KinesisSource
from feast.data_format import JsonFormat
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from feast.labeling import LabelView
from feast.permissions.action import AuthzedAction
from feast.permissions.permission import Permission
from feast.permissions.policy import RoleBasedPolicy
from feast.protos.feast.core.ValidationProfile_pb2 import ValidationReference
from feast.types import Array, Decimal, Float64, Json, Map, String, Struct, Int64, Uuid

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
typed = FileSource(name="typed", path=repo + "/typed.parquet", timestamp_field="at")
views = {"price": Decimal, "words": Array(String), "pairs": Map, "inner": Struct({"a": Int64, "b": String}), "document": Json, "id": Uuid}
store.apply([user, typed, *[FeatureView(name="of_" + column, entities=[user], ttl=timedelta(days=9), source=typed, schema=[Field(name=column, dtype=dtype)])
                            for column, dtype in views.items()],
             LabelView(name="judged", entities=[user], source=typed, schema=[Field(name="price", dtype=Float64), Field(name="labeler", dtype=String)],
                       description="What people said"),
             Permission(name="readers", types=[FeatureView], policy=RoleBasedPolicy(roles=["r"]), actions=[AuthzedAction.DESCRIBE], tags={"team": "x"}),
             KinesisSource(name="kinesis", timestamp_field="at", record_format=JsonFormat(schema_json="x"), region="eu", stream_name="s", batch_source=typed)])
for source in (BigQuerySource(name="bigquery", table="p.d.t", timestamp_field="at"), RedshiftSource(name="redshift", table="t", timestamp_field="at"),
               SnowflakeSource(name="snowflake", table="t", database="d", timestamp_field="at")):
    store.registry.apply_data_source(source, store.project)
    store.registry.apply_feature_view(FeatureView(name="in_" + source.name, entities=[user], source=source, schema=[Field(name="x", dtype=Float64)]), store.project)
job = store.get_historical_features(pd.read_parquet(repo + "/spine.parquet"), ["of_price:price"])
store.create_saved_dataset(from_=job, name="kept", storage=SavedDatasetFileStorage(path=repo + "/kept.parquet"), tags={"team": "x"}, allow_overwrite=True)
# Feast makes its own of these with great_expectations alone.
import sqlite3
message = ValidationReference(name="checked", reference_dataset_name="kept", project=store.project, description="As it was in May")
connection = sqlite3.connect(repo + "/registry.db")
connection.execute("insert into validation_references values ('checked', ?, 1, ?)", (store.project, message.SerializeToString()))
connection.commit()
connection.close()
"""


@pytest.fixture(scope="module")
def others(feast, folder):
    """A repo of Feast's with the kinds of objects and types that are Feast's alone."""
    repo = folder / "others"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(config("others", repo / "registry.db"))
    times = pd.date_range("2026-01-01", periods=40, freq="5h", tz="UTC").as_unit("us")
    pq.write_table(pa.table({
        "user_id": pa.array([1, 2, 3, 1] * 10), "at": pa.array(times),
        "price": pa.array([decimal.Decimal(i) / 4 for i in range(40)], pa.decimal128(18, 4)),
        "words": pa.array([[str(i), "x"] for i in range(40)]), "document": pa.array([json.dumps({"i": i}) for i in range(40)]),
        "pairs": pa.array([[("k", str(i))] for i in range(40)], pa.map_(pa.string(), pa.string())),
        "inner": pa.array([{"a": i, "b": str(i)} for i in range(40)], pa.struct([("a", pa.int64()), ("b", pa.string())])),
        "id": pa.array([str(uuid.UUID(int=i)) for i in range(40)]),
        "clock": pa.array([datetime.time(i % 24) for i in range(40)], pa.time64("us"))}), repo / "typed.parquet")
    pd.DataFrame({"user_id": [1, 2, 9], "event_timestamp": times[[20, 30, 35]], "label": [0, 1, 2]}).to_parquet(repo / "spine.parquet")
    feast(repo, OTHER_KINDS)
    return repo


def test_kinds_that_are_feast_s_alone_are_listed_and_described(viand, others):
    before = (others / "registry.db").read_bytes()
    listed = {(entry["kind"], entry["name"]): entry["summary"] for entry in viand.json(others, "list")}
    assert listed["label-views", "judged"] == f"2 features of user from {others}/typed.parquet"
    assert listed["saved-datasets", "kept"] == f"1 feature by user_id in {others}/kept.parquet"
    assert listed["validation-references", "checked"] == "of saved dataset kept"
    assert listed["permissions", "readers"] == "DESCRIBE" and listed["sources", "kinesis"] == "STREAM_KINESIS"
    assert listed["sources", "bigquery"] == "BATCH_BIGQUERY" and listed["feature-views", "in_snowflake"].endswith("from BATCH_SNOWFLAKE")
    assert {entry["name"] for entry in viand.json(others, "list", "--tag", "team=x")} == {"kept", "readers"}
    assert [entry["name"] for entry in viand.json(others, "list", "projects")] == ["others"]
    facts = {fact["fact"]: fact["value"] for fact in viand.json(others, "describe", "validation-reference", "checked")["facts"]}
    assert facts["description"] == "As it was in May" and facts["defined at"] == "the registry only"
    plan = viand.json(others, "plan")
    assert not plan["has_removal"] and {change["kind"] for change in plan["changes"]} == {"project"}
    assert (others / "registry.db").read_bytes() == before


@pytest.mark.parametrize("column", ["price", "words", "pairs", "inner", "document", "id"])
def test_types_that_pass_through(feast, viand, others, column):
    retrieve(viand, others, "--features", f"of_{column}")
    stored = pq.read_table(others / "typed.parquet").to_pylist()
    expected = [[row[column] for row in stored if row["user_id"] == user][place] for user, place in ((1, 10), (2, 7))]
    assert pq.read_table(others / "viand.parquet").column(f"of_{column}__{column}").to_pylist() == [*expected, None]


def test_what_cannot_be_read_says_why(viand, others):
    for name, expected in (("judged", '"judged" is a label view; a label is never a feature'),
                           ("in_bigquery", "its source is a BATCH_BIGQUERY, and viand reads files"),
                           ("of_pric", 'unknown feature view "of_pric"\n  hint: did you mean "of_price"?')):
        code, _, error = viand.call(others, "historical", "--spine", others / "spine.parquet", "--features", name, "-o", others / "x.csv")
        assert code != 0 and expected in error, error


def test_imported_types_stay_what_feast_calls_them(feast, viand, others, tmp_path):
    repo = shutil.copytree(others, tmp_path / "imported")
    (repo / "feature_store.yaml").write_text(config("others", repo / "registry.db"))
    assert viand.call(repo, "import", "-o", repo / "imported.yaml")[0] == 0
    viand.json(repo, "apply", "--yes")
    types = feast(repo, "result = {v.name: str(v.features[0].dtype) for v in store.list_feature_views() if v.name.startswith('of_')}")
    assert types == feast(others, "result = {v.name: str(v.features[0].dtype) for v in store.list_feature_views() if v.name.startswith('of_')}")
    text = (repo / "imported.yaml").read_text()
    (repo / "imported.yaml").write_text(text.replace("dtype: UUID", "dtype: Float64"))
    code, _, error = viand.call(repo, "plan")
    assert code == 1 and 'the feature "id" is declared DOUBLE' in error
    (repo / "imported.yaml").write_text(text.replace("{name: id, dtype: UUID}", "clock"))
    code, _, error = viand.call(repo, "plan")
    assert code == 1 and "Feast has no type for time64[us]" in error


def test_columns_are_named_as_feast_names_them(feast, viand, ours):
    repo = ours
    for full in (False, True):
        names = feast(repo, f"""
            spine = pd.read_parquet(repo + "/spine.parquet")
            result = list(store.get_historical_features(spine, store.get_feature_service("both"), full_feature_names={full}).to_df().columns)
        """)
        viand.json(repo, "historical", "--spine", repo / "spine.parquet", "--service", "both", "-o", repo / "named.parquet", "--manifest", "none",
                   *(["--full-feature-names"] if full else []))
        assert sorted(pd.read_parquet(repo / "named.parquet").columns) == sorted(names)


@pytest.mark.parametrize("template", ["minimal", "retail"])
def test_plain_feast_opens_a_new_repo_as_it_is(feast, viand, tmp_path, template):
    repo = tmp_path / "new"
    assert viand.call(tmp_path, "init", repo, "--template", template)[0] == 0
    viand.json(repo, "apply")
    defined = {entry["name"] for entry in viand.json(repo, "list", "feature-views")}
    assert set(feast(repo, "result = [v.name for v in store.list_feature_views()]")) == defined


def test_both_in_one_registry_in_turns_lose_nothing(feast, viand, ours, theirs):
    listing = 'result = sorted(v.name for v in store.list_feature_views())'
    for turn in range(2):
        text = (ours / "definitions.yaml").read_text()
        (ours / "definitions.yaml").write_text(text.replace("description: What they do", f"description: What they do {turn}", 1) if turn == 0
                                               else text.replace("What they do 0", "What they do"))
        assert viand.json(ours, "apply")["has_effect"]
        definitions = (theirs / "definitions.py").read_text()
        (theirs / "definitions.py").write_text(definitions.replace('owner="bob"', f'owner="bob{turn}"') if turn == 0
                                               else definitions.replace('owner="bob0"', 'owner="bob"'))
        feast(theirs, "apply(repo)", store=False)
        assert feast(ours, listing) == ["activity", "stored"]
        assert feast(theirs, listing) == ["amounts", "batch", "from_push", "renamed"]
        assert not viand.json(ours, "plan")["has_effect"]
        assert [entry["version"] for entry in viand.json(ours, "history", "activity")][0] == "v0"
        assert feast(theirs, 'result = store.get_feature_view("amounts").owner') == ("bob0" if turn == 0 else "bob")


@pytest.fixture(scope="module")
def server():
    server = PostgresServer()
    yield server
    server.close()


@pytest.mark.parametrize("backend", ["postgres", "file"])
def test_turns_in_other_registries(feast, viand, server, tmp_path, backend):
    registry = f'{{registry_type: sql, path: "{server.url(server.new_database())}"}}' if backend == "postgres" else f"{tmp_path}/shared.db"
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for repo in (ours, theirs):
        repo.mkdir()
        text = config(repo.name, "x").splitlines()
        (repo / "feature_store.yaml").write_text("\n".join(f"registry: {registry}" if line.startswith("registry:") else line for line in text))
        make_data(repo)
    (ours / "definitions.yaml").write_text(VIAND)
    (theirs / "definitions.py").write_text(DEFINITIONS % {"folder": theirs})
    listing = "result = sorted(v.name for v in store.list_feature_views())"
    for turn in range(2):
        text = VIAND.replace("What they do", f"What they do {turn}")
        (ours / "definitions.yaml").write_text(text)
        viand.json(ours, "run")
        (theirs / "definitions.py").write_text((DEFINITIONS % {"folder": theirs}).replace('owner="bob"', f'owner="bob{turn}"'))
        feast(theirs, "apply(repo)", store=False)
        assert feast(ours, listing) == ["activity", "stored"] and feast(theirs, listing) == ["amounts", "batch", "from_push", "renamed"]
        assert not viand.json(ours, "plan")["has_effect"] and not viand.json(theirs, "plan")["has_removal"]
        assert feast(ours, 'result = store.get_feature_view("activity").description') == f"What they do {turn}"
        assert feast(theirs, 'result = store.get_feature_view("amounts").owner') == f"bob{turn}"
    same(retrieve(viand, ours, "--service", "both"), feast.historical(ours, "both", "duckdb"), ["activity__spent", "activity__n", "last__amount"])
    same(retrieve(viand, theirs, "--service", "of_feast"), feast.historical(theirs, "of_feast", "duckdb"), ["amounts__amount", "other__spent"])
