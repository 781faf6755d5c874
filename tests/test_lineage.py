"""Lineage: which columns a column is made from, and which read it, from raw files to predictions."""

import json

import pytest
from conftest import EXAMPLE, store_config

CHAINED = """entities:
  - {name: user, join_keys: [user_id], value_type: INT64}
sources:
  - {name: clicks, type: file, path: data/clicks.parquet, timestamp_field: at, field_mapping: {ms: duration}}
snapshots:
  - {name: daily, source: clicks, first: start + 1d, last: end, every: 1d}
feature_views:
  - name: sessions
    entities: [user]
    source: clicks
    snapshots: daily
    window: 7d
    where: kind <> 'bot'
    having: count(*) > max(weight)
    features: {longest: max(duration where valid), n: count(*)}
  - name: trends
    entities: [user]
    source: sessions
    snapshots: daily
    window: 30d
    features: {peak: max(longest), n: sum(n)}
  - {name: ready, entities: [user], source: clicks, schema: [{name: duration, dtype: Int64}]}
"""


@pytest.fixture
def chained(tmp_path):
    (tmp_path / "feature_store.yaml").write_text(store_config("lineage"))
    (tmp_path / "definitions.yaml").write_text(CHAINED)
    return tmp_path


def edges(viand, repo, *arguments):
    graph = viand.json(repo, "lineage", *arguments)
    ids = {node["id"] for node in graph["nodes"]}
    assert all(edge["from"] in ids and edge["to"] in ids for edge in graph["edges"])
    return {(edge["from"], edge["to"], edge["use"]) for edge in graph["edges"]}


def paths(found, start, end):
    """Every chain of values from one column to another."""
    if start == end:
        return [[end]]
    return [[start, *rest] for source, target, use in sorted(found) if source == start and use == "value"
            for rest in paths(found, target, end)]


def test_from_a_raw_column_to_the_model_that_reads_it(viand):
    found = edges(viand, EXAMPLE, "UnitPrice", "--down")
    raw = "data/online_retail.xlsx.UnitPrice"
    assert [raw, "transactions.revenue", "customer_rfm_features:monetary", "purchase_propensity"] in paths(found, raw, "purchase_propensity")
    assert ("purchase_propensity", "data/predictions/purchase_propensity.parquet", "value") in found
    assert found == edges(viand, EXAMPLE, "UnitPrice") and not edges(viand, EXAMPLE, "UnitPrice", "--up")


def test_a_feature_knows_its_inputs_and_what_picks_its_rows(viand):
    found = edges(viand, EXAMPLE, "customer_rfm_features:monetary", "--up")
    monetary = "customer_rfm_features:monetary"
    assert {(source, use) for source, target, use in found if target == monetary} == {
        ("transactions.revenue", "value"), ("transactions.is_cancellation", "filter"),
        ("transactions.customer_id", "key"), ("transactions.invoice_date", "time")}
    raw = "data/online_retail.xlsx."
    assert {(source, use) for source, target, use in found if target == "transactions.revenue"} == {
        (raw + "Quantity", "value"), (raw + "UnitPrice", "value"), (raw + "CustomerID", "filter")}


def test_the_tree(viand):
    code, out, _ = viand.call(EXAMPLE, "lineage", "monetary")
    assert code == 0
    assert out == """monetary (feature of customer_rfm_features) = sum(revenue)
made from
├─ revenue (dataset column of transactions) = Quantity * UnitPrice
│  ├─ Quantity (raw column of data/online_retail.xlsx)
│  ├─ UnitPrice (raw column of data/online_retail.xlsx)
│  └─ by filter CustomerID
└─ by filter is_cancellation; key customer_id; time invoice_date
read by
├─ purchase_propensity_v1 (feature service)
└─ purchase_propensity (model)
   └─ data/predictions/purchase_propensity.parquet (predictions)
"""


def test_views_over_views_renamed_columns_and_conditions(viand, chained):
    found = edges(viand, chained, "trends", "--up")
    assert paths(found, "clicks.ms", "trends:peak") == [["clicks.ms", "sessions:longest", "trends:peak"]]
    into = {(source, use) for source, target, use in found if target == "sessions:longest"}
    assert into == {("clicks.ms", "value"), ("clicks.valid", "filter"), ("clicks.kind", "filter"), ("clicks.weight", "filter"),
                    ("clicks.user_id", "key"), ("clicks.at", "time")}
    assert ("clicks.user_id", "trends:peak", "key") in found and ("clicks.at", "trends:peak", "time") in found
    assert ("clicks.ms", "ready:duration", "value") in edges(viand, chained, "ready.duration")


def test_other_formats(viand):
    code, dot, _ = viand.call(EXAMPLE, "lineage", "--format", "dot")
    assert code == 0 and dot.startswith("digraph lineage {") and '"customer_rfm_features:monetary"' in dot
    code, mermaid, _ = viand.call(EXAMPLE, "lineage", "revenue", "--format", "mermaid")
    assert code == 0 and mermaid.startswith("flowchart LR\n") and '["transactions.revenue"]' in mermaid
    code, lines, _ = viand.call(EXAMPLE, "lineage", "--format", "openlineage")
    events = {event["job"]["name"]: event for event in map(json.loads, lines.splitlines())}
    assert code == 0 and {"transactions", "customer_rfm_features", "purchased_30d", "purchase_propensity"} <= events.keys()
    fields = events["customer_rfm_features"]["outputs"][0]["facets"]["columnLineage"]["fields"]
    value = [field for field in fields["monetary"]["inputFields"] if field["transformations"][0]["type"] == "DIRECT"]
    assert [(field["name"], field["field"]) for field in value] == [("transactions", "revenue")]
    scored = events["purchase_propensity"]
    assert {entry["name"] for entry in scored["inputs"]} == {"customer_rfm_features", "customer_behavior_features", "purchased_30d"}


def test_wrong_names(viand, chained):
    code, _, error = viand.call(EXAMPLE, "lineage", "monetry")
    assert (code, error) == (2, 'error: nothing is named "monetry"\n  hint: did you mean "monetary"?\n')
    code, _, error = viand.call(chained, "lineage", "n")
    assert (code, error) == (2, 'error: "n" is a column of several objects\n  hint: name one of sessions:n, trends:n\n')
    code, _, error = viand.call(EXAMPLE, "lineage")
    assert code == 2 and "a tree of lineage has a root" in error
    code, _, error = viand.call(EXAMPLE, "lineage", "monetary", "--format", "dott")
    assert code == 2 and 'did you mean "dot"' in error
