"""The retail example by the package equals the same by the program: files, metrics, training rows."""

import hashlib
import importlib.util
import json
import shutil
from pathlib import Path

import pytest

import viand
from conftest import EXAMPLE, Viand, generate, make_repo, workbook
from shop_fixture import INSTALLED

ROWS = 40_000


@pytest.fixture(scope="module")
def repos(tmp_path_factory):
    """(by Python, by the program): the example over the same generated rows."""
    folder = tmp_path_factory.mktemp("retail")
    workbook.write_xlsx(folder / "rows.xlsx", generate.make_rows(ROWS, seed=7))
    made = [make_repo(folder / name, {folder / "rows.xlsx": "online_retail.xlsx"}) for name in ("python", "program")]
    for repo in made:
        shutil.rmtree(repo / "python", ignore_errors=True)
    return made


@pytest.fixture(scope="module")
def both(repos):
    """What pipeline.py gives, and what `viand run` says."""
    spec = importlib.util.spec_from_file_location("pipeline", EXAMPLE / "pipeline.py")
    pipeline = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pipeline)
    return pipeline.main(repos[0]), Viand().json(repos[1], "run")


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_the_script_has_thirty_lines():
    body = (EXAMPLE / "pipeline.py").read_text().split('"""')[2]
    assert len([line for line in body.splitlines() if line.strip()]) <= 30


def test_predictions_and_features_are_the_same_bytes(repos, both):
    files = ["data/predictions/purchase_propensity.parquet", "data/transactions.parquet"]
    for file in files:
        assert digest(repos[0] / file) == digest(repos[1] / file), file
    for view in ("customer_rfm_features", "customer_behavior_features"):
        parts = [sorted(digest(path) for path in (repo / "data" / "offline" / view / "current").glob("*.parquet")) for repo in repos]
        assert parts[0] == parts[1] and len(parts[0]) == 9


def test_the_report_is_the_programs(both):
    (_, report, predictions), run = both
    model = run["models"][0]
    assert report.metrics == model["metrics"] and dict(report.importance) == model["importance"]
    assert (report.train_rows, report.test_rows) == (model["train_rows"], model["test_rows"])
    assert predictions.predicted_positive > 0 and predictions.rows == report.test_rows


def test_a_second_run_finds_everything_fresh(repos, both):
    report = viand.FeatureStore(repos[0]).run()
    assert {step.status for step in report.steps} == {"fresh"} and report.models[0].metrics == both[0][1].metrics


def test_the_training_set_is_the_programs(repos, both, tmp_path):
    training = both[0][0]
    out = tmp_path / "training.csv"
    code, _, error = Viand().call(repos[1], "historical", "--spine", "labels:purchased_30d", "--service", "purchase_propensity_v1",
                                  "-o", out)
    assert code == 0, error
    import pandas

    program = pandas.read_csv(out)
    assert list(program.columns) == list(training.columns) and len(program) == len(training)
    for column in program.columns.drop("event_timestamp"):
        pandas.testing.assert_series_equal(program[column], training[column], check_dtype=False)


def test_features_for_a_frame_are_those_of_the_file(repos, both):
    """The article's way: an entity DataFrame, features by reference."""
    training = both[0][0]
    entity_df = training[["customer_id", "event_timestamp", "purchased"]].sample(frac=1, random_state=3).reset_index(drop=True)
    store = viand.FeatureStore(repo_path=str(repos[0]))
    features = [f"{view.name}:{feature.name}" for view in store.list_feature_views() for feature in view.features]
    assert len(features) == 9
    got = store.get_historical_features(entity_df=entity_df, features=features).to_df()
    want = entity_df.merge(training, on=["customer_id", "event_timestamp", "purchased"], how="left")
    import pandas

    pandas.testing.assert_frame_equal(got, want[got.columns], check_dtype=False)
    if "pyarrow" in INSTALLED:
        assert store.get_historical_features(entity_df=entity_df, features=features).to_arrow().num_rows == len(entity_df)


def test_predictions_are_read_back(repos, both):
    rows = viand.FeatureStore(repos[0]).read("data/predictions/purchase_propensity.parquet")
    assert rows.columns == ["customer_id", "purchase_probability", "purchase_predicted", "event_timestamp"]
    assert len(rows) == both[0][2].rows == len(rows.to_df()) and "purchase_probability" in rows._repr_html_()


def test_a_notebook_sees_the_training_set(repos, both):
    store = viand.FeatureStore(repos[0])
    job = store.get_historical_features("labels:purchased_30d", features=store.get_feature_service("purchase_propensity_v1"))
    html = job._repr_html_()
    assert f"{len(job):,} rows, 12 columns" in html and "return_rate" in html
    assert "purchase_propensity" in both[0][1]._repr_html_() and store.lineage()._repr_svg_().count("<rect") > 20
    json.dumps(store.lineage().nodes)
