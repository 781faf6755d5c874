"""Programs in the folder of a repo that define objects, open its store and apply them: a Feast script with its imports changed."""

import os
import subprocess
import sys

from definitions_fixture import error_of, make_repo, python_of_the_program  # noqa: F401

SCRIPT = """\
from datetime import datetime, timedelta

import pandas as pd

from viand import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType, col, count
from viand.types import Float64

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
rows = FileSource(name="rows", path="rows.parquet", timestamp_field="at")
stats = FeatureView(name="stats", entities=[driver], source=rows, ttl=timedelta(days=2), schema=[Field(name="rate", dtype=Float64)])
made = FeatureView(name="made", entities=[driver], source=rows, window="10d", features={"n": count(), "total": col("rate").sum()})

store = FeatureStore(repo_path=".")
store.apply([driver, stats, made])
entity_df = pd.DataFrame({"driver_id": [1, 2], "event_timestamp": [datetime(2026, 1, 2, 1), datetime(2026, 1, 3)]})
frame = store.get_historical_features(entity_df=entity_df, features=["stats:rate", "made:n", "made:total"]).to_df()
assert frame[["rate", "n", "total"]].values.tolist() == [[0.25, 2, 0.75], [1.0, 1, 1.0]]
print("ran")
"""


def shop(folder, text=SCRIPT):
    import pandas as pd
    repo = make_repo(folder, script_py=text)
    times = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-02"], utc=True)
    pd.DataFrame({"driver_id": [1, 1, 2], "at": times, "rate": [0.5, 0.25, 1.0]}).to_parquet(repo / "rows.parquet")
    return repo


def run(repo):
    return subprocess.run([sys.executable, "script.py"], cwd=repo, text=True, capture_output=True, env=os.environ)


def test_a_script_of_feasts_style_and_the_program_agree(viand, tmp_path):
    repo = shop(tmp_path)
    done = run(repo)
    assert done.returncode == 0 and done.stdout.endswith("ran\n"), done.stderr
    # The program reads what the script defines in front of its store, and finds it applied.
    assert not viand.json(repo, "plan")["has_effect"]
    # Again, with the definition changed: applied in place of what was.
    (repo / "script.py").write_text(SCRIPT.replace('"10d"', '"11d"'))
    assert viand.json(repo, "plan")["has_effect"]
    assert "ran" in run(repo).stdout
    assert not viand.json(repo, "plan")["has_effect"]


def test_errors_of_applied_objects_are_at_the_scripts_lines(viand, tmp_path):
    repo = shop(tmp_path, SCRIPT.replace('col("rate").sum()', '"sum(rat)"'))
    done = run(repo)
    line = next(number for number, text in enumerate(SCRIPT.splitlines(), 1) if text.startswith("made ="))
    assert f'viand.errors.DefinitionError: script.py:{line}:' in done.stderr and 'unknown column "rat"' in done.stderr
    assert error_of(viand, repo).startswith(f"error: script.py:{line}:")
