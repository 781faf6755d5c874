"""examples/retail with its registry in PostgreSQL and in Feast's file: the same figures as with SQLite."""

import pandas as pd
import pytest
from conftest import make_repo
from postgres_server import PostgresServer

VIEWS = ["customer_rfm_features", "customer_behavior_features"]
BACKENDS = ["postgres", "file"]


@pytest.fixture(scope="module")
def server():
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def sqlite_run(viand, retail_workbook, tmp_path_factory):
    repo = make_repo(tmp_path_factory.mktemp("sqlite") / "repo", {retail_workbook: "online_retail.xlsx"})
    return repo, viand.json(repo, "run")


def figures(report):
    """What a run has come to, times left out."""
    steps = [{key: value for key, value in step.items() if key in ("step", "object", "rows")} for step in report["steps"]]
    return steps, [model["metrics"] for model in report["models"]]


def same_tables(left, right):
    for view in VIEWS:
        tables = [pd.concat([pd.read_parquet(path) for path in sorted((repo / "data/offline" / view / "current").glob("*.parquet"))])
                  for repo in (left, right)]
        pd.testing.assert_frame_equal(*tables, check_exact=True)
    predictions = [pd.read_parquet(repo / "data/predictions/purchase_propensity.parquet") for repo in (left, right)]
    pd.testing.assert_frame_equal(*predictions, check_exact=True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_same_figures(viand, server, sqlite_run, retail_workbook, tmp_path, backend):
    repo = make_repo(tmp_path / "repo", {retail_workbook: "online_retail.xlsx"})
    config = repo / "feature_store.yaml"
    registry = {"file": "registry: data/registry.db"}
    registry["postgres"] = f"registry:\n  registry_type: sql\n  path: {server.url(server.new_database())}"
    sqlite_text = "registry:\n  registry_type: sql\n  path: sqlite:///data/registry.db"
    assert sqlite_text in config.read_text()
    config.write_text(config.read_text().replace(sqlite_text, registry[backend]))
    report = viand.json(repo, "run")
    assert figures(report) == figures(sqlite_run[1])
    same_tables(repo, sqlite_run[0])
    again = viand.json(repo, "run")
    assert {step["status"] for step in again["steps"]} == {"fresh"}, again["steps"]
    assert not viand.json(repo, "plan")["has_effect"]
