# The article's own way: features by service for an entity DataFrame, a model, scikit-learn's metrics.
import argparse
from datetime import timedelta

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix, f1_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.types import Float64, Int64
from feast.value_type import ValueType

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64, description="Retail customer")
rfm = FeatureView(
    name="customer_rfm_features",
    entities=[customer],
    ttl=timedelta(days=0),
    schema=[Field(name="recency_days", dtype=Int64), Field(name="frequency", dtype=Int64), Field(name="monetary", dtype=Float64), Field(name="tenure_days", dtype=Int64)],
    source=FileSource(name="rfm", path="data/rfm.parquet", timestamp_field="event_timestamp"),
)
behavior = FeatureView(
    name="customer_behavior_features",
    entities=[customer],
    ttl=timedelta(days=0),
    schema=[Field(name="avg_order_value", dtype=Float64), Field(name="return_rate", dtype=Float64)],
    source=FileSource(name="behavior", path="data/behavior.parquet", timestamp_field="event_timestamp"),
)
purchase_propensity_v1 = FeatureService(name="purchase_propensity_v1", features=[rfm, behavior], tags={"model": "propensity"})


def build_training_set(store, labels):
    entity_df = labels[["customer_id", "event_timestamp", "purchased"]]
    service = store.get_feature_service("purchase_propensity_v1")
    print("service", service.name, service.tags.get("model"), [projection.name for projection in service.feature_view_projections])
    frame = store.get_historical_features(entity_df=entity_df, features=service).to_df()
    names = [field.name for projection in service.feature_view_projections for field in projection.features]
    return frame.sort_values(["event_timestamp", "customer_id"], ignore_index=True), names


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--repo", default=".")
    options = parser.parse_args(arguments)
    store = FeatureStore(repo_path=options.repo)
    store.apply([customer, rfm, behavior, purchase_propensity_v1])

    frame, names = build_training_set(store, pd.read_parquet("data/labels.parquet"))
    print("rows", len(frame), "nulls", int(frame[names].isna().sum().sum()))
    frame[names] = frame[names].fillna(0)
    last = frame["event_timestamp"].max()
    train, test = frame[frame["event_timestamp"] < last], frame[frame["event_timestamp"] == last]
    scaler = StandardScaler().fit(train[names])
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(train[names]), train["purchased"])
    probability = model.predict_proba(scaler.transform(test[names]))[:, 1]
    predicted = (probability >= 0.5).astype(int)

    print("accuracy", round(accuracy_score(test["purchased"], predicted), 6))
    print("f1", round(f1_score(test["purchased"], predicted), 6), "auc", round(roc_auc_score(test["purchased"], probability), 6))
    print(confusion_matrix(test["purchased"], predicted).tolist())
    print(classification_report(test["purchased"], predicted, digits=4))
    scored = test[["customer_id"]].assign(purchase_probability=probability.round(6)).nlargest(5, "purchase_probability")
    print(scored.to_csv(index=False))


if __name__ == "__main__":
    main()
