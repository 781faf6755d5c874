"""Python's xgboost as the oracle of viand's training and prediction, for any model of any repo.

check_parity is what other tests call: given a training set that viand exported, the model file that it wrote and what
it predicted, Python trains on the same rows in the same order with the same parameters, and must predict the same.
Below it, tests of check_parity itself, and of viand on a model with missing values, booleans and integers.
"""

import json
import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost

TOLERANCE = 1e-6
# One thread: XGBoost's idle threads spin, which on a busy machine of few cores makes a test take seconds.
THREADS = {"nthread": 1}
ARROW_TO_XGBOOST = ((pa.types.is_boolean, "i"), (pa.types.is_integer, "int"), (pa.types.is_floating, "float"))


def feature_types(table, feature_columns):
    return [next(name for is_kind, name in ARROW_TO_XGBOOST if is_kind(table.schema.field(column).type))
            for column in feature_columns]


def matrix(table, feature_columns, fill_null, label=None):
    """The rows as XGBoost takes them: float32, missing as NaN or as the number that stands for it."""
    # Each column by itself: a null makes pandas read integers as doubles, which is exact for the values of these tests.
    columns = [table.column(name).to_pandas().astype("float64").astype("float32") for name in feature_columns]
    values = np.column_stack(columns) if len(table) else np.empty((0, len(feature_columns)), "float32")
    if fill_null is not None:
        values = np.where(np.isnan(values), np.float32(fill_null), values)
    return xgboost.DMatrix(values, label=label, feature_names=list(feature_columns),
                           feature_types=feature_types(table, feature_columns), **THREADS)


def train(params, rows, rounds):
    return xgboost.train({**params, **THREADS}, rows, num_boost_round=rounds)


def times(table, column="event_timestamp"):
    """A column of times as UTC instants, whatever its unit and zone."""
    return pd.to_datetime(table.column(column).to_pandas(), utc=True).astype("datetime64[ns, UTC]")


def predicted_column(table):
    """The column of predicted numbers: *_probability, or for a regression *_predicted; None where there is none."""
    for ending in ("_probability", "_predicted"):
        for name in table.column_names:
            if name.endswith(ending):
                return name
    return None


def keys_of(table, columns):
    """One key a row, of any types; times as instants."""
    parts = [times(table, name) if pa.types.is_timestamp(table.schema.field(name).type)
             else table.column(name).to_pandas() for name in columns]
    return list(zip(*parts))


def assert_close(actual, expected, what):
    actual, expected = np.asarray(actual, "float64"), np.asarray(expected, "float64")
    assert actual.shape == expected.shape, f"{what}: {actual.shape} numbers, expected {expected.shape}"
    difference = np.abs(actual - expected)
    assert not np.isnan(difference).any(), f"{what}: NaN at row {np.isnan(difference).argmax()}"
    worst = int(difference.argmax()) if len(difference) else 0
    assert not len(difference) or difference[worst] <= TOLERANCE, (
        f"{what}: row {worst} differs most, {actual[worst]!r} instead of {expected[worst]!r}")


def viand_predictions(predictions, test):
    """What viand predicted for the rows of `test`, in their order: by the columns that both have."""
    column = predicted_column(predictions)
    shared = [name for name in predictions.column_names if name in test.column_names]
    assert shared, "predictions and training set have no key in common"
    by_key = dict(zip(keys_of(predictions, shared), predictions.column(column).to_pylist()))
    assert len(by_key) == len(predictions), f"{shared} are no key of the predictions"
    keys = keys_of(test, shared)
    assert set(keys) == set(by_key), "predictions are for other rows than the test rows"
    return [by_key[key] for key in keys]


def check_parity(training_parquet, model_json, predictions_parquet, feature_columns, target, params, rounds,
                 test_snapshot):
    """Asserts that Python's xgboost and viand agree within 1e-6; returns Python's predictions of the test rows.

    training_parquet: what `viand train --export` wrote; the rows of event_timestamp `test_snapshot` are the test rows.
    model_json: viand's model file. predictions_parquet: what `viand predict` wrote for the test rows; or a file of
    features alone (no *_probability and no *_predicted), for which then only the two models are compared.
    """
    training = pq.read_table(training_parquet)
    predictions = pq.read_table(predictions_parquet)
    opened = xgboost.Booster(THREADS, model_file=str(model_json))
    assert opened.feature_names == list(feature_columns)
    assert opened.num_boosted_rounds() == rounds
    fill_null = opened.attr("viand.fill_null")
    fill_null = None if fill_null is None else float(fill_null)

    is_test = (times(training) == pd.Timestamp(test_snapshot, tz="UTC")).to_numpy()
    assert is_test.any() and not is_test.all(), f"{test_snapshot} splits nothing off"
    learned, test = training.filter(pa.array(~is_test)), training.filter(pa.array(is_test))
    label = learned.column(target).to_pandas().astype("float64")
    trained = train(params, matrix(learned, feature_columns, fill_null, label), rounds)

    expected = trained.predict(matrix(test, feature_columns, fill_null))
    assert_close(opened.predict(matrix(test, feature_columns, fill_null)), expected, "viand's model file in Python")
    if predicted_column(predictions) is None:
        features = matrix(predictions, feature_columns, fill_null)
        assert_close(opened.predict(features), trained.predict(features), "viand's model file on the given features")
    else:
        assert_close(viand_predictions(predictions, test), expected, "viand's predictions")
    return expected


# ---- check_parity itself --------------------------------------------------------------------------------------

PARAMS = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "seed": 7}
FEATURES = ["visits", "spend", "member"]
ROUNDS = 12
LAST = pd.Timestamp("2024-03-01")


@pytest.fixture
def files(tmp_path):
    """A training set, a model and predictions as viand would write them, made by Python: (folder, predictions)."""
    generator = np.random.default_rng(3)
    rows = 600
    visits = pd.array(generator.integers(0, 50, rows), dtype="Int64")
    visits[generator.random(rows) < 0.1] = pd.NA
    frame = pd.DataFrame({
        "shop": [f"shop {i % 200}" for i in range(rows)],
        "event_timestamp": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]).repeat(200).tz_localize("UTC"),
        "visits": visits, "spend": generator.normal(size=rows), "member": generator.random(rows) < 0.5})
    score = frame["visits"].fillna(25).astype(float) + 10 * frame["spend"] + 9 * frame["member"]
    frame["bought"] = (score > 30).astype("int64")
    frame.to_parquet(tmp_path / "train.parquet", index=False)
    table = pq.read_table(tmp_path / "train.parquet")
    learned, test = table.slice(0, 400), table.slice(400)
    booster = train(PARAMS, matrix(learned, FEATURES, None, learned.column("bought").to_pandas()), ROUNDS)
    booster.save_model(tmp_path / "model.json")
    predictions = test.select(["shop", "event_timestamp"]).to_pandas()
    predictions["buyers_probability"] = booster.predict(matrix(test, FEATURES, None)).astype("float64")
    return tmp_path, predictions


def check(folder, predictions, **changed):
    predictions.to_parquet(folder / "predictions.parquet", index=False)
    arguments = {"params": PARAMS, "rounds": ROUNDS, "test_snapshot": LAST, **changed}
    return check_parity(folder / "train.parquet", folder / "model.json", folder / "predictions.parquet", FEATURES,
                        "bought", **arguments)


def test_python_agrees_with_itself_in_any_order_of_predictions(files):
    folder, predictions = files
    expected = check(folder, predictions.sample(frac=1, random_state=1))
    assert len(expected) == 200 and expected.min() < 0.2 < 0.8 < expected.max()


def test_features_alone_compare_the_models(files):
    folder, predictions = files
    check(folder, pq.read_table(folder / "train.parquet").to_pandas()[FEATURES])


def test_a_prediction_that_is_off_is_found(files):
    folder, predictions = files
    predictions.loc[17, "buyers_probability"] += 2e-6
    with pytest.raises(AssertionError, match="viand's predictions: row 17 differs most"):
        check(folder, predictions)


def test_a_prediction_that_is_missing_is_found(files):
    folder, predictions = files
    with pytest.raises(AssertionError, match="other rows than the test rows"):
        check(folder, predictions.iloc[1:])


def test_a_model_of_other_parameters_is_found(files):
    folder, predictions = files
    with pytest.raises(AssertionError, match="viand's model file in Python: row"):
        check(folder, predictions, params={**PARAMS, "max_depth": 2})
    with pytest.raises(AssertionError):
        check(folder, predictions, rounds=ROUNDS + 1)


# ---- viand ----------------------------------------------------------------------------------------------------

STORE = """\
project: parity
provider: local
registry: {registry_type: sql, path: "sqlite:///data/registry.db"}
offline_store: {type: viand}
entity_key_serialization_version: 3
"""

# Features of every kind that a model takes: integers and doubles with nulls, a boolean; nulls stay missing or are -1.
DEFINITIONS = """\
entities:
  - {name: shop, join_keys: [shop], value_type: STRING}
datasets:
  - name: visits
    from: {path: data/visits.csv, types: {shop: varchar, at: timestamp, amount: double, people: bigint}}
    to: data/visits.parquet
sources:
  - {name: visits, type: file, path: data/visits.parquet, timestamp_field: at}
snapshots:
  - {name: weekly, source: visits, first: start + 14d, last: end - 7d, every: 7d}
feature_views:
  - name: shop_features
    entities: [shop]
    source: visits
    snapshots: weekly
    window: 14d
    features:
      visits: count(*)
      spent: avg(amount)
      party: max(people)
      large: max(amount where people > 3)
      any_large: any(amount > 90)
labels:
  - name: returned
    population: shop_features
    source: visits
    window: 7d following
    columns:
      came_back: cast(count(*) > 1 as bigint)
feature_services:
  - {name: shop_service, features: [shop_features]}
models:
  - name: returning_shops
    type: xgboost
    features: shop_service
    labels: returned
    target: came_back
    FILL_NULL
    split: {test: last_snapshot}
    params: {objective: "binary:logistic", max_depth: 3, eta: 0.3, seed: 7}
    num_boost_round: 20
"""


def write_repo(folder, fill_null):
    generator = random.Random(5)
    (folder / "data").mkdir()
    (folder / "feature_store.yaml").write_text(STORE)
    filled = DEFINITIONS.replace("    FILL_NULL\n", "" if fill_null is None else f"    fill_null: {fill_null}\n")
    (folder / "definitions.yaml").write_text(filled)
    start = pd.Timestamp("2024-01-01")
    with open(folder / "data" / "visits.csv", "w", encoding="utf-8") as file:
        file.write("shop,at,amount,people\n")
        for _ in range(4000):
            shop = int(150 * generator.random() ** 2)
            at = start + pd.Timedelta(seconds=generator.randrange(90 * 86400))
            amount = "" if generator.random() < 0.3 else f"{generator.random() * 100:.3f}"
            people = "" if generator.random() < 0.3 else generator.randrange(1, 6)
            file.write(f"shop {shop},{at},{amount},{people}\n")


@pytest.mark.parametrize("fill_null", [None, -1])
def test_viand_agrees_on_nulls_and_on_every_kind_of_feature(viand, tmp_path, fill_null):
    write_repo(tmp_path, fill_null)
    viand.json(tmp_path, "run")
    trained = viand.json(tmp_path, "train", "returning_shops", "--export", tmp_path / "train.parquet")
    model = tmp_path / trained["step"]["output"]
    features = ["visits", "spent", "party", "large", "any_large"]
    training = pq.read_table(tmp_path / "train.parquet")
    assert training.column("large").null_count > 0
    assert opened_fill_null(model) == fill_null
    params = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "seed": 7}
    check_parity(tmp_path / "train.parquet", model, tmp_path / "data" / "predictions" / "returning_shops.parquet",
                 features, "came_back", params, 20, times(training).max().tz_localize(None))


def opened_fill_null(model):
    attributes = json.loads(model.read_text())["learner"]["attributes"]
    return float(attributes["viand.fill_null"]) if "viand.fill_null" in attributes else None
