"""Owners, descriptions and tags: from YAML to the registry, listed by tag and searched."""

import pytest

from conftest import store_config

DEFINITIONS = """entities:
  - {name: user, join_keys: [user_id], value_type: INT64, description: Somebody who buys, owner: crm@shop, tags: {pii: "yes"}}
sources:
  - {name: orders, path: orders.parquet, timestamp_field: at, description: One row an order, tags: {team: growth}}
feature_views:
  - name: spending
    description: What a user spends
    owner: ann@shop
    tags: {team: growth, tier: gold}
    entities: [user]
    source: orders
    schema:
      - {name: amount, dtype: Float64, description: In euros, tags: {unit: eur}}
      - {name: discount, dtype: Float64}
  - {name: user_orders, entities: [user], source: orders, schema: [{name: items, dtype: Int64}], tags: {team: logistics}}
feature_services:
  - {name: churn, features: [spending], owner: bob@shop, description: For the churn model}
"""


@pytest.fixture(scope="module")
def repo(viand, tmp_path_factory):
    repo = tmp_path_factory.mktemp("metadata")
    (repo / "feature_store.yaml").write_text(store_config("metadata"))
    (repo / "definitions.yaml").write_text(DEFINITIONS)
    viand.json(repo, "apply")
    return repo


def test_words_are_in_the_list_and_in_describe(viand, repo):
    listed = {entry["name"]: entry for entry in viand.json(repo, "list")}
    assert listed["user"]["owner"] == "crm@shop" and listed["user"]["tags"] == {"pii": "yes"} and listed["user"]["in_repo"]
    facts = {fact["fact"]: fact["value"] for fact in viand.json(repo, "describe", "feature-view", "spending")["facts"]}
    assert facts["description"] == "What a user spends" and facts["owner"] == "ann@shop" and facts["tag tier"] == "gold"


@pytest.mark.parametrize("tags, names", [
    (["team=growth"], ["orders", "spending"]),
    (["team"], ["orders", "spending", "user_orders"]),
    (["team=growth", "tier=gold"], ["spending"]),
    (["team=nobody"], []),
])
def test_list_by_tag(viand, repo, tags, names):
    arguments = [part for tag in tags for part in ("--tag", tag)]
    assert [entry["name"] for entry in viand.json(repo, "list", *arguments)] == names
    assert [entry["name"] for entry in viand.json(repo, "list", "feature-views", *arguments)] == [
        name for name in names if name in ("spending", "user_orders")]


@pytest.mark.parametrize("text, found", [
    ("spending", [("spending", ["name"])]),
    ("user", [("user", ["name"]), ("user_orders", ["name"]), ("spending", ["description"])]),
    ("AMOUNT", [("spending", ["feature amount"])]),
    ("euros", [("spending", ["description of amount"])]),
    ("ann@shop", [("spending", ["owner"])]),
    ("gold", [("spending", ["tag tier=gold"])]),
    ("growth order", [("orders", ["tag team=growth", "name", "description"])]),
    ("nothing_has_this", []),
])
def test_search_is_ranked_and_tells_where(viand, repo, text, found):
    hits = viand.json(repo, "search", text)
    assert [(hit["name"], hit["matched"]) for hit in hits] == found
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)


def test_search_for_people(viand, repo):
    code, out, _ = viand.call(repo, "search", "churn")
    assert code == 0 and out.splitlines()[0].split() == ["kind", "name", "matched", "description"]
    assert out.splitlines()[1].split() == ["feature-services", "churn", "name,", "description", "For", "the", "churn", "model"]
    assert viand.call(repo, "search", "zzz")[1] == 'nothing has "zzz" in its name, features, tags, owner or description\n'
    assert viand.call(repo, "list", "--tag", "a=b")[1] == "nothing has the tag a=b\n"
    code, _, error = viand.call(repo, "search", " ")
    assert (code, error) == (2, "error: there is nothing to search for\n  hint: give a part of a name, a description, a tag or an owner\n")
