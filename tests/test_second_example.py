"""A second feature repo end to end: two entities, a key of two texts, times of every form, nulls, no snapshots.

tests/second_example has its definitions, its data and its oracle. Ready columns beside computed ones, labels after the
rows of a text file, two models; every value against the oracle, the models against Python's xgboost.
"""

import math
import shutil
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import xgboost

from conftest import ROOT
from test_xgboost_parity import assert_close, check_parity, matrix, train

FOLDER = ROOT / "tests" / "second_example"
sys.path.insert(0, str(FOLDER))

import devices_data  # noqa: E402
import devices_pandas  # noqa: E402
from devices_pandas import FAILURE_V1  # noqa: E402

KEYS = ["region", "device_code", "operator_id", "backup_id"]
DEVICE = [
    "readings", "values_read", "kinds", "days_active", "total_steps", "total_value", "mean_value", "mean_steps",
    "least_value", "greatest_value", "least_kind", "spread", "steps_variance", "median_value", "steps_p90",
    "first_kind", "last_value", "last_error_value", "kind_of_fewest_steps", "last_values", "usual_kind",
    "usual_steps", "any_failed", "all_ok", "busiest_day", "daily_steps", "kinds_that_failed", "gap_hours",
    "longest_gap_of_kinds", "error_share", "grade", "hours_silent", "last_seen", "age_days", "readings_ever",
    "readings_in_week", "week_mean"]
WATCH = DEVICE + [
    "shifts", "hours_worked", "sites", "usual_site", "weekend_shifts", "hours_since_shift", "offset_mm", "technician",
    "passes", "longest", "shifts_ever", "backup_profile__team", "backup_profile__level", "level"]
LABELS = ["failed", "readings_after", "mean_after"]


@pytest.fixture(scope="module")
def run(viand, tmp_path_factory):
    """A repo on which `viand run` has been called once: (folder, steps)."""
    repo = tmp_path_factory.mktemp("devices") / "repo"
    repo.mkdir()
    for name in ("feature_store.yaml", "definitions.yaml"):
        shutil.copyfile(FOLDER / name, repo / name)
    devices_data.write_all(repo / "data")
    return repo, viand.steps(repo)


@pytest.fixture(scope="module")
def oracle(run):
    return devices_pandas.Devices(run[0] / "data")


# ---- comparing ------------------------------------------------------------------------------------------------

def values_of(table, name):
    """A column as plain Python has it; times as nanoseconds."""
    column = table[name]
    if pa.types.is_timestamp(column.type):
        per_unit = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[column.type.unit]
        return [None if value is None else value * per_unit for value in column.cast(pa.int64()).to_pylist()]
    return column.to_pylist()


def rows_of(table, time):
    """The rows of a spine as the oracle takes them."""
    columns = {**{name: values_of(table, name) for name in KEYS}, "time": values_of(table, time)}
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def same(actual, expected):
    """Integers, texts and truths exactly and of one type, doubles within 1e-9."""
    if isinstance(expected, list) and isinstance(actual, list):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    if type(actual) is not type(expected):
        return False
    if not isinstance(expected, float):
        return actual == expected
    return math.isnan(actual) if math.isnan(expected) else math.isclose(actual, expected, rel_tol=1e-9, abs_tol=1e-12)


def assert_values(table, columns, rows, expected):
    """expected: one dict a row, what it lacks being null."""
    assert len(table) == len(rows) == len(expected)
    wrong = []
    for name in columns:
        pairs = zip(values_of(table, name), (values.get(name) for values in expected))
        different = [(i, actual, value) for i, (actual, value) in enumerate(pairs) if not same(actual, value)]
        if different:
            i, actual, value = different[0]
            wrong.append(f"{name}: {len(different)} rows differ, first {i} {rows[i]}: {actual!r} instead of {value!r}")
    assert not wrong, "\n".join(wrong)


def bits(column):
    """The column with doubles as their bits, so that NaN equals itself and -0.0 is not 0.0."""
    array = column.combine_chunks()
    forms = {pa.float64(): pa.int64(), pa.list_(pa.float64()): pa.list_(pa.int64())}
    return array.view(forms[array.type]) if array.type in forms else array


def assert_identical(actual, expected):
    assert actual.schema.equals(expected.schema)
    for name in expected.column_names:
        assert bits(actual[name]).equals(bits(expected[name])), name


def retrieve(viand, repo, spine, *options, output="out.parquet"):
    viand.json(repo, "historical", "--spine", spine, "-o", repo / output, *options)
    return pq.read_table(repo / output)


# ---- the clean tables -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("dataset, rows", [("readings", 1800), ("shifts", 700), ("profiles", 60)])
def test_clean_tables_are_the_raw_rows_in_order_of_time(run, oracle, dataset, rows):
    repo, steps = run
    expected = oracle.cleaned[dataset]
    table = pq.read_table(repo / "data" / f"{dataset}.parquet")
    assert len(expected) == steps["ingest", dataset]["rows"] and len(expected) >= rows
    assert sorted(table.column_names) == sorted(expected[0]._fields)
    assert_values(table, table.column_names, expected, [row._asdict() for row in expected])


def test_nothing_has_snapshots_and_a_second_run_computes_nothing(viand, run):
    repo, steps = run
    assert not [step for step in steps if step[0] == "backfill"], "a view without snapshots has no stored rows"
    models = {(step, model) for step in ("train", "predict") for model in ("device_failure", "device_wear")}
    assert models | {("ingest", "readings"), ("ingest", "shifts"), ("ingest", "profiles")} <= steps.keys()
    assert {step["status"] for step in viand.steps(repo).values()} == {"fresh"}


# ---- retrieval ------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def watched(viand, run):
    """The service's features of the spine in milliseconds, by the program's own choice of threads and parts."""
    repo = run[0]
    return retrieve(viand, repo, repo / "data" / "spine_ms.parquet", "--service", "watch", output="watched.parquet")


@pytest.fixture(scope="module")
def expected(run, oracle):
    rows = rows_of(pq.read_table(run[0] / "data" / "spine_ms.parquet"), "event_timestamp")
    return rows, [oracle.features(row) for row in rows]


def test_features_match_the_oracle_row_by_row(watched, expected):
    rows, features = expected
    assert watched.column_names[-len(WATCH):] == WATCH
    assert_values(watched, WATCH, rows, features)


def test_the_data_tests_something(watched, expected):
    rows, features = expected
    assert any(row["time"] is None for row in rows) and any(None in list(row.values())[:2] for row in rows)
    for name in WATCH:
        nulls = watched[name].null_count
        assert 0 < nulls < 0.8 * len(watched), f"{name}: {nulls} of {len(watched)} are null"
        assert len({str(values.get(name)) for values in features} - {"None"}) > 1, f"{name} is always the same"
    for name, beside in {"last_value": "readings", "mean_steps": "readings", "any_failed": "readings",
                         "spread": "readings", "usual_site": "shifts", "offset_mm": "passes"}.items():
        null = [values for values in features if values.get(beside) is not None and values.get(name) is None]
        assert null, f"{name}: no null in a row that exists"
    assert any(math.isnan(values.get("offset_mm") or 0) for values in features)


@pytest.mark.parametrize("form", ["ms", "us", "ns", "berlin"])
def test_rows_of_a_spine_pass_through_as_they_are(viand, run, watched, form):
    spine = run[0] / "data" / f"spine_{form}.parquet"
    table = watched if form == "ms" else retrieve(viand, run[0], spine, "--service", "watch")
    given = pq.read_table(spine)
    assert table.column_names == given.column_names + WATCH
    assert_identical(table.select(given.column_names), given)
    assert_identical(table.select(WATCH), watched.select(WATCH))


def test_a_spine_of_text_has_the_same_features(viand, run, watched):
    repo = run[0]
    table = retrieve(viand, repo, repo / "data" / "spine.csv", "--service", "watch")
    assert_identical(table.select(WATCH), watched.select(WATCH))
    for name in ["note", *KEYS, "event_timestamp"]:
        assert values_of(table, name) == values_of(watched, name), name


@pytest.mark.parametrize("options", ["--threads 1", "--threads 4 --partitions 5", "--batch-rows 7 --partitions 3",
                                     "--executor processes --partitions 2"])
def test_every_plan_gives_the_same_table(viand, run, watched, options):
    repo = run[0]
    table = retrieve(viand, repo, repo / "data" / "spine_ms.parquet", "--service", "watch", *options.split())
    assert_identical(table, watched)


def test_features_by_name_are_those_of_the_service(viand, run, watched):
    repo = run[0]
    chosen = ["device_activity:last_values", "device_activity:grade", "operator_load:sites", "calibration"]
    spine = repo / "data" / "spine_us.parquet"
    table = retrieve(viand, repo, spine, "--features", ",".join(chosen), "--full-feature-names")
    plain = {"device_activity": ["last_values", "grade"], "operator_load": ["sites"],
             "calibration": ["offset_mm", "technician", "passes"]}
    names = [name for names in plain.values() for name in names]
    full = [f"{view}__{name}" for view, names in plain.items() for name in names]
    assert table.column_names[-len(full):] == full
    assert_identical(table.select(full).rename_columns(names), watched.select(names))


def test_rows_loaded_later_are_left_out_on_request(viand, run, oracle, expected):
    repo, rows = run[0], expected[0]
    spine = repo / "data" / "spine_ms.parquet"
    table = retrieve(viand, repo, spine, "--features", "calibration", "--created-not-after")
    known = [oracle.features(row, created_not_after=True) for row in rows]
    assert_values(table, ["offset_mm", "technician", "passes"], rows, known)
    assert any(now.get("passes") != then.get("passes") for now, then in zip(known, expected[1]))


# ---- labels and models ----------------------------------------------------------------------------------------

def read_inspections(repo):
    """The spine of the labels, read by the types that its columns have."""
    types = {"region": pa.string(), "device_code": pa.string(), "operator_id": pa.int64(), "backup_id": pa.int64(),
             "inspected_at": pa.timestamp("ms")}
    convert = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    return pyarrow.csv.read_csv(repo / "data" / "inspections.csv", convert_options=convert)


@pytest.fixture(scope="module")
def inspected(run, oracle):
    """The rows of the labels, what they are, and their features."""
    table = read_inspections(run[0])
    rows = rows_of(table, "inspected_at")
    return table, rows, [oracle.labels(row) for row in rows], [oracle.features(row) for row in rows]


def test_labels_as_a_spine(viand, run, inspected):
    given, rows, labels, features = inspected
    table = retrieve(viand, run[0], "labels:failed_7d", "--timestamp-column", "inspected_at", "--features",
                     "operator_load:shifts,device_activity:grade")
    assert table.column_names == given.column_names + LABELS + ["shifts", "grade"]
    assert_values(table, given.column_names, rows, [dict(zip(given.column_names, row)) for row in
                                                    zip(*(values_of(given, name) for name in given.column_names))])
    assert_values(table, LABELS, rows, labels)
    assert_values(table, ["shifts", "grade"], rows, features)
    assert 0.2 < np.mean([label["failed"] for label in labels]) < 0.8
    assert any(label["mean_after"] is None for label in labels)


def export(viand, repo, model, time):
    """The training set, its time under the name that check_parity knows."""
    report = viand.json(repo, "train", model, "--export", repo / f"{model}.parquet")
    table = pq.read_table(repo / f"{model}.parquet")
    renamed = table.rename_columns(["event_timestamp" if name == time else name for name in table.column_names])
    pq.write_table(renamed, repo / f"{model}.renamed.parquet")
    return table, repo / f"{model}.renamed.parquet", repo / report["step"]["output"]


def assert_training_set(table, rows, features, targets):
    assert table.column_names[-len(FAILURE_V1):] == FAILURE_V1
    assert_values(table, FAILURE_V1, rows, features)
    assert_values(table, list(targets[0]), rows, targets)


def test_classifier_learns_from_labels_like_python(viand, run, inspected):
    _, rows, labels, features = inspected
    repo = run[0]
    table, renamed, model = export(viand, repo, "device_failure", "inspected_at")
    assert_training_set(table, rows, features, labels)
    predictions = repo / "data" / "predictions" / "device_failure.parquet"
    assert pq.read_schema(predictions).names == [*KEYS, "device_probability", "device_predicted", "event_timestamp"]
    params = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "seed": 7, "eval_metric": "logloss"}
    # The last inspection has each combination of keys once, so these are the rows that are scored without --as-of.
    check_parity(renamed, model, predictions, FAILURE_V1, "failed", params, 12, devices_data.CLOSING)


def known_keys(rows):
    """Each combination of keys without a null, once, in order of appearance."""
    keys = [tuple(row[name] for name in KEYS) for row in rows]
    return list(dict.fromkeys(key for key in keys if None not in key))


def feature_table(oracle, keys, time):
    """The features of keys at a time, by the oracle."""
    found = [oracle.features({**dict(zip(KEYS, key)), "time": time}) for key in keys]
    doubles = ["mean_value", "spread", "error_share", "hours_worked", "offset_mm"]
    types = {"any_failed": pa.bool_(), **dict.fromkeys(doubles, pa.float64())}
    return pa.table({name: pa.array([values.get(name) for values in found], types.get(name, pa.int64()))
                     for name in FAILURE_V1})


def assert_predictions(path, booster, oracle, rows, time, column, fill_null):
    predictions = pq.read_table(path)
    keys = known_keys(rows)
    assert list(zip(*(values_of(predictions, name) for name in KEYS))) == keys
    assert set(values_of(predictions, "event_timestamp")) == {time}
    wanted = booster.predict(matrix(feature_table(oracle, keys, time), FAILURE_V1, fill_null))
    assert len(set(wanted.tolist())) > 5
    assert_close(predictions[column].to_pylist(), wanted, f"{column} at {pd.Timestamp(time)}")


def test_predicting_at_any_time_computes_features_at_that_time(viand, run, oracle, inspected):
    repo, steps = run
    as_of = pd.Timestamp("2024-03-31 00:30:00.250")
    viand.json(repo, "predict", "device_failure", "--as-of", f"{as_of}+00:00", "-o", repo / "as_of.parquet")
    booster = xgboost.Booster({"nthread": 1}, model_file=str(repo / steps["train", "device_failure"]["output"]))
    assert_predictions(repo / "as_of.parquet", booster, oracle, inspected[1], as_of.value, "device_probability", None)


def test_an_output_path_is_relative_to_the_caller(viand, run, tmp_path):
    arguments = ["predict", "device_wear", "--as-of", "2024-03-01", "-o", "scores.parquet"]
    process = viand.start(run[0], *arguments, cwd=tmp_path)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    scores = pq.read_table(tmp_path / "scores.parquet")
    assert str(scores["device_code"][0]) in out, "the first rows are shown"


def test_regression_learns_from_a_spine_with_its_target(viand, run, oracle):
    repo = run[0]
    spine = pq.read_table(repo / "data" / "wear.parquet")
    rows = rows_of(spine, "seen_at")
    table, _, model = export(viand, repo, "device_wear", "seen_at")
    assert_training_set(table, rows, [oracle.features(row) for row in rows], spine.select(["wear"]).to_pylist())
    # The latest quarter of the rows is for the test, rows of one time being together.
    times = np.array([row["time"] for row in rows])
    learned = table.filter(pa.array(times < np.sort(times)[::-1][round(0.25 * len(times)) - 1]))
    booster = train({"objective": "reg:squarederror", "max_depth": 3, "eta": 0.3, "seed": 7},
                    matrix(learned, FAILURE_V1, -1, learned["wear"].to_pandas()), 10)
    predictions = repo / "data" / "predictions" / "device_wear.parquet"
    assert_predictions(predictions, booster, oracle, rows, times.max(), "device_predicted", -1)
    opened = xgboost.Booster({"nthread": 1}, model_file=str(model))
    every = matrix(table, FAILURE_V1, -1)
    assert_close(opened.predict(every), booster.predict(every), "viand's model file in Python")
