# The shape of the credit scoring tutorials: two entities, two views, a class around the store, a model of scikit-learn.
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

import feast
from feast import Entity, FeatureView, Field, FileSource
from feast.types import Int64, String
from feast.value_type import ValueType

zipcode = Entity(name="zipcode", join_keys=["zipcode"], value_type=ValueType.INT64)
dob_ssn = Entity(name="dob_ssn", join_keys=["dob_ssn"], value_type=ValueType.STRING, description="Date of birth and last four digits of the SSN")

zipcode_features = FeatureView(
    name="zipcode_features",
    entities=[zipcode],
    ttl=timedelta(days=3650),
    schema=[
        Field(name="city", dtype=String),
        Field(name="state", dtype=String),
        Field(name="location_type", dtype=String),
        Field(name="tax_returns_filed", dtype=Int64),
        Field(name="population", dtype=Int64),
    ],
    source=FileSource(name="zipcodes", path="data/zipcode_table.parquet", timestamp_field="event_timestamp", created_timestamp_column="created_timestamp"),
)

credit_history = FeatureView(
    name="credit_history",
    entities=[dob_ssn],
    ttl=timedelta(days=90),
    schema=[
        Field(name="credit_card_due", dtype=Int64),
        Field(name="mortgage_due", dtype=Int64),
        Field(name="missed_payments_1y", dtype=Int64),
        Field(name="bankruptcies", dtype=Int64),
    ],
    source=FileSource(name="credit_history", path="data/credit_history.parquet", timestamp_field="event_timestamp", created_timestamp_column="created_timestamp"),
)


class CreditScoringModel:
    categorical_features = ["person_home_ownership", "loan_intent", "city", "state", "location_type"]
    feast_features = [
        "zipcode_features:city",
        "zipcode_features:state",
        "zipcode_features:location_type",
        "zipcode_features:tax_returns_filed",
        "zipcode_features:population",
        "credit_history:credit_card_due",
        "credit_history:mortgage_due",
        "credit_history:missed_payments_1y",
        "credit_history:bankruptcies",
    ]
    target = "loan_status"

    def __init__(self):
        self.fs = feast.FeatureStore(repo_path=str(Path(".").resolve()))
        self.fs.apply([zipcode, dob_ssn, zipcode_features, credit_history])
        self.encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        self.classifier = DecisionTreeClassifier(max_depth=5, random_state=0)

    def get_training_features(self, loans):
        training_df = self.fs.get_historical_features(entity_df=loans, features=self.feast_features).to_df()
        # Feast's stores give rows in any order.
        training_df = training_df.sort_values("loan_id", ignore_index=True)
        training_df[self.categorical_features] = self.encoder.fit_transform(training_df[self.categorical_features].fillna(""))
        train_x = training_df[training_df.columns.drop([self.target, "event_timestamp", "created_timestamp", "loan_id", "dob_ssn"], errors="ignore")]
        return train_x.reindex(sorted(train_x.columns), axis=1).fillna(-1), training_df[self.target]

    def train(self, loans):
        features, target = self.get_training_features(loans)
        half = len(features) // 2
        self.classifier.fit(features[:half], target[:half])
        scores = self.classifier.predict_proba(features[half:])[:, 1]
        print("columns", list(features.columns))
        print("accuracy", round(accuracy_score(target[half:], scores > 0.5), 6), "auc", round(roc_auc_score(target[half:], scores), 6))
        print("importance", dict(zip(features.columns, np.round(self.classifier.feature_importances_, 6))))


loans = pd.read_parquet("data/loan_table.parquet")
model = CreditScoringModel()
for entity in sorted(model.fs.list_entities(), key=lambda each: each.name):
    if entity.name != "__dummy":
        print(entity.name, entity.join_key, entity.value_type.name)
print(sorted(view.name for view in model.fs.list_feature_views()), sorted(view.name for view in model.fs.list_feature_views(tags={"team": "x"})))
model.train(loans)
try:
    model.fs.get_feature_view("zipcode_feature")
except Exception as error:
    print("not found:", "zipcode_feature" in str(error))
