"""Several repos in one project of one registry: each removes its own objects alone, and all at once lose nothing."""

import pytest
from postgres_server import PostgresServer

BACKENDS = ["sqlite", "postgres", "file"]
REPOS = 8


@pytest.fixture(scope="module")
def server():
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(params=BACKENDS)
def registry(request, server, tmp_path):
    """What feature_store.yaml says of a new, empty registry."""
    return {"file": f"{tmp_path}/feast/registry.db",
            "sqlite": f'{{registry_type: sql, path: "sqlite:///{tmp_path}/registry.db"}}',
            "postgres": f'{{registry_type: sql, path: "{server.url(server.new_database())}"}}'}[request.param]


def make_repo(folder, registry, name, views=("facts",), more=""):
    folder.mkdir(exist_ok=True)
    (folder / "feature_store.yaml").write_text(f"project: shared\nprovider: local\nregistry: {registry}\n{more}")
    text = f"entities:\n  - {{name: {name}, join_keys: [{name}_id], value_type: INT64}}\n"
    text += f"sources:\n  - {{name: {name}_events, path: events.parquet, timestamp_field: at}}\nfeature_views:\n"
    for view in views:
        text += f"  - {{name: {name}_{view}, entities: [{name}], source: {name}_events, schema: [{{name: score, dtype: Float64}}]}}\n"
    (folder / "definitions.yaml").write_text(text)
    return folder


def actions(viand, repo):
    return {(change["action"], change["name"]) for change in viand.json(repo, "plan")["changes"] if change["action"] != "unchanged"}


def test_eight_first_applies_at_once(viand, tmp_path, registry):
    repos = [make_repo(tmp_path / f"repo{i}", registry, f"r{i}") for i in range(REPOS)]
    processes = [viand.start(repo, "apply") for repo in repos]
    for process in processes:
        _, error = process.communicate()
        assert process.returncode == 0, error
    listed = {entry["name"] for entry in viand.json(repos[0], "list", "feature-views")}
    assert listed == {f"r{i}_facts" for i in range(REPOS)}
    for repo in repos:
        assert not viand.json(repo, "plan")["has_effect"]


def test_each_repo_removes_its_own(viand, tmp_path, registry):
    first = make_repo(tmp_path / "first", registry, "a", ["facts", "more"])
    second = make_repo(tmp_path / "second", registry, "b")
    viand.json(first, "apply")
    viand.json(second, "apply")
    plan = viand.json(second, "plan")
    assert not plan["has_effect"]
    assert [text for text in plan["warnings"] if "stay" in text] == [
        f'4 objects of project "shared" were applied by the repo {first} and stay: entity a, data source a_events, '
        "feature view a_facts, ...; `repo: NAME` in the feature_store.yaml of several folders makes them one repo"]
    make_repo(first, registry, "a")
    assert actions(viand, first) == {("remove", "a_more")}
    viand.json(first, "apply", "--yes")
    assert {entry["name"] for entry in viand.json(first, "list", "feature-views")} == {"a_facts", "b_facts"}
    viand.json(second, "teardown", "--yes")
    assert {entry["name"] for entry in viand.json(first, "list", "feature-views")} == {"a_facts"}


def test_clones_with_one_name_are_one_repo(viand, tmp_path, registry):
    first = make_repo(tmp_path / "first", registry, "a", ["facts", "more"], "repo: clicks\n")
    clone = make_repo(tmp_path / "clone", registry, "a", ["facts"], "repo: clicks\n")
    viand.json(first, "apply")
    assert ("remove", "a_more") in actions(viand, clone)


def test_a_registry_inside_the_repo_moves_with_it(viand, tmp_path):
    registry = '{registry_type: sql, path: "sqlite:///data/registry.db"}'
    viand.json(make_repo(tmp_path / "here", registry, "a", ["facts", "more"]), "apply")
    (tmp_path / "here").rename(tmp_path / "there")
    assert ("remove", "a_more") in actions(viand, make_repo(tmp_path / "there", registry, "a"))
