"""Scripts that people write for Feast say the same with viand when their import lines change, and nothing else."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import viand
from conftest import ROOT

SCRIPTS = Path(__file__).resolve().parent / "feast_scripts"
FEAST_PYTHON = ROOT / ".venv-feast" / "bin" / "python"
REPO = """project: scripts
provider: local
registry: data/registry.db
offline_store: {type: duckdb}
online_store: {type: sqlite, path: data/online.db}
entity_key_serialization_version: 3
"""
# Runs each FOLDER/NAME.py in its folder; one process for all, for it takes Feast seconds to be imported. What .venv-feast
# lacks (scikit-learn) comes from this environment, behind all that it has.
RUN = """
import os, runpy, sys
sys.path.append(sys.argv[1])
for script in sys.argv[2:]:
    folder, file = os.path.split(script)
    os.chdir(folder)
    print("==", file, flush=True)
    sys.argv = [file]
    runpy.run_path(file, run_name="__main__")
"""


def with_imports_changed(text):
    """What `sed` does to the import lines."""
    return re.sub(r"\bfeast\b(?=[.(])", "viand", re.sub(r"^(from|import) feast\b", r"\1 viand", text, flags=re.MULTILINE))


def driver_stats(random):
    rows = 400
    times = pd.Timestamp("2026-04-08", tz="UTC") + pd.to_timedelta(random.integers(0, 5 * 86_400, rows), unit="s")
    yield "driver_stats", {"driver_id": random.integers(1001, 1004, rows), "event_timestamp": times, "created": times,
                           "conv_rate": random.random(rows).astype("float32"), "acc_rate": random.random(rows).astype("float32"),
                           "avg_daily_trips": random.integers(0, 1000, rows)}


def credit_scoring(random):
    codes, people, loans = 60, 150, 600
    start = pd.Timestamp("2025-01-01", tz="UTC")
    yield "zipcode_table", {"zipcode": np.arange(10_000, 10_000 + codes), "event_timestamp": [start] * codes, "created_timestamp": [start] * codes,
                            "city": [f"CITY {i % 17}" for i in range(codes)], "state": [("NY", "NJ", "CT")[i % 3] for i in range(codes)],
                            "location_type": ["PRIMARY"] * codes, "tax_returns_filed": random.integers(10, 9_000, codes),
                            "population": random.integers(100, 90_000, codes)}
    rows, names = 900, [f"19{i:06}_{i:04}" for i in range(people)]
    times = start + pd.to_timedelta(random.integers(0, 300 * 86_400, rows), unit="s")
    missed = random.integers(0, 6, rows)
    yield "credit_history", {"dob_ssn": [names[i] for i in random.integers(0, people, rows)], "event_timestamp": times, "created_timestamp": times,
                             "credit_card_due": random.integers(0, 9_000, rows), "mortgage_due": random.integers(0, 900_000, rows),
                             "missed_payments_1y": missed, "bankruptcies": missed // 4}
    yield "loan_table", {"loan_id": np.arange(loans), "dob_ssn": [names[i] for i in random.integers(0, people, loans)],
                         "zipcode": random.integers(10_000, 10_000 + codes + 5, loans),
                         "event_timestamp": start + pd.to_timedelta(random.integers(0, 330 * 86_400, loans), unit="s"),
                         "person_income": random.integers(20_000, 200_000, loans), "loan_amnt": random.integers(500, 35_000, loans),
                         "person_home_ownership": [("RENT", "OWN", "MORTGAGE")[i] for i in random.integers(0, 3, loans)],
                         "loan_intent": [("MEDICAL", "EDUCATION")[i] for i in random.integers(0, 2, loans)],
                         "loan_status": random.integers(0, 2, loans)}


def purchase_propensity(random):
    customers, cutoffs = 200, [pd.Timestamp("2011-03-01 08:26", tz="UTC") + pd.Timedelta(days=30 * i) for i in range(5)]
    keys = np.tile(np.arange(12_346, 12_346 + customers), len(cutoffs))
    times = np.repeat(cutoffs, customers)
    there = random.random(len(keys)) < 0.8
    frequency = random.integers(1, 12, len(keys))
    yield "rfm", {"customer_id": keys[there], "event_timestamp": times[there], "recency_days": random.integers(0, 90, there.sum()),
                  "frequency": frequency[there], "monetary": (random.random(there.sum()) * 5_000).round(2), "tenure_days": random.integers(0, 300, there.sum())}
    yield "behavior", {"customer_id": keys[there], "event_timestamp": times[there], "avg_order_value": (random.random(there.sum()) * 900).round(2),
                       "return_rate": random.random(there.sum()).round(3)}
    yield "labels", {"customer_id": keys, "event_timestamp": times, "purchased": (random.random(len(keys)) < frequency / 14).astype("int64")}


DATA = {make.__name__: make for make in (driver_stats, credit_scoring, purchase_propensity)}


def make_repo(folder, name, text):
    (folder / "data").mkdir(parents=True)
    (folder / "feature_store.yaml").write_text(REPO)
    (folder / f"{name}.py").write_text(text)
    for table, columns in DATA[name](np.random.default_rng(11)):
        pd.DataFrame(columns).to_parquet(folder / "data" / f"{table}.parquet")
    return folder


def outputs_of(python, folder, change=lambda text: text):
    """What each script prints."""
    scripts = [make_repo(folder / name, name, change((SCRIPTS / f"{name}.py").read_text())) / f"{name}.py" for name in DATA]
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(os.path.abspath(viand.__file__))), "PYTHONWARNINGS": "ignore",
                   "FEAST_USAGE": "False", "OMP_WAIT_POLICY": "passive"}
    done = subprocess.run([python, "-c", RUN, sysconfig.get_path("purelib"), *scripts], text=True, capture_output=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return dict(part.split("\n", 1) for part in done.stdout.split("== ")[1:])


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    return outputs_of(FEAST_PYTHON, folder / "feast"), outputs_of(sys.executable, folder / "viand", with_imports_changed)


@pytest.mark.parametrize("name", DATA)
def test_a_script_says_the_same(name, outputs):
    with_feast, with_viand = outputs
    assert with_viand[f"{name}.py"] == with_feast[f"{name}.py"] and with_feast[f"{name}.py"].count("\n") > 5


def test_every_script_is_run():
    assert {path.stem for path in SCRIPTS.glob("*.py")} == set(DATA)
