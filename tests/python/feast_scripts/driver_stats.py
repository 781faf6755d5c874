# Feast's quickstart as people keep it in one file: define, apply, look around, retrieve.
from datetime import datetime, timedelta

import pandas as pd

from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Int64

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64, description="Somebody who drives")

driver_stats_source = FileSource(
    name="driver_hourly_stats_source",
    path="data/driver_stats.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)

driver_stats_fv = FeatureView(
    name="driver_hourly_stats",
    entities=[driver],
    ttl=timedelta(days=1),
    schema=[
        Field(name="conv_rate", dtype=Float32),
        Field(name="acc_rate", dtype=Float32, description="How often they accept"),
        Field(name="avg_daily_trips", dtype=Int64, tags={"unit": "trips"}),
    ],
    online=True,
    source=driver_stats_source,
    tags={"team": "driver_performance"},
    owner="ann@shop.example",
)

driver_activity_v1 = FeatureService(
    name="driver_activity_v1",
    features=[driver_stats_fv[["conv_rate", "avg_daily_trips"]]],
    description="What the first model reads",
)


def print_objects(store):
    for entity in store.list_entities():
        if not entity.name.startswith("__"):
            print("entity", entity.name, entity.join_key, entity.value_type, entity.description, entity.created_timestamp is not None)
    for fv in store.list_feature_views():
        print("view", fv.name, fv.entities, fv.ttl, fv.ttl.total_seconds(), fv.online, fv.owner, fv.join_keys)
        print("  columns", [(field.name, str(field.dtype)) for field in fv.entity_columns])
        for field in fv.features:
            print("  feature", field.name, field.dtype, field.dtype.to_value_type(), field.description, field.tags)
        print("  schema", sorted(field.name for field in fv.schema))
        print("  source", fv.batch_source.name, fv.batch_source.timestamp_field, fv.batch_source.created_timestamp_column)
        print("  tags", {key: text for key, text in fv.tags.items() if not key.startswith("viand")}, fv.stream_source)
        print("  projection", fv.projection.name, fv.projection.name_to_use(), [field.name for field in fv.projection.features])
    for source in store.list_data_sources():
        print("source", source.name, source.timestamp_field)
    for service in store.list_feature_services():
        print("service", service.name, service.description)
        for projection in service.feature_view_projections:
            print("  reads", projection.name, projection.name_alias or "", [field.name for field in projection.features])


def main():
    store = FeatureStore(repo_path=".")
    store.apply([driver, driver_stats_source, driver_stats_fv, driver_activity_v1])
    print_objects(store)

    fv = store.get_feature_view("driver_hourly_stats")
    print("same", fv.name == driver_stats_fv.name, fv.ttl == driver_stats_fv.ttl, fv.features == driver_stats_fv.features)
    print("last updated", fv.last_updated_timestamp.tzinfo is not None)

    entity_df = pd.DataFrame.from_dict(
        {
            "driver_id": [1001, 1002, 1003, 1001],
            "event_timestamp": [
                datetime(2026, 4, 12, 10, 59, 42),
                datetime(2026, 4, 12, 8, 12, 10),
                datetime(2026, 4, 12, 16, 40, 26),
                datetime(2026, 4, 14, 12, 0, 0),
            ],
            "label_driver_reported_satisfaction": [1, 5, 3, 4],
        }
    )
    training_df = store.get_historical_features(
        entity_df=entity_df,
        features=[
            "driver_hourly_stats:conv_rate",
            "driver_hourly_stats:acc_rate",
            "driver_hourly_stats:avg_daily_trips",
        ],
    ).to_df()
    print(sorted(training_df.columns))
    print(training_df.sort_values(["driver_id", "event_timestamp"]).drop(columns="event_timestamp").round(5).to_csv(index=False))

    # All features of the view, by its object's fields, with full names.
    references = [f"{fv.name}:{feature.name}" for feature in fv.features]
    full = store.get_historical_features(entity_df=entity_df, features=references, full_feature_names=True).to_df()
    print(sorted(full.columns), full["driver_hourly_stats__avg_daily_trips"].sum())

    service = store.get_feature_service("driver_activity_v1")
    job = store.get_historical_features(entity_df=entity_df, features=service)
    table = job.to_arrow()
    print(table.num_rows, sorted(table.column_names))

    # A change is applied over what was.
    fv.ttl = timedelta(days=2)
    fv.tags["reviewed"] = "yes"
    store.apply([fv])
    again = store.get_feature_view("driver_hourly_stats")
    print("changed", again.ttl, again.tags["reviewed"])
    later = store.get_historical_features(entity_df=entity_df, features=["driver_hourly_stats:acc_rate"]).to_df()
    print("nulls with a day", int(training_df["acc_rate"].isna().sum()), "with two", int(later["acc_rate"].isna().sum()))


if __name__ == "__main__":
    main()
