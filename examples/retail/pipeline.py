#!/usr/bin/env python3
"""The example in Python: from the workbook to scored customers, and the training set as a DataFrame.

    pip install viand pandas          (here: pip install . pandas)
    python3 get_data.py && python3 pipeline.py
"""

from pathlib import Path

import viand


def main(folder=Path(__file__).resolve().parent):
    store = viand.FeatureStore(folder)
    store.ingest()
    print(store.plan())
    store.apply(yes=True)
    store.backfill()

    # The customers at each cutoff with their label, and what was known of them then.
    training = store.get_historical_features(
        entity_df="labels:purchased_30d",
        features=store.get_feature_service("purchase_propensity_v1"),
    ).to_df()
    print(training.groupby("event_timestamp")["purchased"].agg(["size", "mean"]))

    report = store.train("purchase_propensity")
    for name, value in report.metrics.items():
        print(f"{name:<10} {value:.4f}")
    predictions = store.predict("purchase_propensity")
    print(f"{predictions.predicted_positive:,} of {predictions.rows:,} customers will buy: {predictions.output}")
    return training, report, predictions


if __name__ == "__main__":
    main()
