"""Feast's offline stores as peers of bench/asof; runs in .venv-feast.

  asof_feast.py file|duckdb|ray FOLDER OUT THREADS          measured: features of the spine's rows, to Parquet
  asof_feast.py apply-file|apply-duckdb|apply-ray FOLDER    before that: the registry

bench/ray measures the Ray store, on the cluster $RAY_ADDRESS, whose tasks run with this program's Python.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path


def open_store(kind, folder):
    from feast import FeatureStore
    from feast.repo_config import RepoConfig

    state = Path(folder) / f"feast-{kind}"
    state.mkdir(exist_ok=True)
    offline_store = {"type": kind}
    if kind == "ray":
        offline_store |= {"storage_path": str(state), "ray_address": os.environ.get("RAY_ADDRESS"),
                          "ray_conf": {"runtime_env": {"py_executable": sys.executable}}}
    return FeatureStore(config=RepoConfig(
        project="asof", provider="local", registry=str(state / "registry.db"), offline_store=offline_store,
        online_store={"type": "sqlite", "path": str(state / "online.db")}, entity_key_serialization_version=3))


def apply(kind, folder):
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Float64, Int64

    entity = Entity(name="entity", join_keys=["entity_id"], value_type=ValueType.INT64)
    views = []
    for view, integers in (("a", 2), ("b", 3)):
        fields = [Field(name=f"{view}_i{i}", dtype=Int64) for i in range(integers)]
        fields += [Field(name=f"{view}_d{i}", dtype=Float64) for i in range(2)]
        # An absolute path: the duckdb store resolves others against the current directory.
        source = FileSource(name=view, path=f"{Path(folder).resolve()}/{view}.parquet", timestamp_field="event_timestamp")
        views.append(FeatureView(name=f"view_{view}", entities=[entity], ttl=timedelta(0), schema=fields, source=source))
    open_store(kind, folder).apply([entity, *views])


def retrieve(kind, folder, out, threads):
    os.environ["OMP_NUM_THREADS"] = threads  # Arrow's; dask and DuckDB see the cores that the process is bound to
    import pandas
    import pyarrow.parquet

    names = [f"view_{view}:{view}_{kind_of_type}{i}" for view, integers in (("a", 2), ("b", 3))
             for kind_of_type, count in (("i", integers), ("d", 2)) for i in range(count)]
    spine = pandas.read_parquet(f"{folder}/spine.parquet")
    found = open_store(kind, folder).get_historical_features(entity_df=spine, features=names).to_arrow()
    pyarrow.parquet.write_table(found, out)


if __name__ == "__main__":
    if sys.argv[1].startswith("apply-"):
        apply(sys.argv[1].removeprefix("apply-"), sys.argv[2])
    else:
        retrieve(*sys.argv[1:])
