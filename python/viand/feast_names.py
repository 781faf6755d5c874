"""Names of Feast's that viand does not have, and what stands for them: a file that changed its import lines hears why."""

_INSTEAD = {
    "OnDemandFeatureView": "write features as expressions of a FeatureView, or compute them behind the retrieval",
    "on_demand_feature_view": "write features as expressions of a FeatureView, or compute them behind the retrieval",
    "RequestSource": "values that come with the request are columns of the entity DataFrame and pass through",
    "StreamFeatureView": "a FeatureView on the stream's files reads its batch rows",
    "KafkaSource": "a FileSource on the stream's files reads its batch rows",
    "KinesisSource": "a FileSource on the stream's files reads its batch rows",
    "BatchFeatureView": "a FeatureView computes its features as expressions",
    "LabelView": "viand.Labels makes labels of the rows after each time, a FeatureView reads stored ones",
    "Aggregation": 'an expression says it: col("amount").sum(window="30d")',
    "BigQuerySource": "export it to Parquet files for a FileSource",
    "RedshiftSource": "export it to Parquet files for a FileSource",
    "SnowflakeSource": "export it to Parquet files for a FileSource",
    "AthenaSource": "export it to Parquet files for a FileSource",
    "OracleSource": "export it to Parquet files for a FileSource",
    "Feature": "write Field",
    "RepoConfig": "feature_store.yaml says it",
    "ValidationReference": "viand does not have it",
    "Permission": "viand does not have it",
}


def missing(name: str) -> str | None:
    """Why a name of Feast's is not here; None for any other name."""
    instead = _INSTEAD.get(name)
    return None if instead is None else f"viand has no {name} as Feast has: {instead}"
