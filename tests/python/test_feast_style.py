"""A Feast file of definitions, its import lines changed: the real Feast finds the same objects in what either has applied."""

import subprocess

import pandas as pd
import pytest

from conftest import ROOT
from definitions_fixture import error_of, make_repo, python_of_the_program  # noqa: F401
from test_feast import Feast

DEFINITIONS = """
from datetime import timedelta

from feast import Entity, FeatureService, FileSource, Project, ValueType
from feast.data_format import ParquetFormat
from feast.data_source import PushSource
from feast.feature_view import FeatureView
from feast.field import Field
from feast.types import Array, Bool, Float32, Float64, Int64, String, UnixTimestamp

project = Project(name="shop", description="Drivers and their days")

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64, description="Somebody who drives", tags={"tier": "gold"})

stats_source = FileSource(
    name="driver_hourly_stats_source",
    path="%s/stats.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
    file_format=ParquetFormat(),
)

stats = FeatureView(
    # Names are unique in a project.
    name="driver_hourly_stats",
    entities=[driver],
    ttl=timedelta(days=1),
    schema=[
        Field(name="driver_id", dtype=Int64),
        Field(name="conv_rate", dtype=Float32),
        Field(name="acc_rate", dtype=Float64, description="How often they accept", tags={"unit": "1"}),
        Field(name="avg_daily_trips", dtype=Int64),
        Field(name="zones", dtype=Array(String)),
        Field(name="active", dtype=Bool),
        Field(name="last_seen", dtype=UnixTimestamp),
    ],
    online=True,
    source=stats_source,
    tags={"team": "driver_performance"},
    owner="ann@shop.example",
    description="What drivers do",
)

fresh = FeatureView(
    name="driver_hourly_stats_fresh", entities=[driver], ttl=timedelta(hours=36), schema=[Field(name="conv_rate", dtype=Float32)],
    source=PushSource(name="driver_stats_push_source", batch_source=stats_source), online=False)

activity_v1 = FeatureService(name="driver_activity_v1", features=[stats[["conv_rate"]]], owner="bob", tags={"of": "a model"})
activity_v2 = FeatureService(name="driver_activity_v2", features=[stats, fresh.with_name("now").with_join_key_map({"driver_id": "other_driver"})])
"""

SEEN = """
own = lambda tags: {key: text for key, text in tags.items() if not key.startswith("viand.")}
result = {
    "entities": [[e.name, e.join_key, str(e.value_type), e.description, own(e.tags)] for e in store.list_entities() if e.name != "__dummy"],
    "views": [[v.name, v.entities, str(v.ttl), v.online, v.description, v.owner, own(v.tags),
               [[f.name, str(f.dtype), f.description, f.tags] for f in v.features], v.batch_source.name, v.batch_source.path.split("/")[-1],
               v.batch_source.timestamp_field, v.batch_source.created_timestamp_column] for v in store.list_feature_views()],
    "services": [[s.name, s.owner, own(s.tags), [[p.name, p.name_alias or "", sorted(f.name for f in p.features), p.join_key_map] for p in s.feature_view_projections]]
                 for s in store.list_feature_services()]}
for kind in result:
    result[kind].sort(key=lambda each: each[0])
"""


@pytest.fixture(scope="module")
def feast():
    feast = Feast()
    yield feast
    feast.process.stdin.close()
    feast.process.wait()


def feast_repo(folder, definitions):
    repo = make_repo(folder, definitions_py=definitions % folder)
    (repo / "feature_store.yaml").write_text(f"""project: shop
provider: local
registry: {{registry_type: sql, path: "sqlite:///{repo}/registry.db"}}
offline_store: {{type: duckdb}}
online_store: {{type: sqlite, path: online.db}}
entity_key_serialization_version: 3
""")
    times = pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True)
    pd.DataFrame({"driver_id": [1, 2], "event_timestamp": times, "created": times, "conv_rate": pd.array([0.5, 0.25], "float32"), "acc_rate": [0.1, 0.2],
                  "avg_daily_trips": [3, 4], "zones": [["n"], ["s", "e"]], "active": [True, False], "last_seen": times}).to_parquet(repo / "stats.parquet")
    return repo


def test_a_file_of_feast_with_its_imports_changed(viand, feast, tmp_path):
    of_feast = feast_repo(tmp_path / "feast", DEFINITIONS)
    feast(of_feast, "import duckdb, feast.infra.offline_stores.duckdb", store=False)  # apply would unload them, which duckdb cannot bear
    feast(of_feast, "apply(repo)", store=False)
    of_viand = feast_repo(tmp_path / "viand", DEFINITIONS.replace("from feast", "from viand"))
    code, _, error = viand.call(of_viand, "apply", "--yes")
    assert code == 0, error
    assert feast(of_viand, SEEN) == feast(of_feast, SEEN)


def test_viand_leaves_a_file_of_feast_alone(viand, tmp_path):
    repo = feast_repo(tmp_path, DEFINITIONS)
    code, out, _ = viand.call(repo, "list")
    assert code == 0 and "driver" not in out


def test_the_template_of_feast_init_says_what_is_not_here(viand, tmp_path):
    """Feast's own template has on demand views and label views: the import says what to write instead."""
    program = "import feast, pathlib; print(pathlib.Path(feast.__file__).parent / 'templates/local/feature_repo/feature_definitions.py')"
    found = subprocess.run([ROOT / ".venv-feast" / "bin" / "python", "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    with open(found) as template:
        text = template.read().replace("from feast", "from viand").replace("%PROJECT_NAME%", "project")
    repo = make_repo(tmp_path, feature_definitions_py=text)
    error = error_of(viand, repo)
    assert error.startswith("error: feature_definitions.py:") and "viand has no LabelView as Feast has: viand.Labels makes labels" in error


def test_both_packages_in_one_file_is_viands(viand, tmp_path):
    repo = make_repo(tmp_path, mixed_py="from feast import Entity\nimport viand\n")
    error = error_of(viand, repo)
    assert "mixed.py:1" in error and "No module named 'feast'" in error
