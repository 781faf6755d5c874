"""A program that a strict type checker must find nothing in (test_types.py)."""

from datetime import datetime, timedelta

import viand
from viand import (Dataset, Entity, FeatureService, FeatureView, Field, FileSource, Labels, Model, Snapshots, ValueType, as_of, col, count, floor_days, gap,
                   lit, to_yaml, when)
from viand.types import Array, Float64, Int64, String

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
raw = Dataset(name="raw", path="x.csv", types={"a": int}, columns={"a": col("a") * 2, "b": "c"}, to="data/raw.parquet")
events = FileSource(name="events", path=raw, timestamp_field="at")
grid = Snapshots(name="grid", source=events, first="start", last=datetime(2026, 1, 1), every=timedelta(days=1))
view = FeatureView(name="v", entities=[user], source=events, snapshots=grid, window="7d", where=~col("x") & (col("y") > 1), features={
    "a": col("a").sum(where=col("b") > 1), "n": count(), "r": floor_days(as_of - col("at").max()), "q": Field(expr="max(a)", default=0),
    "g": gap(col("at").first().per("k")).floor_days().avg(), "w": when(col("a") > 1, 2).otherwise(lit(3)).sum()})
ready = FeatureView(name="w", entities=["user"], source=events, schema=[Field(name="a", dtype=Int64), Field(name="b", dtype=Array(String))], ttl=timedelta(days=1))
service = FeatureService(name="s", features=[view, ready[["a"]].with_name("z"), "v:a"])
labels = Labels(name="l", population=view, source=events, window=timedelta(days=1), columns={"y": count() > 0})
model = Model(name="m", features=service, labels=labels, target="y", params={"eta": 0.1})
text: str = to_yaml([model])


def references(store: viand.FeatureStore) -> list[str]:
    service = store.get_feature_service("s")
    chosen = [field.name for projection in service.feature_view_projections for field in projection.features]
    return [f"{view.name}:{field.name}" for view in store.list_feature_views() for field in view.features if field.name in chosen]


expression: viand.expressions.Expression = col("a").cast(Float64) / 2


@viand.feature_function(returns={"low": Float64, "high": float}, columns=["a"], mode="pandas", window="30d")
def extremes(rows: object) -> object:
    return rows


functions = FeatureView(name="f", entities=[user], source=events, window="7d",
                        features={**extremes, "other": extremes["low"], "more": Field(expr=extremes["high"], default=0), "n": count()})
print(view.features[0].name, view.join_keys)
