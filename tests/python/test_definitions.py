"""Definitions in Python: Feast's names and arguments, what YAML they are, and what is refused where they are made."""

import importlib
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pytest

from conftest import EXAMPLE
from definitions_fixture import exported, make_repo, python_of_the_program  # noqa: F401

import viand
from viand import (Dataset, Entity, FeatureService, FeatureView, Field, FileSource, Labels, Model, ParquetFormat, PushSource, Snapshots, Spine,
                   ValueType, col, count, to_yaml)
from viand.types import Array, Float64, Int64, String, UnixTimestamp, from_value_type

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64, description="Somebody", owner="crm", tags={"team": "x", "on": "yes"})
events = FileSource(name="events", path="data/events.parquet", timestamp_field="at", created_timestamp_column="made")
daily = Snapshots(name="daily", source=events, first="start + 1d", last=datetime(2026, 1, 1, 0, 30), every=timedelta(hours=36))
spent = FeatureView(name="spent", entities=[user], source=events, window="7d", features={"total": col("amount").sum()})


EVERY_KEY = """\
entities:
  - name: user
    description: Somebody
    owner: crm
    tags: {team: x, "on": "yes"}
    join_keys: [user_id]
    value_type: INT64
  - name: pair
    join_keys: [a, b]
    value_types: [INT64, STRING]

datasets:
  - name: book
    from:
      path: x.xlsx
      sheet: "0"
    to: data/book.parquet
  - name: raw
    from:
      path: [b.csv, a b/*.csv]
      format: csv
      delimiter: tab
      types: {a: bigint, b c: varchar}
    on_error: skip
    where: "a > 0 and \\"b c\\" <> 'x, y'"
    columns:
      a: a
      at: "cast(\\"b c\\" as timestamp)"
    to: data/raw.parquet
    sort_by: at

sources:
  - name: remote
    path: "s3://bucket/x"
    timestamp_field: at
    field_mapping: {a: b}
    s3_endpoint_override: "http://h:9"
    missing_columns: fill_null
  - name: events
    path: data/events.parquet
    timestamp_field: at
    created_timestamp_column: made
  - name: raw
    path: data/raw.parquet
    timestamp_field: at

snapshots:
  - name: daily
    source: events
    first: start + 1d
    last: "2026-01-01 00:30:00"
    every: 1d12h

feature_views:
  - name: v
    entities: [user, pair]
    source: remote
    snapshots: daily
    window: 7d
    where: "a in ('x', '#y', 'z: w')"
    having: count(*) > 1
    features:
      n: {expr: count(*), description: How many, tags: {pii: "no"}}
      m: {expr: max(a), window: unbounded}
      k: {expr: max(a), window: 1d, default: -1}
      e: {expr: max(b), default: ""}
      f: {expr: min(a), default: 0.5}
    ttl: 0d
    online: true
    version: v2
  - name: w
    entities: [user]
    source: raw
    schema:
      - {name: a, dtype: Int64, description: A}
      - {name: b c, dtype: Array(String)}
    ttl: 90m

labels:
  - name: l
    population: v
    source: events
    window: 1d following
    columns:
      y: count(*)
  - name: k
    population: {spine: keys.csv, timestamp_column: t, entities: [user]}
    source: events
    window: 1d following
    where: a > 1
    columns:
      y: {expr: max(a), default: "2026-01-01"}

feature_services:
  - name: f
    features:
      - v
      - {view: w, features: [a]}
      - {view: w, features: [b c], alias: other, join_key_map: {user_id: u}}
      - "v@v1:n"

models:
  - name: m
    features: f
    labels: l
    target: y
    split: {test: {after: "2026-01-01 00:00:00"}}
    params: {eval_metric: [auc, logloss], eta: 0.1, deep: true, n: 3}
  - name: o
    features: f
    spine: rows.csv
    timestamp_column: t
    target: y
    fill_null: 0.5
    split: {test: {fraction: 0.25, by: time}}
    num_boost_round: 7
"""


def test_every_key_as_yaml():
    pair = Entity(name="pair", join_keys=["a", "b"], value_types=[ValueType.INT64, "STRING"])
    raw = Dataset(name="raw", path=["b.csv", "a b/*.csv"], format="csv", delimiter="tab", types={"a": int, "b c": "varchar"}, on_error="skip",
                  where=(col("a") > 0) & (col("b c") != "x, y"), columns={"a": "a", "at": col("b c").cast("timestamp")}, to="data/raw.parquet", sort_by="at")
    book = Dataset(name="book", path="x.xlsx", sheet="0", to="data/book.parquet")
    remote = FileSource(name="remote", path="s3://bucket/x", s3_endpoint_override="http://h:9", missing_columns="fill_null", timestamp_field="at",
                        field_mapping={"a": "b"}, file_format=ParquetFormat())
    view = FeatureView(
        name="v", entities=[user, pair], source=remote, snapshots=daily, window=timedelta(days=7), where="a in ('x', '#y', 'z: w')",
        having=count() > 1, ttl=timedelta(0), online=True, version="v2", features={
            "n": Field(expr=count(), description="How many", tags={"pii": "no"}), "m": col("a").max(window="unbounded"),
            "k": Field(expr="max(a)", window=timedelta(days=1), default=-1), "e": Field(expr=col("b").max(), default=""),
            "f": {"expr": "min(a)", "default": 0.5}})
    ready = FeatureView(name="w", entities=[user], source=raw.source(timestamp_field="at"), ttl="90m",
                        schema=[Field(name="a", dtype=Int64, description="A"), Field(name="b c", dtype=Array(String)), Field(name="user_id", dtype=Int64)])
    labels = Labels(name="l", population=view, source=events, window=timedelta(days=1), columns={"y": count()})
    on_spine = Labels(name="k", population=Spine(path="keys.csv", timestamp_column="t", entities=[user]), source="events", window="1d following",
                      where=col("a") > 1, columns={"y": Field(expr=col("a").max(), default=date(2026, 1, 1))})
    service = FeatureService(name="f", features=[view, ready[["a"]], ready[["b c"]].with_name("other").with_join_key_map({"user_id": "u"}), "v@v1:n"])
    model = Model(name="m", features=service, labels=labels, target="y", split={"after": datetime(2026, 1, 1)},
                  params={"eval_metric": ["auc", "logloss"], "eta": 0.1, "deep": True, "n": np.int64(3)})
    other = Model(name="o", features="f", spine="rows.csv", timestamp_column="t", target="y", fill_null=0.5,
                  split={"fraction": 0.25, "by": "time"}, num_boost_round=7)
    assert to_yaml([book, {"m": [model, other]}, on_spine]) == EVERY_KEY


def test_any_text_reads_back(viand, tmp_path):
    letters = [*range(0x250), *range(0x2000, 0x2070), 0xD7FF, 0xE000, 0xFDD0, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF]
    tags = {f"{form.format('x')} {letter:06x}": form.format(chr(letter)) for letter in letters for form in ("{}", "a{}b", "{} ", "x{}")}
    repo = make_repo(tmp_path, definitions_yaml=to_yaml(Entity(name="u", tags=tags)))
    facts = viand.json(repo, "describe", "entity", "u")["facts"]
    assert {each["fact"].removeprefix("tag "): each["value"] for each in facts if each["fact"].startswith("tag ")} == tags


def test_feasts_attributes():
    view = FeatureView(name="v", entities=[user], source=PushSource(name="p", batch_source=events), schema=[Field(name="a", dtype=Int64)])
    assert (view.name, view.entities, view.join_keys, view.online, view.ttl, view.batch_source) == ("v", ["user"], ["user_id"], True, timedelta(0), events)
    assert [(each.name, each.dtype) for each in view.features] == [("a", Int64)]
    assert [(each.name, each.dtype) for each in view.schema] == [("user_id", Int64), ("a", Int64)] and view.entity_columns == view.schema[:1]
    assert (user.join_key, user.value_type, user.tags["team"]) == ("user_id", ValueType.INT64, "x")
    assert Entity(name="u").join_keys == ["u"] and not spent.online
    projection = FeatureService(name="s", features=[view, view[["a"]].with_name("z")]).feature_view_projections[1]
    assert (projection.name, projection.name_alias, projection.desired_features) == ("v", "z", ["a"])
    assert FileSource(path="data/driver stats.parquet", timestamp_field="at").name == "driver_stats"
    assert FileSource(path="s3://b/rows/*.parquet?region=x", event_timestamp_column="at").name == "rows"
    assert from_value_type(ValueType.DOUBLE_LIST) == Array(Float64) and UnixTimestamp.to_value_type() == ValueType.UNIX_TIMESTAMP


def test_equal_and_shown():
    assert Entity(name="u") == Entity(name="u") != Entity(name="v") and len({Entity(name="u"), Entity(name="u")}) == 1
    assert repr(Entity(name="u", value_type=ValueType.INT64)) == "Entity(name='u', join_keys=['u'], value_type='INT64')"


def test_times_with_a_zone_are_utc():
    grid = Snapshots(name="g", source="s", first=datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), last=date(2026, 2, 1), every="1d")
    assert (grid.document()["first"], grid.document()["last"]) == ("2026-01-01 00:00:00", "2026-02-01")


@pytest.mark.parametrize("make, message, hint", [
    (lambda: Entity("user"), "Entity takes named arguments, got the text 'user'", "write Entity(name=..., ...)"),
    (lambda: Entity(), "Entity needs the argument 'name'", ""),
    (lambda: Entity(nam="user"), "Entity has no argument 'nam'", "did you mean 'name'?"),
    (lambda: Entity(name="u", zzz=1), "Entity has no argument 'zzz'", "its arguments are name, join_keys, value_type"),
    (lambda: Entity(name=3), "expected a text as the name of an entity, got the number 3", ""),
    (lambda: Entity(name=""), "expected a name as the name of an entity, got an empty text", ""),
    (lambda: Entity(name="u", join_keys="user_id"), "expected a list of texts as the join_keys of an entity, got the text 'user_id'", ""),
    (lambda: Entity(name="u", join_keys=["a", "a"]), "the join key 'a' stands twice", ""),
    (lambda: Entity(name="u", value_type="INT"), "the text 'INT' is no value type", "write such as ValueType.INT64"),
    (lambda: Entity(name="u", join_keys=["a", "b"], value_types=["INT64"]), "has 2 join keys and 1 value types", "one type a key"),
    (lambda: Entity(name="u", tags={"a": 1}), "expected a text as the tags of an entity 'a', got the number 1", ""),
    (lambda: FileSource(name="s", path="x"), "the source 's' needs a timestamp_field", ""),
    (lambda: FileSource(path=3, timestamp_field="t"), "expected a text as the path of a source", ""),
    (lambda: FileSource(path="x", timestamp_field="t", file_format="csv"), "is no file_format of a source", "a Dataset makes Parquet"),
    (lambda: Field(name="a", dtype=int), "is no dtype of a field", "viand.types.Float64"),
    (lambda: Field(name="a", expr="b", dtype=Int64), "a field has expr or dtype, not both", "the type follows"),
    (lambda: Field(name="a", default=1), "window and default need an expr", ""),
    (lambda: Field(expr=col("a").sum(window="7d"), window="8d"), "the expression has the window 7d, the feature 8d", "write one"),
    (lambda: Field(expr="a", window="soon"), "the text 'soon' is no window", "timedelta(days=90)"),
    (lambda: Field(expr=3), "expected the expression of a feature: an expression or SQL text, got the number 3", ""),
    (lambda: Field(expr=col("a").sum().per("b")), "groups are no feature", "an aggregate follows per"),
    (lambda: Field(name="a", dtype=Int64, vector_index=True), "viand has no 'vector_index' of a field", "no vector search"),
    (lambda: FeatureView(name="v", schema=[Field(name="a")]), "the feature view 'v' needs a source", ""),
    (lambda: FeatureView(name="v", source=events), "the feature view 'v' needs features or a schema", ""),
    (lambda: FeatureView(name="v", source=events, schema=[], features={"a": "b"}), "has features or schema, not both", "computed here"),
    (lambda: FeatureView(name="v", source=events, features={}), "the feature view 'v' has no features", ""),
    (lambda: FeatureView(name="v", source=events, features={"a": 3}), "expected an expression as the feature 'a', got the number 3", "SQL text"),
    (lambda: FeatureView(name="v", source=events, schema=[Field(name="a"), Field(name="a")]), "the feature 'a' stands twice", ""),
    (lambda: FeatureView(name="v", source=events, schema={"a": Int64}), "expected a list of fields as schema, got the dict", ""),
    (lambda: FeatureView(name="v", source=events, schema=["a"], window="7d"), "'window' needs computed features", ""),
    (lambda: FeatureView(name="v", source=events, schema=["a"], entities=[user, user]), "the entity 'user' stands twice", ""),
    (lambda: FeatureView(name="v", source=events, schema=["a"], entities=user), "expected a list of entities, got the Entity", ""),
    (lambda: FeatureView(name="v", source=events, schema=["a"], entities=[events]), "expected an Entity or its name, got the FileSource", ""),
    (lambda: FeatureView(name="v", source=events, schema=["a"], ttl=-timedelta(1)), "which is negative", 'write timedelta(days=90), "90d"'),
    (lambda: FeatureView(name="v", source=events, schema=["a"], ttl=7), "expected a duration as the ttl of a feature view, got the number 7", ""),
    (lambda: FeatureView(name="v", source=events, schema=["a"], online="yes"), "expected True or False as online", ""),
    (lambda: FeatureView(name="v", source=events, schema=["a"], mode="pandas"), "viand has no 'mode' of a feature view", "features as expressions"),
    (lambda: FeatureView(name="v", source=events, featurs={"a": "b"}), "FeatureView has no argument 'featurs'", "did you mean 'features'?"),
    (lambda: spent[["totl"]], "the feature view 'spent' has no feature 'totl'", "did you mean 'total'?"),
    (lambda: spent["total"], "expected a list of texts as the features of a projection, got the text 'total'", ""),
    (lambda: FeatureService(name="f", features=spent), "expected a list of features, got the FeatureView", ""),
    (lambda: FeatureService(name="f", features=[]), "the feature service 'f' has no features", ""),
    (lambda: Snapshots(name="g", source=events, first="start", last="end", every=timedelta(0)), "the step every of snapshots is zero", ""),
    (lambda: Labels(name="l", population=spent, source=events, window="1d following", columns={}), "expected a dict of label columns", ""),
    (lambda: Model(name="m", features="f", target="y"), "the model 'm' has neither labels nor a spine", ""),
    (lambda: Model(name="m", features="f", target="y", labels="l", params={"a": None}), "as the parameter 'a', got None", ""),
    (lambda: Dataset(name="d", path="a.csv", to="b.parquet", types={"a": "big int!"}), "is not a type", '"bigint"'),
    (lambda: to_yaml(["user"]), "expected definitions such as Entity or FeatureView, got the text 'user'", ""),
])
def test_what_is_refused_where_it_is_made(make, message, hint):
    with pytest.raises(viand.DefinitionError) as caught:
        make()
    error = caught.value
    assert message in error.message and hint in error.hint
    assert error.file.endswith("test_definitions.py") and error.line > 100 and error.column > 0


def test_two_of_one_name():
    first, second = Entity(name="user"), Entity(name="user", join_keys=["id"])
    with pytest.raises(viand.DefinitionError, match=r"the entity 'user' is defined twice, first at .*test_definitions.py:\d+"):
        to_yaml([first, second])
    with pytest.raises(viand.DefinitionError, match="defined twice"):
        to_yaml([first, FeatureView(name="v", entities=[second], source=events, schema=["a"])])
    # What is referred to may have been made again, saying the same: a cell of a notebook that ran twice.
    again = FeatureView(name="v", entities=[Entity(name="user")], source=events, schema=["a"])
    assert to_yaml([first, again]).count("name: user") == 1


def test_arguments_of_feast_that_say_nothing_here_warn():
    with pytest.warns(UserWarning, match="viand does not use offline, enable_validation of a feature view"):
        FeatureView(name="v", source=events, schema=["a"], offline=True, enable_validation=True)
    with pytest.warns(UserWarning, match="viand does not use logging_config of a feature service"):
        FeatureService(name="f", features=["v"], logging_config=object())


def test_names_of_feast_that_are_not_here_say_what_to_do():
    with pytest.raises(ImportError, match="viand has no on_demand_feature_view as Feast has: write features as expressions"):
        from viand import on_demand_feature_view  # noqa: F401
    with pytest.raises(ImportError, match="viand has no KafkaSource as Feast has: a FileSource"):
        from viand import KafkaSource  # noqa: F401
    with pytest.raises(ImportError, match="viand has no PushMode as Feast has: viand serves no features online yet"):
        from viand.data_source import PushMode  # noqa: F401
    with pytest.raises(ImportError, match="viand has no AvroFormat as Feast has: a Dataset makes Parquet of other formats"):
        from viand.data_format import AvroFormat  # noqa: F401
    for module, instead in (("on_demand_feature_view", "write features as expressions"), ("infra.offline_stores.file_source", "sources are viand.FileSource"),
                            ("repo_config", "feature_store.yaml says it"), ("batch_feature_view", "expressions or Python functions")):
        with pytest.raises(ModuleNotFoundError, match=f"viand has no module {module.partition('.')[0]} as Feast has: .*{instead}"):
            importlib.import_module(f"viand.{module}")
    with pytest.raises(ModuleNotFoundError, match="No module named 'viand.nothing'"):
        importlib.import_module("viand.nothing")


def test_the_retail_example_says_in_python_what_it_says_in_yaml(viand, tmp_path):
    in_python = make_repo(tmp_path / "python", definitions_py=(EXAMPLE / "python" / "definitions.py").read_text())
    in_yaml = make_repo(tmp_path / "yaml", definitions_yaml=(EXAMPLE / "definitions.yaml").read_text())
    assert exported(viand, in_python) == exported(viand, in_yaml)
    assert viand.json(in_python, "plan")["changes"] == viand.json(in_yaml, "plan")["changes"]
    # Applied from YAML, nothing is left to do for Python.
    assert viand.call(in_yaml, "apply", "--yes")[0] == 0
    (in_yaml / "definitions.yaml").unlink()
    (in_yaml / "definitions.py").write_text((in_python / "definitions.py").read_text())
    assert not viand.json(in_yaml, "plan")["has_effect"]
