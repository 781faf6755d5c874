"""Feast's side of bench/registry; runs in .venv-feast.

  registry_feast.py write FOLDER VIEWS FEATURES     a repo of the same views, for `feast apply`
  registry_feast.py list FOLDER                     what Feast lists in the registry of a repo, as JSON
"""

import json
import sys
from pathlib import Path

DEFINITIONS = """from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
events = FileSource(name="events", path="{folder}/events.parquet", timestamp_field="at")
views = [FeatureView(name=f"view_{{i}}", entities=[user], ttl=timedelta(days=10), source=events,
                     schema=[Field(name=f"f_{{j}}", dtype=Float64) for j in range({features})]) for i in range({views})]
globals().update({{view.name: view for view in views}})
first_ten = FeatureService(name="first_ten", features=views[:10])
"""


def write(folder, views, features):
    folder.mkdir()
    (folder / "definitions.py").write_text(DEFINITIONS.format(folder=folder, views=views, features=features))
    (folder / "feature_store.yaml").write_text(
        f'project: scale\nprovider: local\nregistry: {{registry_type: sql, path: "sqlite:///{folder}/registry.db"}}\n'
        "offline_store: {type: file}\nonline_store: null\nentity_key_serialization_version: 3\n")


def listed(folder):
    from feast import FeatureStore

    store = FeatureStore(repo_path=folder)
    views = {view.name: [view.ttl.total_seconds(), view.entities, [[f.name, str(f.dtype)] for f in view.features],
                         [[c.name, str(c.dtype)] for c in view.entity_columns], view.batch_source.timestamp_field]
             for view in store.list_feature_views()}
    services = {service.name: [[p.name, [f.name for f in p.features]] for p in service.feature_view_projections]
                for service in store.list_feature_services()}
    entities = {entity.name: [entity.join_key, str(entity.value_type)] for entity in store.list_entities()
                if entity.name != "__dummy"}
    return {"views": views, "services": services, "entities": entities,
            "sources": {source.name: source.timestamp_field for source in store.list_data_sources()}}


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        print(json.dumps(listed(sys.argv[2])))
