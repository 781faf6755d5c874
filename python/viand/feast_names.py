"""Names of Feast's that viand does not have, and what stands for them: a file that changed its import lines hears why."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

_ON_DEMAND = "write features as expressions of a FeatureView, or compute them behind the retrieval"
_STREAM = "a FeatureView on the stream's files reads its batch rows"
_STREAM_SOURCE = "a FileSource on the stream's files reads its batch rows"
_BATCH = "a FeatureView computes its features as expressions or Python functions"
_EXPORT = "export it to Parquet files for a FileSource"
_CONFIG = "feature_store.yaml says it"
_SAVED = "get_historical_features(...).to_parquet(path) writes the rows"
_INGESTED = "a Dataset makes Parquet of other formats"
_AGGREGATION = 'an expression says it: col("amount").sum(window="30d")'
_ONLINE = "viand serves no features online yet"
_NOTHING = "viand does not have it"

_INSTEAD = {
    "OnDemandFeatureView": _ON_DEMAND, "on_demand_feature_view": _ON_DEMAND,
    "RequestSource": "values that come with the request are columns of the entity DataFrame and pass through",
    "StreamFeatureView": _STREAM, "stream_feature_view": _STREAM, "KafkaSource": _STREAM_SOURCE, "KinesisSource": _STREAM_SOURCE,
    "BatchFeatureView": _BATCH, "batch_feature_view": _BATCH, "Aggregation": _AGGREGATION,
    "LabelView": "viand.Labels makes labels of the rows after each time, a FeatureView reads stored ones",
    "BigQuerySource": _EXPORT, "RedshiftSource": _EXPORT, "SnowflakeSource": _EXPORT, "AthenaSource": _EXPORT, "OracleSource": _EXPORT,
    "SparkSource": _EXPORT, "TrinoSource": _EXPORT, "PostgreSQLSource": _EXPORT,
    "AvroFormat": _INGESTED, "JsonFormat": _INGESTED, "ProtoFormat": _INGESTED, "DeltaFormat": _EXPORT,
    "Feature": "write Field", "RepoConfig": _CONFIG, "PushMode": _ONLINE, "ValidationReference": _NOTHING, "Permission": _NOTHING,
}
# Modules; those of _INSTEAD's names too.
_MODULES = {
    "feature": "write Field", "aggregation": _AGGREGATION, "repo_config": _CONFIG, "feature_logging": "viand serves no features, and logs none",
    "saved_dataset": _SAVED, "dqm": _NOTHING, "permissions": _NOTHING, "labeling": _INSTEAD["LabelView"], "online_response": _ONLINE,
    "infra": "feature_store.yaml chooses stores; sources are viand.FileSource", "feast_object": "every object is a viand.document.Definition",
}


def missing(name: str) -> str | None:
    """Why a name of Feast's is not here; None for any other name."""
    instead = _INSTEAD.get(name)
    return None if instead is None else f"viand has no {name} as Feast has: {instead}"


def missing_module(name: str) -> str | None:
    """Why a module of Feast's is not here, as "repo_config"; None for any other name."""
    names = {each.lower().replace("_", ""): instead for each, instead in _INSTEAD.items()}
    instead = _MODULES.get(name) or names.get(name.replace("_", ""))
    return None if instead is None else f"viand has no module {name} as Feast has: {instead}"


def of_module(module: str) -> Callable[[str], NoReturn]:
    """The __getattr__ of a module that has some of the names which Feast's has."""
    def get(name: str) -> NoReturn:
        if (why := missing(name)) is not None:
            raise ImportError(why)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return get
