"""examples/retail from the workbook to the predictions, against pandas, RETAIL.md and Python's xgboost."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn import metrics

import generate
import retail_pandas
from conftest import ROOT, make_repo
from retail_pandas import BEHAVIOR, INTEGERS, KEYS, RFM

MODEL = "purchase_propensity"
VIEWS = {"customer_rfm_features": RFM, "customer_behavior_features": BEHAVIOR}
FIGURES = pd.read_csv(ROOT / "tests" / "oracles" / "retail_figures.csv", parse_dates=["cutoff"], index_col="cutoff")
PARAMS = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.1, "seed": 42, "eval_metric": "logloss"}


@pytest.fixture(scope="module")
def expected(retail_workbook):
    return retail_pandas.reference_tables(retail_workbook)


@pytest.fixture(scope="module")
def run(viand, retail_workbook, tmp_path_factory):
    """A repo on which `viand run` has been called once: (folder, steps, training set)."""
    repo = make_repo(tmp_path_factory.mktemp("run") / "repo", {retail_workbook: "online_retail.xlsx"})
    steps = viand.steps(repo)
    viand.json(repo, "train", MODEL, "--export", repo / "train.parquet")
    return repo, steps, read_table(repo / "train.parquet")


def naive(times):
    """Times in UTC as pandas without a zone has them, in microseconds."""
    times = pd.to_datetime(times)
    return (times.dt.tz_convert("UTC").dt.tz_localize(None) if times.dt.tz is not None else times).astype("datetime64[us]")


def read_table(path):
    table = pd.read_parquet(path)
    return table.assign(event_timestamp=naive(table["event_timestamp"]))


def stored_view(repo, view):
    folder = repo / "data" / "offline" / view / "current"
    assert folder.is_symlink()
    parts = [pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))]
    table = pd.concat(parts, ignore_index=True)
    table["event_timestamp"] = naive(table["event_timestamp"])
    return table.sort_values(["event_timestamp", "customer_id"], ignore_index=True)


def assert_same(actual, expected):
    """Row by row: keys and integers exactly, doubles within 1e-9 relative + 1e-6 absolute."""
    assert list(actual[KEYS].itertuples(index=False)) == list(expected[KEYS].itertuples(index=False))
    for column in expected.columns.drop(KEYS):
        if column in INTEGERS or column == "purchased":
            assert pd.api.types.is_integer_dtype(actual[column].dtype), f"{column} is {actual[column].dtype}"
            assert (actual[column] == expected[column]).all(), column
        else:
            np.testing.assert_allclose(actual[column].astype(float), expected[column], rtol=1e-9, atol=1e-6,
                                       err_msg=column)


# ---- the values -----------------------------------------------------------------------------------------------

def test_cleaned_rows_match_pandas(run, expected):
    repo, steps, _ = run
    cleaned = pd.read_parquet(repo / "data" / "transactions.parquet")
    cleaned["invoice_date"] = naive(cleaned["invoice_date"])
    assert len(cleaned) == len(expected.cleaned) == steps["ingest", "transactions"]["rows"]
    assert cleaned["invoice_date"].is_monotonic_increasing
    for column in expected.cleaned:
        assert (cleaned[column] == expected.cleaned[column]).all(), column


@pytest.mark.parametrize("view", VIEWS)
def test_offline_tables_match_pandas_row_by_row(run, expected, view):
    assert_same(stored_view(run[0], view), expected.features[KEYS + VIEWS[view]])


def test_training_set_matches_pandas_row_by_row(run, expected):
    table = run[2].sort_values(["event_timestamp", "customer_id"], ignore_index=True)
    assert_same(table[KEYS + RFM + BEHAVIOR + ["purchased"]],
                expected.features.assign(purchased=expected.labels["purchased"]))


def test_every_cutoff_has_the_figures_of_retail_md(run, data_set):
    if data_set != "real":
        assert (FIGURES.index == generate.CUTOFFS).all(), "the generator's cutoffs are those of the real data"
        return
    features = stored_view(run[0], "customer_rfm_features").merge(stored_view(run[0], "customer_behavior_features"), on=KEYS)
    labels = run[2][KEYS + ["purchased"]]
    cutoffs = features.merge(labels, on=KEYS).groupby("event_timestamp")
    sums = cutoffs[list(FIGURES.columns.drop("customers"))].sum()
    assert (sums.index == FIGURES.index).all()
    assert (cutoffs.size().to_numpy() == FIGURES["customers"].to_numpy()).all()
    for column in sums:
        # RETAIL.md prints its sums to six places.
        np.testing.assert_allclose(sums[column].astype(float), FIGURES[column], rtol=1e-9, atol=1e-6, err_msg=column)


def test_planted_customers_come_out_as_the_definitions_say(run, data_set):
    if data_set == "real":
        assert not set(generate.PLANTED.values()) & set(run[2]["customer_id"])
        return
    at = run[2][run[2]["event_timestamp"] == generate.CUTOFFS[4]].set_index("customer_id")
    customers = {name: at.loc[customer] if customer in at.index else None for name, customer in generate.PLANTED.items()}
    assert customers["row_at_cutoff"]["frequency"] == 1 and customers["row_at_cutoff"]["purchased"] == 1
    assert customers["row_at_window_start"]["recency_days"] == 90
    assert customers["row_before_window_start"] is None
    assert customers["row_at_label_end"]["purchased"] == 0
    assert customers["row_before_label_end"]["purchased"] == 1
    for name in ("timestamps_in_order", "timestamps_out_of_order"):
        assert customers[name]["avg_days_between_purchases"] == 5, "an invoice counts from its first line in time"
    assert customers["timestamps_out_of_order"]["avg_basket_size"] == (1 + 2 + 3 + 1) / 2
    # The lines before the window and from the cutoff on are not in the baskets (3, and 1).
    assert customers["invoice_across_edges"]["avg_basket_size"] == (3 + 1) / 2
    assert customers["invoice_across_edges"]["tenure_days"] == 90
    assert customers["cancellations_only"] is None
    assert customers["single_invoice"]["avg_days_between_purchases"] == 0
    assert customers["ties_in_time"]["return_rate"] == pytest.approx(1 / 3, rel=1e-12)
    assert customers["ties_in_time"]["avg_days_between_purchases"] == 0
    assert customers["shared_invoice_first"]["avg_basket_size"] == 3
    assert customers["shared_invoice_second"]["avg_basket_size"] == 1
    assert customers["seconds_beside_cutoff"]["frequency"] == 2
    assert customers["seconds_beside_cutoff"]["recency_days"] == 0
    assert customers["odd_cells"]["n_unique_products"] == 4


# ---- the model ------------------------------------------------------------------------------------------------

def matrix(table):
    return xgboost.DMatrix(table[RFM + BEHAVIOR].astype("float64").fillna(0), label=table["purchased"])


@pytest.fixture(scope="module")
def split(run):
    table = run[2]
    last = table["event_timestamp"].max()
    return table[table["event_timestamp"] < last], table[table["event_timestamp"] == last]


@pytest.fixture(scope="module")
def predictions(run):
    return read_table(run[0] / "data" / "predictions" / f"{MODEL}.parquet")


def test_predictions_are_the_customers_of_the_last_cutoff(predictions, split):
    assert sorted(predictions.columns) == ["customer_id", "event_timestamp", "purchase_predicted", "purchase_probability"]
    assert sorted(predictions["customer_id"]) == sorted(split[1]["customer_id"])
    assert (predictions["event_timestamp"] == split[1]["event_timestamp"].iloc[0]).all()
    assert predictions["purchase_probability"].between(0, 1).all()
    assert ((predictions["purchase_probability"] > 0.5) == (predictions["purchase_predicted"] == 1)).all()


def assert_same_probabilities(predictions, test, probabilities):
    theirs = pd.Series(probabilities, index=test["customer_id"].to_numpy())
    ours = predictions.set_index("customer_id")["purchase_probability"]
    np.testing.assert_allclose(ours, theirs.loc[ours.index], rtol=0, atol=1e-6)


def test_python_xgboost_trained_on_the_same_rows_predicts_the_same(predictions, split):
    train, test = split
    booster = xgboost.train(PARAMS, matrix(train), num_boost_round=100)
    assert_same_probabilities(predictions, test, booster.predict(matrix(test)))


def test_python_xgboost_opens_the_model_file(run, predictions, split):
    repo, steps, _ = run
    booster = xgboost.Booster(model_file=str(repo / steps["train", MODEL]["output"]))
    assert booster.feature_names == RFM + BEHAVIOR
    assert_same_probabilities(predictions, split[1], booster.predict(matrix(split[1])))


def test_metrics_are_those_of_scikit_learn(viand, run, predictions, split, data_set):
    report = viand.json(run[0], "train", MODEL)
    merged = split[1][["customer_id", "purchased"]].merge(predictions, on="customer_id")
    truth, probability, predicted = merged["purchased"], merged["purchase_probability"], merged["purchase_predicted"]
    expected = {"accuracy": metrics.accuracy_score(truth, predicted), "f1": metrics.f1_score(truth, predicted),
                "roc_auc": metrics.roc_auc_score(truth, probability), "log_loss": metrics.log_loss(truth, probability)}
    shown = report["metrics"]
    for name, value in expected.items():
        assert shown[name] == pytest.approx(value, abs=1e-6), name
    confusion = metrics.confusion_matrix(truth, predicted).ravel().tolist()
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    assert [report["confusion_matrix"][name] for name in names] == confusion
    if data_set == "real":
        assert shown["roc_auc"] == pytest.approx(0.7235, abs=0.005)


def test_predicting_as_of_the_last_cutoff_gives_the_stored_predictions(viand, run, predictions):
    repo = run[0]
    as_of = predictions["event_timestamp"].iloc[0].isoformat()
    viand.json(repo, "predict", MODEL, "--as-of", as_of, "-o", repo / "as_of.parquet")
    again = read_table(repo / "as_of.parquet")
    pd.testing.assert_frame_equal(again.sort_values("customer_id", ignore_index=True)[predictions.columns],
                                  predictions.sort_values("customer_id", ignore_index=True), check_exact=True)


def test_predicting_between_cutoffs_is_computed_at_that_time(viand, run, expected):
    repo = run[0]
    as_of = pd.Timestamp("2011-11-05 17:00:00")
    viand.json(repo, "predict", MODEL, "--as-of", as_of.isoformat(), "-o", repo / "between.parquet")
    features = retail_pandas.features_at(expected.cleaned, as_of).assign(purchased=0)
    booster = xgboost.Booster(model_file=str(repo / run[1]["train", MODEL]["output"]))
    between = read_table(repo / "between.parquet")
    assert (between["event_timestamp"] == as_of).all()
    assert_same_probabilities(between, features, booster.predict(matrix(features)))


def test_predicting_when_nobody_is_left_says_so(viand, run):
    repo = run[0]
    report = viand.json(repo, "predict", MODEL, "--as-of", "2999-01-01", "-o", repo / "nobody.parquet")
    step = report["step"]
    assert step["rows"] == 0
    assert step["detail"] == "as of 2999-01-01 00:00:00, nobody to score: no key of the population has rows in its window"
    assert len(read_table(repo / "nobody.parquet")) == 0


# ---- what is not computed again -------------------------------------------------------------------------------

def test_every_step_of_the_first_run_computes(run):
    statuses = {name: step["status"] for name, step in run[1].items()}
    wanted = [("ingest", "transactions"), *(("backfill", view) for view in VIEWS), ("train", MODEL), ("predict", MODEL)]
    assert all(statuses[step] == "computed" for step in wanted), json.dumps(str(statuses))


def test_a_second_run_computes_nothing(viand, run):
    repo = run[0]
    before = {path: path.stat().st_mtime_ns for path in files_of(repo)}
    steps = viand.steps(repo)
    assert {step["status"] for step in steps.values()} == {"fresh"}, str(steps)
    assert {path: path.stat().st_mtime_ns for path in files_of(repo)} == before


def files_of(repo):
    """The files of results; the registry may note that a run took place."""
    names = ("transactions.parquet", "offline/**/*.parquet", "predictions/*.parquet", "models/**/*.json")
    return sorted(Path(path) for name in names for path in (repo / "data").glob(name))
